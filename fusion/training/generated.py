"""Ratings drawn from a model that was fitted to real ones: to measure what many more cost.

How many films each person rates, and when, is as one real person did. Which films is drawn by
popularity and by the person's liking; the ratings are what a factor model expects, and noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.protocol import Interactions, Rating

RANK = 16
ROUNDS = 6
SHRINK = 8.0
"""Taken off each singular value in a round: what fewer people's ratings speak for is left out."""
PRIOR = 10.0
"""Mean ratings that join each film's and each person's own."""
APART = 0.1
"""The share of the ratings that tell how far off the others' expectations are."""
PULL = 8.0
"""How much liking decides what is rated, beside popularity: at 1 the second and third principal
component of likes hold a third of the share of the variance that they hold in MovieLens small, at 8
more than half."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class RatingModel:
    """``tastes`` (people, r) times ``films`` (n, r) and a film's ``means`` are expected ratings.

    ``popularity`` (n,) is the logarithm of how many rated each film, ``noise`` the standard
    deviation of ratings around what is expected, ``moments`` when each person rated.
    """

    tastes: Matrix
    films: Matrix
    means: Matrix
    popularity: Matrix
    noise: float
    moments: Sequence[NDArray[np.int64]]

    def draw(self, ratings: int, seed: int = 0) -> Interactions:
        """Exactly so many ratings, by as many people as they take."""
        rng = np.random.default_rng(seed)
        mean, covariance = self.tastes.mean(axis=0), np.cov(self.tastes, rowvar=False)
        by_user: dict[int, list[Rating]] = {}
        left = ratings
        while left:
            moments = self.moments[int(rng.integers(len(self.moments)))][:left]
            taste = rng.multivariate_normal(mean, covariance, method="eigh")
            by_user[len(by_user) + 1] = self._rated(taste, moments, rng)
            left -= len(moments)
        return Interactions(len(self.films), by_user)

    def _rated(
        self, taste: Matrix, moments: NDArray[np.int64], rng: np.random.Generator
    ) -> list[Rating]:
        liking = self.films @ taste
        # The largest of logarithms with Gumbel noise are a draw without replacement.
        keys = self.popularity + PULL * liking + rng.gumbel(size=len(liking))
        items = np.argsort(-keys)[: len(moments)]
        expected = self.means[items] + liking[items] + self.noise * rng.standard_normal(len(items))
        values = np.clip(np.round(2 * expected) / 2, 0.5, 5.0)
        return [
            Rating(int(items[k]), float(values[k]), int(moment))
            for k, moment in zip(rng.permutation(len(items)), moments, strict=True)
        ]


def fit_rating_model(everyone: Interactions) -> RatingModel:
    """Soft-impute (Mazumder et al. 2010) of what means of films and people leave unexplained."""
    values = np.full((len(everyone.by_user), everyone.n_items), np.nan)
    for row, ratings in enumerate(everyone.by_user.values()):
        values[row, [rating.item for rating in ratings]] = [rating.value for rating in ratings]
    seen = ~np.isnan(values)
    overall = values[seen].mean()
    means = overall + _damped(np.where(seen, values - overall, 0), seen, axis=0)
    habits = _damped(np.where(seen, values - means, 0), seen, axis=1)
    rest = np.where(seen, values - means - habits[:, None], 0)
    apart = seen & (np.random.default_rng(0).random(seen.shape) < APART)
    tastes, films = _factors(rest, seen & ~apart)
    return RatingModel(
        tastes=np.column_stack([tastes, habits]),
        films=np.column_stack([films, np.ones(everyone.n_items)]),
        means=means,
        popularity=np.log(seen.sum(axis=0) + 0.5),
        noise=float((rest - tastes @ films.T)[apart].std()),
        moments=[
            np.array([rating.timestamp for rating in ratings])
            for ratings in everyone.by_user.values()
        ],
    )


def _factors(rest: Matrix, seen: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """People (p, r) and films (n, r) whose products are the seen part of ``rest``, smoothed."""
    tastes, films = np.zeros((len(rest), RANK)), np.zeros((rest.shape[1], RANK))
    for _ in range(ROUNDS):
        filled = np.where(seen, rest, tastes @ films.T)
        squares, vectors = np.linalg.eigh(filled.T @ filled)
        sizes, films = np.sqrt(np.maximum(squares[-RANK:], 1e-9)), vectors[:, -RANK:]
        tastes = filled @ films * np.maximum(1 - SHRINK / sizes, 0)
    return tastes, films


def _damped(rests: Matrix, seen: NDArray[np.bool_], axis: int) -> Matrix:
    means: Matrix = rests.sum(axis=axis) / (seen.sum(axis=axis) + PRIOR)
    return means
