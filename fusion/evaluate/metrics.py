"""How good a ranking is, per case, and how sure the mean of it is."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ndcg(hits: NDArray[np.bool_], relevant: NDArray[np.int64], k: int = 10) -> Floats:
    """Normalised discounted cumulative gain at `k` with binary gains, shape (cases,).

    `hits` (cases, >= k) says which of the ranked films are relevant, `relevant` (cases,) how many
    there are, at least one. Gain 1 / log2(rank + 1) (Järvelin & Kekäläinen 2002).
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    gains: Floats = hits[:, :k] @ discount / ideal
    return gains


def recall(hits: NDArray[np.bool_], relevant: NDArray[np.int64], k: int = 20) -> Floats:
    """Share of the relevant films among the first `k`, shape (cases,)."""
    shares: Floats = hits[:, :k].sum(axis=1) / relevant
    return shares


def coverage(top: NDArray[np.int64], candidates: int) -> float:
    """Share of the candidates that are in anyone's list; `top` has shape (cases, k)."""
    return len(np.unique(top)) / candidates


def novelty(top: NDArray[np.int64], raters: NDArray[np.int64], people: int) -> Floats:
    """Mean self-information of each list in bits, -log2((raters + 1) / (people + 1)).

    `raters` (n_items,) counts the training people who rated a film (Zhou et al. 2010, smoothed so
    that a film without ratings counts).
    """
    bits = -np.log2((raters + 1) / (people + 1))
    means: Floats = bits[top].mean(axis=1)
    return means


def diversity(top: NDArray[np.int64], genres: NDArray[np.bool_]) -> Floats:
    """Mean Jaccard distance of genres over the pairs of each list (Ziegler et al. 2005).

    `top` has shape (cases, k), `genres` (n_items, n_genres). Two films without genre are equal.
    """
    sets = genres[top].astype(np.float64)
    shared = sets @ sets.transpose(0, 2, 1)
    sizes = sets.sum(axis=2)
    union = sizes[:, :, None] + sizes[:, None, :] - shared
    similarity = np.divide(shared, union, out=np.ones_like(shared), where=union > 0)
    first, second = np.triu_indices(top.shape[1], 1)
    means: Floats = 1.0 - similarity[:, first, second].mean(axis=1)
    return means


def interval(values: Floats, samples: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap percentile interval of the mean of `values`, one value a person."""
    return _percentiles(_bootstrap(values[:, None], samples, seed)[:, 0])


def ratio_interval(sums: Floats, counts: Floats, samples: int = 10_000, seed: int = 0) -> Floats:
    """Mean over all that was counted and its 95 % interval: (mean, low, high).

    ``sums`` and ``counts`` are by person, who are resampled whole: what one person's figures have
    in common counts once.
    """
    means = _bootstrap(np.column_stack([sums, counts]), samples, seed)
    ratios = np.divide(means[:, 0], means[:, 1], out=np.zeros(samples), where=means[:, 1] > 0)
    return np.array([sums.sum() / max(counts.sum(), 1.0), *_percentiles(ratios)])


def lift(ours: Floats, theirs: Floats, samples: int = 10_000, seed: int = 0) -> Floats:
    """Relative gain of the mean and its 95 % interval, paired by person: (gain, low, high).

    Infinite where their mean is 0.
    """
    means = _bootstrap(np.column_stack([ours, theirs]), samples, seed)
    low, high = _percentiles(_relative(means[:, 0], means[:, 1]))
    return np.array([*_relative(ours.mean(keepdims=True), theirs.mean(keepdims=True)), low, high])


def randomisation(ours: Floats, theirs: Floats, samples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of the difference of means, paired by person: Fisher's randomisation test.

    How often a difference as large comes of swapping each person's two values at random (Smucker
    et al. 2007); at least 1 / (samples + 1).
    """
    differences = ours - theirs
    signs = _signs(len(differences), samples, seed)
    # Sums of the same numbers in another order differ in their last digits.
    as_large = np.abs(signs @ differences) >= np.abs(differences.sum()) - 1e-9
    return (1 + int(as_large.sum())) / (1 + samples)


@lru_cache(maxsize=4)
def _signs(people: int, samples: int, seed: int) -> Floats:
    return np.random.default_rng(seed).choice((-1.0, 1.0), size=(samples, people))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of one family of tests adjusted for their number (Holm 1979)."""
    p = np.array(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return list(map(float, adjusted))


def _relative(ours: Floats, theirs: Floats) -> Floats:
    gains = np.full_like(ours, np.inf)
    np.divide(ours - theirs, theirs, out=gains, where=theirs > 0)
    return gains


def _bootstrap(values: Floats, samples: int, seed: int) -> Floats:
    """Column means of `samples` resamples of the rows, shape (samples, columns)."""
    means: Floats = _resampling(len(values), samples, seed) @ values
    return means


@lru_cache(maxsize=4)
def _resampling(rows: int, samples: int, seed: int) -> Floats:
    """The share of each row in each resample, shape (samples, rows)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(rows, np.full(rows, 1.0 / rows), size=samples) / rows


def _percentiles(means: Floats) -> tuple[float, float]:
    low, high = np.percentile(means, [2.5, 97.5], method="nearest")
    return float(low), float(high)
