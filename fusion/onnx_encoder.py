"""The embedded text encoder: an exported sentence-transformer run by ONNX Runtime, in process."""

import hashlib
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime as ort
from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from tokenizers import Tokenizer

from fusion.encoder import Vectors
from fusion.errors import ModelFilesCorrupt, ModelFilesMissing
from fusion.onnx_session import embedded, open_session
from fusion.short_tower import ShortTower, shared_tower

DEFAULT_MODEL = Path(__file__).parent / "models" / "minilm-l6-int8"
CARD = "model.json"
GRAPH = "model.onnx"
SHORT_GRAPH = "short.onnx"
TOKENIZER = "tokenizer.json"
OUTPUT = "sentence_embedding"


class ModelCard(BaseModel):
    """`model.json`: what a model folder holds, and how to know that it is whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    dim: PositiveInt
    max_tokens: PositiveInt
    source: str
    licence: str
    sha256: dict[str, str]
    """SHA-256 of the graphs and of the tokenizer, by file name."""
    short_tokens: PositiveInt | None = None
    """Texts of up to so many tokens are read by `SHORT_GRAPH`, a tower of fewer layers that learned
    to make the vectors of the whole, as its output ``name``. None: there is none.
    """


def checked_model(folder: Path) -> ModelCard:
    """The card of a model folder whose files are those that the card tells of.

    Raises:
        ModelFilesMissing: the card, the graph or the tokenizer is not there.
        ModelFilesCorrupt: the card does not parse, or a file differs from its digest.
    """
    try:
        card = ModelCard.model_validate_json(_read(folder / CARD))
    except ValidationError as error:
        raise ModelFilesCorrupt(folder / CARD, str(error)) from error
    graphs = (GRAPH, SHORT_GRAPH) if card.short_tokens else (GRAPH,)
    for name in (*graphs, TOKENIZER):
        if hashlib.sha256(_read(folder / name)).hexdigest() != card.sha256.get(name):
            raise ModelFilesCorrupt(folder / name, f"its SHA-256 is not the one in {CARD}")
    return card


class OnnxTextEncoder:
    """A `TextEncoder` over a folder written by `fusion.export`.

    Pooling and normalisation are inside the graphs. Texts run one at a time: int8 activations
    share one scale per run, so in a batch a text's vector would depend on its neighbours, and
    on a CPU a batch is not faster.
    """

    remote = False

    def __init__(self, model_dir: Path | None = None, threads: int = 1) -> None:
        """Load the model of `model_dir` (default: the one shipped), `threads` per call.

        Raises:
            ModelFilesMissing: a file is not there.
            ModelFilesCorrupt: a file is damaged.
        """
        self._folder, self._threads = model_dir or DEFAULT_MODEL, threads
        self.card = checked_model(self._folder)
        self._short_tokens = self.card.short_tokens or 0
        if self._short_tokens:
            self._short = self._opened_short()
        else:
            self._whole  # noqa: B018 - opened, or refused, now
        self._tokenizer = Tokenizer.from_file(str(self._folder / TOKENIZER))
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._tokenizer.no_padding()

    def with_all_layers(self) -> Self:
        """This encoder, in the same memory, but that its whole tower reads short texts, too."""
        self._whole  # noqa: B018 - opened now, so that the copy has it
        whole = copy(self)
        whole._short_tokens = 0
        return whole

    @property
    def model_version(self) -> str:
        """Name and version of the loaded model."""
        return f"{self.card.name}-{self.card.version}"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.card.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts` as unit rows, shape (len(texts), dim); see `TextEncoder.encode`."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[:] = self._encode_one(text)
        return vectors

    def _encode_one(self, text: str) -> Vectors:
        # A lone surrogate has no UTF-8 form and the tokenizer takes only UTF-8.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids = np.array([self._tokenizer.encode(clean).ids], dtype=np.int64)
        if ids.size <= self._short_tokens:
            return self._short.vector(ids, self.card.name)
        return embedded(self._whole, ids)[OUTPUT]

    def _opened_short(self) -> ShortTower:
        graph, name = self._folder / SHORT_GRAPH, self.card.name
        # Not by its path: other models' folders may hold the same one.
        tower = shared_tower(graph, self.card.sha256[SHORT_GRAPH], self._threads)
        if name not in tower.outputs:
            raise ModelFilesCorrupt(graph, f"it makes vectors of {tower.outputs}, not of {name!r}")
        return tower

    @cached_property
    def _whole(self) -> ort.InferenceSession:
        """Opened when it is needed: beside a short one it may never be."""
        return open_session(self._folder / GRAPH, self._threads)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFilesMissing(path) from error
    except OSError as error:
        raise ModelFilesCorrupt(path, str(error)) from error
