"""Linear fusion: swipes become one vector whose inner product with the films' vectors ranks them.

All of it is in closed form: two ridge regressions learn how a swipe moves the score of every film,
and a truncated eigenbasis turns their sum into 384 numbers a film and 384 numbers a swipe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import Vectors
from fusion.errors import FusionError
from fusion.regression import Matrix, ease, few_swipes_ridge, ridge_prediction, swipe_moment

DIM = 384
BIAS, POPULARITY = DIM - 2, DIM - 1
"""The last two numbers of a vector: the regression's intercept, and plain popularity."""


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

    gamma: float = 0.15
    """Coverage: rated films' vectors are scaled by ((likes + 10) / 60) ** -gamma."""
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
    """Number of swipes whose scores the 384 numbers keep best."""
    text_share: float = 0.3
    """Share of the texts' similarity in choosing the basis, against 1 for the scores."""
    unrated_ridge: float = 30.0
    unrated_text: float = 3.0
    """Scale of texts against facts where vectors of unrated films are predicted."""


@dataclass(frozen=True)
class LinearFusion:
    """Item vectors, shape (n, 384), and what each swipe adds to the person's vector.

    `swipe_map` has shape (2, n, 384): dislikes first, then likes. `rated` has shape (n,).
    """

    items: Vectors
    swipe_map: Vectors
    rated: NDArray[np.bool_]

    def fuse(self, swipes: Mapping[int, bool]) -> Vectors:
        """The person's vector, shape (384,); `items @ vector` ranks the films.

        `swipes` says for each film by index whether it was liked. Swipes on unrated films teach
        nothing; with no other, the vector asks for the most liked films.

        Raises:
            FusionInputUnusable: a swiped film is not among the films.
        """
        unknown = [item for item in swipes if not 0 <= item < len(self.items)]
        if unknown:
            raise FusionInputUnusable(
                f"Films {unknown} are unknown: {len(self.items)} were fitted."
            )
        heard = [item for item in swipes if self.rated[item]]
        vector: Vectors = np.zeros(DIM, dtype=np.float32)
        if not heard:
            vector[POPULARITY] = 1.0
            return vector
        vector += self.swipe_map[[int(swipes[item]) for item in heard], heard].sum(axis=0)
        vector[BIAS] = 1.0
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
    centred = np.asarray(texts, dtype=np.float64) - np.mean(texts, axis=0, dtype=np.float64)
    facts = np.asarray(facts, dtype=np.float64)
    known, swipes = _fit_rated(reactions.of(rated), centred[rated], facts[rated], settings)
    features = np.hstack([settings.unrated_text * centred, facts])
    items = ridge_prediction(features, rated, known, settings.unrated_ridge)
    items[rated] = known
    swipe_map = np.zeros((2, len(rated), DIM))
    swipe_map[:, rated] = swipes
    return LinearFusion(items.astype(np.float32), swipe_map.astype(np.float32), rated)


def _fit_rated(
    reactions: Reactions, texts: Matrix, facts: Matrix, settings: Settings
) -> tuple[Matrix, Matrix]:
    """Item vectors (n, 384) and swipe map (2, n, 384) of rated films."""
    by_text = texts @ texts.T
    weights, intercept = _regress(reactions, by_text, facts @ facts.T, settings)
    moment = swipe_moment(reactions.inputs, settings.typical_swipes)
    basis = _basis(weights.T @ moment @ weights, by_text, settings.text_share)
    n, rank = basis.shape
    likes = reactions.likes.sum(axis=0)
    items = np.zeros((n, DIM))
    items[:, :rank] = basis
    items[:, BIAS] = intercept
    items *= ((likes + 10.0) / 60.0)[:, None] ** -settings.gamma
    items[:, POPULARITY] = likes / 100.0
    swipes = np.zeros((2, n, DIM))
    swipes[..., :rank] = (weights @ basis).reshape(2, n, rank)
    return items, swipes


def _regress(
    reactions: Reactions, by_text: Matrix, by_facts: Matrix, settings: Settings
) -> tuple[Matrix, Matrix]:
    """Sum of both regressions: weights of [dislikes, likes], shape (2 n, n), intercept (n,).

    Gram matrices of texts and facts are added to that of likes, as if each text dimension and
    each fact were one more person who liked the films that have it.
    """
    by_words = settings.text * by_text
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
    return weights, intercept


def _basis(scores: Matrix, by_text: Matrix, text_share: float) -> Matrix:
    """Leading eigenvectors, shape (n, at most 382), of the scores' second moment over typical
    swipes plus a share of the texts' Gram matrix, each at trace one, so that words still match.
    """
    _, vectors = np.linalg.eigh(_unit_trace(scores) + text_share * _unit_trace(by_text))
    leading: Matrix = vectors[:, ::-1][:, :BIAS]
    return leading


def _unit_trace(matrix: Matrix) -> Matrix:
    trace = float(np.trace(matrix))
    return matrix / trace if trace > 0 else matrix
