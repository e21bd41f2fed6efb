"""The text encoder port: what the rest of the product asks of any model that embeds text."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class TextEncoder(Protocol):
    """Turns texts into unit vectors whose dot product is their similarity."""

    remote: bool = False
    """Whether calls wait for another machine; the others compute in this process."""

    @property
    def model_version(self) -> str:
        """Name and version of the model; vectors of different versions do not compare."""

    @property
    def dim(self) -> int:
        """Length of each vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`.

        Any string is accepted, the empty one too; long ones are cut at the model's limit.
        Deterministic and safe to call from many threads.

        Returns:
            float32 array of shape (len(texts), dim), each row of Euclidean length 1.

        Raises:
            EncoderUnavailable: no vectors can be had now.
        """
