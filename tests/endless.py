"""A model whose runs never come to their end; see fixtures/endless_onnx.py."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from fusion.encoder import Vectors
from fusion.fake import HashingEncoder
from fusion.onnx_session import embedded, open_session

IDS = np.array([[1, 2, 3]])


def endless_session() -> ort.InferenceSession:
    """ONNX Runtime over its graph, which takes what a text encoder's does."""
    return open_session(Path(__file__).parent / "fixtures" / "endless.onnx", 1)


class EndlessEncoder(HashingEncoder):
    """An encoder in this process that hangs in ONNX Runtime, whatever it is asked."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        embedded(endless_session(), IDS)
        return super().encode(texts)
