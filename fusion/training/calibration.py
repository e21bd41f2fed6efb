"""Fitting influence and confidence to what happens to people the model was not trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import Vectors
from fusion.fusion_encoder import FusionInput
from fusion.onnx_fusion import Logistic, features
from fusion.training.examples import Example

FIRST, SHOWN = 3, 10
RIDGE = 1.0
ROUNDS = 30

Fuse = Callable[[FusionInput], tuple[Vectors, Vectors]]
"""Taste and words, shape (384,) each, for one request."""


@dataclass(frozen=True)
class Observed:
    """For m requests: features (m, 6), share of the first ten films that the swipes changed (m,),
    and whether one of the first three was liked (m,).
    """

    features: NDArray[np.float64]
    changed: NDArray[np.float64]
    hit: NDArray[np.float64]

    def half(self, which: int) -> "Observed":
        """Every second request."""
        return Observed(self.features[which::2], self.changed[which::2], self.hit[which::2])


def observe(
    fuse: Fuse, asked: Sequence[FusionInput], examples: Sequence[Example], items: Vectors
) -> Observed:
    """Answer each request with and without its swipes, over all films not swiped."""
    rows = [_one(fuse, *pair, items) for pair in zip(asked, examples, strict=True)]
    told, changed, hit = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return Observed(told, changed, hit)


def fit_logistic(told: NDArray[np.float64], outcome: NDArray[np.float64]) -> Logistic:
    """Logistic regression with a ridge, by Newton's method; outcomes may be shares, 0..1."""
    weights = np.zeros(told.shape[1])
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(told @ weights, -30, 30)))
        slope = told.T @ (outcome - chance) - RIDGE * weights
        curve = (told * (chance * (1 - chance))[:, None]).T @ told + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return Logistic(weights=tuple(round(float(w), 6) for w in weights))


def _one(
    fuse: Fuse, asked: FusionInput, example: Example, items: Vectors
) -> tuple[Vectors, float, float]:
    taste, words = fuse(asked)
    without = sum(fuse(replace(asked, swipes=())))
    swiped = [swipe.item for swipe in example.swipes]
    ranked, impersonal = (_ranked(items @ vector, swiped) for vector in (taste + words, without))
    changed = 1 - len(set(ranked) & set(impersonal)) / SHOWN
    hit = float(example.liked[ranked[:FIRST]].any())
    told = features(float(np.linalg.norm(taste)), float(np.linalg.norm(words)), asked)
    return told, changed, hit


def _ranked(scores: Vectors, swiped: Sequence[int]) -> list[int]:
    scores = scores.copy()
    scores[list(swiped)] = -np.inf
    best: list[int] = np.argsort(-scores)[:SHOWN].tolist()
    return best
