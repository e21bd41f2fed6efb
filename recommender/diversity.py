"""Keeping an answer from repeating itself."""

import numpy as np
from numpy.typing import NDArray


def mmr(
    relevance: NDArray[np.float64], vectors: NDArray[np.float32], k: int, balance: float
) -> list[int]:
    """Maximal marginal relevance: greedily take the row with the highest
    ``balance * relevance - (1 - balance) * max cosine to what was taken``.

    ``relevance`` shape (n,), scaled to 0..1; ``vectors`` shape (n, dim), unit rows. Returns up to k
    row numbers, best first (Carbonell & Goldstein 1998).
    """
    chosen: list[int] = []
    closest = np.zeros(len(relevance))
    open_rows = np.ones(len(relevance), dtype=bool)
    for _ in range(min(k, len(relevance))):
        gain = np.where(open_rows, balance * relevance - (1 - balance) * closest, -np.inf)
        best = int(np.argmax(gain))
        chosen.append(best)
        open_rows[best] = False
        closest = np.maximum(closest, vectors @ vectors[best])
    return chosen
