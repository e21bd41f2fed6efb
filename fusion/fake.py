"""Encoders that need no model: feature hashing over words, and a blend of it with swipes."""

import hashlib
import math
import re
from collections.abc import Sequence

import numpy as np

from fusion.encoder import TextEncoder, Vectors
from fusion.errors import WrongDimension
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm

_WORD = re.compile(r"\w+")


class HashingEncoder:
    """The fake of the `TextEncoder` port, for tests: texts that share words are similar.

    Each distinct word adds +1 or -1 to one of `dim` buckets (Weinberger et al. 2009, "Feature
    hashing for large scale multitask learning"); equal on every machine and run. A text
    without a word maps to the first axis.
    """

    model_version = "hashing-1"
    remote = False

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


class BlendFusionEncoder:
    """The fake of the `FusionEncoder` port, untrained: words and swipes added up.

    The unit vector of: words + mean of liked films - half the mean of disliked films. It reads
    the latest 64 swipes; for someone else, they count half. Not calibrated.
    """

    max_swipes = 64
    remote = False

    def __init__(self, words: TextEncoder | None = None) -> None:
        """Embed the words with `words`, by default a `HashingEncoder`."""
        self._words = words or HashingEncoder()
        self.dim = self._words.dim
        self.model_version = f"blend-1-{self._words.model_version}"

    def fuse(self, asked: FusionInput) -> Fused:
        """Blend; see `FusionEncoder.fuse`."""
        for film in asked.swipes:
            if film.vector.shape != (self.dim,):
                raise WrongDimension(film.vector.size, self.dim)
        swipes = asked.swipes[-self.max_swipes :]
        taste = _mean(swipes, True, self.dim) - 0.5 * _mean(swipes, False, self.dim)
        weight = 0.5 if asked.for_someone_else else 1.0
        share = weight * len(swipes) / (len(swipes) + 5)
        wish_of_swipes: Vectors = (weight * taste).astype(np.float32)
        wish = weight * taste
        if asked.query.strip() or not wish.any():
            wish = wish + self._words.encode([asked.query])[0]
        else:
            share = 1.0
        vector: Vectors = (wish / (np.linalg.norm(wish) or 1.0)).astype(np.float32)
        return Fused(vector, wish_of_swipes, share, 1 - math.exp(-len(swipes) / 10))


def _mean(swipes: Sequence[SwipedFilm], liked: bool, dim: int) -> Vectors:
    """Mean vector of the films of one direction, shape (dim,); zeros without one."""
    vectors = [film.vector for film in swipes if film.liked is liked]
    mean: Vectors = np.mean(vectors, axis=0) if vectors else np.zeros(dim, np.float32)
    return mean
