"""A text encoder that knows again what it was asked lately."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from cachetools import LRUCache

from fusion.encoder import TextEncoder, Vectors

KEPT_TEXTS = 2000
"""Of 384 numbers each: 3 MB."""


class RememberingEncoder(TextEncoder):
    """A `TextEncoder` over another one, whose latest vectors it keeps. Thread-safe.

    What is made of one text is the same for everybody and every taste: who swipes and asks again,
    or asks why, waits for the rest of a fusion only.
    """

    def __init__(self, encoder: TextEncoder, most: float = KEPT_TEXTS) -> None:
        """``most`` says how many texts are kept; infinitely many can be."""
        self._encoder = encoder
        self.remote = encoder.remote
        self._kept: LRUCache[str, Vectors] = LRUCache(most)
        self._lock = Lock()

    @property
    def model_version(self) -> str:
        """The encoder's."""
        return self._encoder.model_version

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`; see `TextEncoder.encode`."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        if missing := list(dict.fromkeys(text for text in texts if text not in known)):
            known |= zip(missing, self._encoder.encode(missing), strict=True)
            with self._lock:
                self._kept.update(known)
        return np.array([known[text] for text in texts], np.float32).reshape(-1, self.dim)
