"""A text encoder that needs no model: feature hashing over words."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from fusion.encoder import Vectors

_WORD = re.compile(r"\w+")


class HashingEncoder:
    """The fake of the `TextEncoder` port, for tests: texts that share words are similar.

    Each distinct word adds +1 or -1 to one of `dim` buckets (Weinberger et al. 2009, "Feature
    hashing for large scale multitask learning"); equal on every machine and run. A text
    without a word maps to the first axis.
    """

    model_version = "hashing-1"

    def __init__(self, dim: int = 384) -> None:
        self.dim = dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts` as unit rows, shape (len(texts), dim)."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in set(_WORD.findall(text.casefold())):
                bucket, sign = self._hash(word)
                row[bucket] += sign
            if not row.any():
                row[0] = 1.0
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def _hash(self, word: str) -> tuple[int, int]:
        digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
        number = int.from_bytes(digest, "little")
        return (number >> 1) % self.dim, 1 if number & 1 else -1
