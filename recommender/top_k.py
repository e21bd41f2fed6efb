"""The best of many, without sorting the rest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def top_k(scores: NDArray[Any], k: int) -> NDArray[np.intp]:
    """Places of the ``k`` highest of n scores, highest first; of equal ones the earlier first."""
    rest = len(scores) - k
    if rest <= 0:
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, rest)[rest]
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")[:k]]
