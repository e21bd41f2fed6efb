"""The embedded text encoder: an exported sentence-transformer run by ONNX Runtime, in process."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from tokenizers import Encoding, Tokenizer

from fusion.encoder import Vectors
from fusion.errors import ModelFilesCorrupt, ModelFilesMissing

DEFAULT_MODEL = Path(__file__).parent / "models" / "minilm-l6-int8"


class ModelCard(BaseModel):
    """`model.json`: what a model folder holds and how to know that it is whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    dim: PositiveInt
    max_tokens: PositiveInt
    source: str
    licence: str
    sha256: dict[str, str]
    """Digest of each other file of the folder that serving reads, by file name."""

    @classmethod
    def read(cls, folder: Path) -> "ModelCard":
        """Read and check the folder's files against its card.

        Raises:
            ModelFilesMissing: the card or a file it lists is not there.
            ModelFilesCorrupt: the card does not parse or a file differs from its digest.
        """
        path = folder / "model.json"
        try:
            card = cls.model_validate_json(_read(path))
        except ValidationError as error:
            raise ModelFilesCorrupt(path, str(error)) from error
        return card


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFilesMissing(path) from error
