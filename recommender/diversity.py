"""Keeping an answer from repeating itself."""

from collections.abc import Sequence

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
    worth, closest = balance * relevance, np.zeros(len(relevance))
    for _ in range(min(k, len(relevance))):
        best = int((worth - (1 - balance) * closest).argmax())
        chosen.append(best)
        worth[best] = -np.inf
        np.maximum(closest, vectors @ vectors[best], out=closest)
    return chosen


def represented(
    order: Sequence[int], pool: NDArray[np.intp], member: NDArray[np.bool_], places: int
) -> list[int]:
    """The order with ``places`` places for each group, where the pool has as many.

    ``member`` (n, g) says which row is in which group; ``pool`` are rows, best first. A group that
    is short gets its best rows from the pool, each in the place of the last one that no group
    needs. The others keep their order, and who comes in stands where the other stood.
    """
    chosen = np.array(order, dtype=np.intp)
    for group in range(member.shape[1]):
        for row in pool[member[pool, group] & ~np.isin(pool, chosen)]:
            held = member[chosen].sum(axis=0)
            # Of each of its groups more are there than it needs.
            (spare,) = np.nonzero((~member[chosen] | (held > places)).all(axis=1))
            if held[group] >= places or not spare.size:
                break
            chosen[spare[-1]] = row
    return [int(row) for row in chosen]
