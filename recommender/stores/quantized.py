"""Vectors as bytes: a quarter of the memory to read, and known by how much they may be wrong."""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import simsimd
from numpy.typing import NDArray

Floats = NDArray[np.float32]

GREATEST, DEVIATIONS = 127, 6.0
AT_A_TIME = 10_000
ROUNDING = 1e-5
"""Of the product of two lengths: what adding hundreds of 32-bit floats may be wrong by."""


@dataclass(frozen=True)
class Quantized:
    """n vectors: row i is ``codes[i] * scales[i]`` but for a rest of length ``rests[i]``."""

    codes: NDArray[np.int8]
    """Shape (n, dim)."""
    scales: Floats
    """Shape (n,), as are the others."""
    rests: Floats
    lengths: Floats
    """Of the vectors as they are here, without the rest."""

    @classmethod
    def of(cls, vectors: Floats) -> Self:
        """Vectors of shape (n, dim), each by a scale of its own."""
        starts = range(0, max(len(vectors), 1), AT_A_TIME)
        parts = [_quantized(vectors[start : start + AT_A_TIME]) for start in starts]
        return cls(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def bounds(self, vector: Floats) -> tuple[Floats, Floats]:
        """Between which numbers the inner products with a vector (dim,) lie, shape (n,) each.

        The products with the rests are at most as large as these are long (Cauchy and Schwarz).
        What was rounded off points anywhere: then their standard deviation is that over the root
        of dim, and one in a thousand million lies `DEVIATIONS` of these away.
        """
        asked = type(self).of(vector[None])
        products = np.asarray(simsimd.dot(asked.codes[0], self.codes), dtype=np.float32)
        products = products.reshape(-1) * (self.scales * asked.scales)
        length = np.linalg.norm(vector)
        share = min(1.0, DEVIATIONS / math.sqrt(len(vector)))
        wrong = share * (self.rests * length + self.lengths * asked.rests)
        wrong += ROUNDING * length * self.lengths
        return products - wrong, products + wrong


def _quantized(vectors: Floats) -> tuple[NDArray[np.int8], Floats, Floats, Floats]:
    greatest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = np.where(greatest, greatest / GREATEST, 1.0).astype(np.float32)
    codes = np.rint(vectors / scales[:, None]).astype(np.int8)
    here = codes * scales[:, None]
    rests = np.linalg.norm(vectors - here, axis=1)
    return codes, scales, rests, np.linalg.norm(here, axis=1)
