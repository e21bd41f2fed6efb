"""Whether a confidence means what it says: predicted chances against what happened."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959964


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same height: their mean, the share that came true, its interval."""

    predicted: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Reliability:
    """The reliability curve, without empty bins, and two figures for it.

    ``ece``: the mean distance of predicted and observed over all predictions, by bin (Naeini et
    al. 2015). ``brier``: the mean square of predicted less observed (Brier 1950).
    """

    bins: tuple[Bin, ...]
    ece: float
    brier: float


def reliability(predicted: ArrayLike, observed: ArrayLike, bins: int = 10) -> Reliability:
    """Hold predicted chances, shape (n,) in 0..1, against outcomes, shape (n,), each 0 or 1.

    Bins are of equal width.

    Raises:
        ValueError: the shapes differ, nothing is predicted, or a value is out of range.
    """
    chances = np.asarray(predicted, dtype=np.float64)
    came_true = np.asarray(observed, dtype=np.float64)
    if chances.ndim != 1 or chances.shape != came_true.shape or not len(chances):
        raise ValueError(f"Predicted {chances.shape} and observed {came_true.shape} do not pair.")
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError("A predicted chance is not in 0..1.")
    if not np.isin(came_true, (0.0, 1.0)).all():
        raise ValueError("An observed outcome is neither 0 nor 1.")
    place = np.minimum((chances * bins).astype(np.int64), bins - 1)
    found = tuple(_bin(chances[place == k], came_true[place == k]) for k in np.unique(place))
    distances = [one.count * abs(one.predicted - one.observed) for one in found]
    brier = float(np.mean((chances - came_true) ** 2))
    return Reliability(found, sum(distances) / len(chances), brier)


def markdown(result: Reliability) -> str:
    """The curve as a Markdown table, with the two figures below."""
    rows = [
        f"| {one.predicted:.3f} | {one.observed:.3f} [{one.low:.3f}, {one.high:.3f}] "
        f"| {one.count:,} |"
        for one in result.bins
    ]
    head = ["| predicted | observed | count |", "| --- | --- | --- |"]
    figures = f"Expected calibration error {result.ece:.3f}, Brier score {result.brier:.3f}."
    return "\n".join([*head, *rows, "", figures])


def _bin(chances: NDArray[np.float64], came_true: NDArray[np.float64]) -> Bin:
    share, count = float(came_true.mean()), len(chances)
    low, high = wilson(share, count)
    return Bin(float(chances.mean()), share, low, high, count)


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share of `count` (Wilson 1927)."""
    spread = Z95**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * np.sqrt(share * (1 - share) / count + spread / (4 * count))
    low, high = float(middle - half), float(middle + half)
    # At 0 and 1 the bound is the share itself, but for the last digit.
    return max(0.0, min(low, share)), min(1.0, max(high, share))
