"""Closed-form regressions of recommendation over 0/1 matrices of people and films."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def ease(gram: Matrix, ridge: float) -> Matrix:
    """Ridge regression of each film on all the others (Steck 2019), shape (n, n).

    B = I - P / diag(P) with P = (gram + ridge I)^-1, at a diagonal of 0. `gram` is X'X of likes;
    Gram matrices of side information may be added to it.
    """
    precision = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    weights: Matrix = -precision / np.diag(precision)
    np.fill_diagonal(weights, 0.0)
    return weights


def few_swipes_ridge(
    inputs: Matrix, targets: Matrix, side: Matrix, count: int, ridge: float
) -> tuple[Matrix, Matrix]:
    """Ridge of the likes left on `count` random swipes, in exact expectation over the draws.

    `inputs` are [dislikes, likes], shape (people, 2 n), `targets` likes, shape (people, n), `side`
    a Gram matrix of side information, shape (n, n). Of a person's swipes one is drawn with chance
    q, two together with q2, and one while another is left with q - q2. People with many swipes
    weigh less, by one over the square root. Gives weights (2 n, n) and an intercept (n,).
    """
    q, q2, counts = _draw_chances(inputs, count)
    people = counts**-0.5 / np.mean(counts**-0.5)
    once = (people * q) @ inputs
    gram = (inputs * (people * q2)[:, None]).T @ inputs
    np.fill_diagonal(gram, once)
    cross = (inputs * (people * (q - q2))[:, None]).T @ targets
    n = targets.shape[1]
    own = np.arange(n)
    cross[own, own] = cross[own + n, own] = 0.0  # A swiped film is never among those left.
    gram[n:, n:] += np.mean(people * q2) * side
    cross[n:] += np.mean(people * (q - q2)) * (side - np.diag(np.diag(side)))
    gram += ridge * np.eye(2 * n)
    system = np.block([[gram, once[:, None]], [once, people.sum()]])
    solved = np.linalg.solve(system, np.vstack([cross, (people * (1.0 - q)) @ targets]))
    return solved[:-1], solved[-1]


def swipe_moment(inputs: Matrix, count: int) -> Matrix:
    """Second moment of `count` random swipes over people, shape (2 n, 2 n), smoothed by 1/2."""
    q, q2, _ = _draw_chances(inputs, count)
    moment: Matrix = (inputs * q2[:, None]).T @ inputs
    np.fill_diagonal(moment, q @ inputs + 0.5)
    return moment


@dataclass(frozen=True)
class RidgeModel:
    """A linear model: ``weights`` (f, d) and ``intercept`` (d,)."""

    weights: Matrix
    intercept: Matrix

    def predict(self, features: Matrix) -> Matrix:
        """Targets of shape (n, d) for features of shape (n, f)."""
        predicted: Matrix = features @ self.weights + self.intercept
        return predicted


def fit_ridge(features: Matrix, targets: Matrix, ridge: float) -> RidgeModel:
    """Ridge regression with intercept of (n, d) targets on (n, f) features, in its dual form."""
    centre, mean = features.mean(axis=0), targets.mean(axis=0)
    rows = features - centre
    dual = np.linalg.solve(rows @ rows.T + ridge * np.eye(len(rows)), targets - mean)
    weights = rows.T @ dual
    return RidgeModel(weights, mean - centre @ weights)


def _draw_chances(inputs: Matrix, count: int) -> tuple[Matrix, Matrix, Matrix]:
    """For each person: chance of a swipe to be drawn, of two together, and number of swipes.

    At most 4 in 5 are drawn, so that something is left.
    """
    counts = np.maximum(inputs.sum(axis=1), 1.0)
    q = np.minimum(count / counts, 0.8)
    q2 = q * np.maximum(q * counts - 1.0, 0.0) / np.maximum(counts - 1.0, 1.0)
    return q, q2, counts
