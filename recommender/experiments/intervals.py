"""How sure figures over people are: 95 % intervals by bootstrap and by Wilson's score."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Interval = tuple[float, float]

SAMPLES = 10_000
Z = 1.959964  # the standard normal's 97.5th percentile


def mean_interval(values: Sequence[float], seed: int = 0, samples: int = SAMPLES) -> Interval:
    """Percentile bootstrap interval of the mean; one value a person (Efron & Tibshirani 1993)."""
    return _percentiles(_resampled_means(values, np.random.default_rng(seed), samples))


def lift_interval(
    ours: Sequence[float], theirs: Sequence[float], seed: int = 0, samples: int = SAMPLES
) -> Interval:
    """Percentile bootstrap interval of ``lift``; the groups are resampled independently."""
    rng = np.random.default_rng(seed)
    means = _resampled_means(ours, rng, samples), _resampled_means(theirs, rng, samples)
    return _percentiles(_relative(*means))


def lift(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How much higher our mean is, relative to theirs; infinite where theirs is 0."""
    return float(_relative(np.array([np.mean(ours)]), np.array([np.mean(theirs)]))[0])


def share_interval(wins: int, trials: int) -> Interval:
    """Wilson's score interval of a share; honest for few trials too (Wilson 1927)."""
    share = wins / trials
    shrunk = 1 + Z**2 / trials
    middle = (share + Z**2 / (2 * trials)) / shrunk
    half = Z / shrunk * math.sqrt(share * (1 - share) / trials + (Z / (2 * trials)) ** 2)
    return middle - half, middle + half


def _resampled_means(values: Sequence[float], rng: np.random.Generator, samples: int) -> Floats:
    """Means of resamples, shape (samples,): how often each distinct value was drawn says all."""
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    people = int(counts.sum())
    drawn = rng.multinomial(people, counts / people, size=samples)
    return np.asarray(drawn @ distinct / people)


def _relative(ours: Floats, theirs: Floats) -> Floats:
    gains = np.where(ours > theirs, np.inf, 0.0)
    np.divide(ours - theirs, theirs, out=gains, where=theirs > 0)
    return gains


def _percentiles(values: Floats) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5], method="nearest")
    return float(low), float(high)
