"""Three ways to turn swiped films into one direction in the embedding space.

All take centred item vectors (the catalogue's mean taken out) and return a unit vector, or None
when there is nothing to learn from.
"""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Vector = NDArray[np.float32]

DISLIKE_SHARE = 0.5
RIDGE = 1.0
MOST_NEWTON_STEPS, CLOSE = 6, 1e-2
"""A step by less than this share of the weights is the last: what is left is about its square, and
the direction is the same to 1 in 10 million."""


def unit(vector: Vector) -> Vector | None:
    """The vector at length one; None for (almost) nothing."""
    length = float(np.linalg.norm(vector))
    return None if length < 1e-6 else (vector / length).astype(np.float32)


def centroid(liked: Matrix, disliked: Matrix) -> Vector | None:
    """Mean of likes minus half the mean of dislikes (Rocchio 1971, with beta = 1, gamma = 0.5)."""
    return weighted_centroid(liked, disliked, np.ones(len(liked)), np.ones(len(disliked)))


def weighted_centroid(
    liked: Matrix,
    disliked: Matrix,
    like_weights: NDArray[np.float64],
    dislike_weights: NDArray[np.float64],
) -> Vector | None:
    """The same with a weight per swipe, as recency gives."""
    total = np.zeros(liked.shape[1] if liked.size else disliked.shape[1], dtype=np.float64)
    if like_weights.sum() > 0:
        total += like_weights @ liked / like_weights.sum()
    if dislike_weights.sum() > 0:
        total -= DISLIKE_SHARE * (dislike_weights @ disliked) / dislike_weights.sum()
    return unit(total.astype(np.float32))


def contrastive(liked: Matrix, disliked: Matrix) -> Vector | None:
    """The normal of the ridge-regularised logistic boundary between likes and the rest.

    The catalogue's mean (the origin) stands in as one more negative of weight one, so that likes
    alone suffice. Solved in the span of the swipes while these are fewer than the dimensions.
    """
    if not len(liked):
        return None if not len(disliked) else unit(-disliked.mean(axis=0))
    films = np.vstack([liked, disliked]).astype(np.float64)
    if len(films) > films.shape[1]:
        normal = _boundary(films, np.eye(films.shape[1]), len(liked))
    else:
        gram = films @ films.T
        normal = _boundary(gram, gram, len(liked)) @ films
    return unit(normal.astype(np.float32))


def _boundary(
    features: NDArray[np.float64], penalty: NDArray[np.float64], likes: int
) -> NDArray[np.float64]:
    """Weights (d,) of the n films' features (n, d), of which the first ``likes`` are liked, by
    Newton's method; ``penalty`` (d, d) is what the ridge makes of their squares.
    """
    n, d = features.shape
    design = _framed(features)
    design[:, -1] = 1.0
    target = (np.arange(n + 1) < likes).astype(np.float64)
    penalty = RIDGE * _framed(penalty) + 1e-4 * np.eye(d + 1)
    weights = np.zeros(d + 1)
    for _ in range(MOST_NEWTON_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (chance - target) + penalty @ weights
        scaled = design * np.sqrt(chance * (1 - chance))[:, None]
        step = np.linalg.solve(scaled.T @ scaled + penalty, gradient)
        weights -= step
        if np.linalg.norm(step) < CLOSE * np.linalg.norm(weights):
            break
    return weights[:-1]


def _framed(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """With one more row and one more column of zeros."""
    framed = np.zeros((matrix.shape[0] + 1, matrix.shape[1] + 1))
    framed[:-1, :-1] = matrix
    return framed
