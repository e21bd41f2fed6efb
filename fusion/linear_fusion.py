"""Linear fusion: swipes become one vector whose inner product with the films' vectors ranks them.

All of it is in closed form: two ridge regressions learn how a swipe moves the score of every film,
and a truncated eigenbasis turns their sum into 384 numbers a film. What a swipe adds to the
person's vector is a linear map of the swiped film's own vector, one for likes, one for dislikes, so
whoever has the films' vectors can fuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import Vectors
from fusion.errors import FusionError
from fusion.regression import (
    Matrix,
    RidgeModel,
    ease,
    few_swipes_ridge,
    fit_ridge,
    swipe_moment,
)

DIM = 384
RANK, BIAS, POPULARITY = DIM - 2, DIM - 2, DIM - 1
"""The basis has RANK numbers; then the regression's intercept and popularity follow."""


class FusionInputUnusable(FusionError):
    """The films, reactions or swipes given do not fit together; the message says which."""


@dataclass(frozen=True)
class Reactions:
    """What people think of films: three arrays of bool, shape (people, n), no two true at once."""

    likes: NDArray[np.bool_]
    dislikes: NDArray[np.bool_]
    neutral: NDArray[np.bool_]

    @property
    def rated(self) -> NDArray[np.bool_]:
        """Which films have a reaction at all, shape (n,)."""
        return np.asarray((self.likes | self.dislikes | self.neutral).any(axis=0))

    @property
    def inputs(self) -> Matrix:
        """Swipes as [dislikes, likes], shape (people, 2 n)."""
        return np.hstack([self.dislikes, self.likes]).astype(np.float64)

    def liking(self, neutral: float) -> Matrix:
        """1 for a like, `neutral` for a neutral rating, else 0; shape (people, n)."""
        return np.asarray(self.likes + neutral * self.neutral, dtype=np.float64)

    def of(self, films: NDArray[np.bool_]) -> "Reactions":
        """The reactions to some of the films only."""
        return Reactions(self.likes[:, films], self.dislikes[:, films], self.neutral[:, films])


@dataclass(frozen=True, slots=True)
class Settings:
    """Weights of the parts; the defaults suit hundreds of people with about a hundred ratings."""

    text: float = 15.0
    """How many people's likes the films' texts are worth, in both regressions."""
    ease_ridge: float = 700.0
    ease_facts: float = 2.0
    ease_neutral: float = 0.5
    """What a neutral rating is worth of a like."""
    ease_weight: float = 8.0
    """Weight of EASE against the few-swipes ridge."""
    few_swipes: int = 5
    few_ridge: float = 4.0
    few_facts: float = 1.0
    few_neutral: float = 0.3
    typical_swipes: int = 20
    """Number of swipes whose scores the basis keeps best."""
    text_share: float = 0.3
    facts_share: float = 0.1
    """Shares of the texts' and the facts' similarity in choosing the basis, against 1 for the
    scores, so that words still match."""
    map_ridge: float = 1e-3
    unrated_ridge: float = 10.0
    unrated_text: float = 3.0
    """Scale of texts against facts where vectors of unrated films are predicted."""


@dataclass(frozen=True)
class Regression:
    """How swipes move scores: weights of [dislikes, likes], shape (2 n, n), intercept (n,)."""

    weights: Matrix
    intercept: Matrix


@dataclass(frozen=True)
class LinearFusion:
    """Item vectors, shape (n, 384): basis, intercept, standardised logarithm of likes.

    ``taste_maps`` (2, 382, 382) turn a swiped film's basis numbers into what a dislike and a like
    of it add to the person's vector. ``projection`` makes the vector of any film from its texts
    and facts; it made those of the films without a reaction.
    """

    items: Vectors
    taste_maps: Vectors
    projection: RidgeModel

    def fuse(self, swipes: Mapping[int, bool], explore: float = 0.0) -> Vectors:
        """The person's vector, shape (384,); ``items @ vector`` ranks the films.

        ``swipes`` says for each film by index whether it was liked; with none the vector asks for
        the most liked films. ``explore`` takes so many standard deviations of the taste's scores
        off for each one of popularity: 0 exploits, 0.5 shows half as many films again.

        Raises:
            FusionInputUnusable: a swiped film is not among the films.
        """
        unknown = [item for item in swipes if not 0 <= item < len(self.items)]
        if unknown:
            raise FusionInputUnusable(
                f"Films {unknown} are unknown: {len(self.items)} were fitted."
            )
        vector: Vectors = np.zeros(DIM, dtype=np.float32)
        if not swipes:
            vector[POPULARITY] = 1.0
            return vector
        for item, liked in swipes.items():
            vector[:RANK] += self.items[item, :RANK] @ self.taste_maps[int(liked)]
        vector[BIAS] = 1.0
        spread = float(np.std(self.items[:, :RANK] @ vector[:RANK]))
        vector[POPULARITY] = -explore * spread
        return vector


def fit_linear_fusion(
    reactions: Reactions,
    texts: NDArray[Any],
    facts: NDArray[Any],
    settings: Settings | None = None,
) -> LinearFusion:
    """Learn from people's reactions, the films' text vectors (n, d) and their facts (n, f).

    Films without a reaction get their vector by ridge regression of the rated films' vectors on
    texts and facts. Deterministic.

    Raises:
        FusionInputUnusable: the arrays disagree on n, or no film is rated.
    """
    settings = settings or Settings()
    rated = reactions.rated
    if not len(rated) == len(texts) == len(facts):
        raise FusionInputUnusable(
            f"Reactions to {len(rated)} films, texts of {len(texts)}, facts of {len(facts)}."
        )
    if not rated.any():
        raise FusionInputUnusable("No film has a reaction to learn from.")
    side = SideInformation(texts, facts, settings)
    known = reactions.of(rated)
    regression = regress(known, side.of(rated), settings)
    vectors = _item_vectors(known, regression, side.of(rated), settings)
    projection = fit_ridge(side.features[rated], vectors, settings.unrated_ridge)
    items = projection.predict(side.features)
    items[rated] = vectors
    maps = taste_maps(known, regression, vectors[:, :RANK], settings)
    return LinearFusion(items.astype(np.float32), maps, projection)


class SideInformation:
    """What is known of n films beside reactions."""

    def __init__(self, texts: NDArray[Any], facts: NDArray[Any], settings: Settings) -> None:
        self._texts = np.asarray(texts, dtype=np.float64)
        self._facts = np.asarray(facts, dtype=np.float64)
        self._settings = settings

    def of(self, films: NDArray[np.bool_]) -> "SideInformation":
        """Some of the films only."""
        return SideInformation(self._texts[films], self._facts[films], self._settings)

    @property
    def features(self) -> Matrix:
        """Texts, scaled, and facts, shape (n, d + f)."""
        return np.hstack([self._settings.unrated_text * self._texts, self._facts])

    @property
    def by_text(self) -> Matrix:
        """Gram matrix of the centred texts, shape (n, n)."""
        centred = self._texts - self._texts.mean(axis=0)
        gram: Matrix = centred @ centred.T
        return gram

    @property
    def by_facts(self) -> Matrix:
        """Gram matrix of the facts, shape (n, n)."""
        gram: Matrix = self._facts @ self._facts.T
        return gram


def regress(reactions: Reactions, side: SideInformation, settings: Settings) -> Regression:
    """Sum of EASE and the few-swipes ridge.

    Gram matrices of texts and facts are added to that of likes, as if each text dimension and
    each fact were one more person who liked the films that have it.
    """
    by_words, by_facts = settings.text * side.by_text, side.by_facts
    weights, intercept = few_swipes_ridge(
        reactions.inputs,
        reactions.liking(settings.few_neutral),
        by_words + settings.few_facts * by_facts,
        settings.few_swipes,
        settings.few_ridge,
    )
    liking = reactions.liking(settings.ease_neutral)
    gram = liking.T @ liking + by_words + settings.ease_facts * by_facts
    weights[len(gram) :] += settings.ease_weight * ease(gram, settings.ease_ridge)
    return Regression(weights, intercept)


def taste_maps(
    reactions: Reactions, regression: Regression, basis: Matrix, settings: Settings
) -> Vectors:
    """Maps of shape (2, r, r) from a film's basis numbers (n, r) to those of its swipes' scores.

    Ridge regression in which a film counts by how often it was swiped so.
    """
    rank = basis.shape[1]
    maps = np.empty((2, rank, rank))
    for k, swiped in enumerate((reactions.dislikes, reactions.likes)):
        weights = np.split(regression.weights, 2)[k]
        weight = swiped.sum(axis=0) + 1.0
        weighted = basis * (weight / weight.mean())[:, None]
        gram = weighted.T @ basis + settings.map_ridge * np.eye(rank)
        maps[k] = np.linalg.solve(gram, weighted.T @ (weights @ basis))
    return maps.astype(np.float32)


def _item_vectors(
    reactions: Reactions, regression: Regression, side: SideInformation, settings: Settings
) -> Matrix:
    """Vectors of rated films, shape (n, 384)."""
    moment = swipe_moment(reactions.inputs, settings.typical_swipes)
    scores = regression.weights.T @ moment @ regression.weights
    shared = settings.text_share * _unit_trace(side.by_text)
    shared = shared + settings.facts_share * _unit_trace(side.by_facts)
    _, basis = np.linalg.eigh(_unit_trace(scores) + shared)
    leading = basis[:, ::-1][:, :RANK]
    vectors = np.zeros((len(leading), DIM))
    vectors[:, : leading.shape[1]] = leading
    vectors[:, BIAS] = regression.intercept
    vectors[:, POPULARITY] = _standardised(np.log1p(reactions.likes.sum(axis=0)))
    return vectors


def _standardised(values: Matrix) -> Matrix:
    moved: Matrix = (values - values.mean()) / max(float(values.std()), 1e-9)
    return moved


def _unit_trace(matrix: Matrix) -> Matrix:
    trace = float(np.trace(matrix))
    return matrix / trace if trace > 0 else matrix
