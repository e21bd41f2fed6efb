"""The embedded fusion encoders: exported networks run by ONNX Runtime, in process."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt, ValidationError

from fusion.encoder import TextEncoder, Vectors
from fusion.errors import ModelFilesCorrupt, ModelFilesMissing, WrongDimension
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm
from fusion.item_space import FILE as ITEM_SPACE
from fusion.item_space import digest
from fusion.linear_fusion import POPULARITY, RANK
from fusion.onnx_encoder import OnnxTextEncoder
from fusion.onnx_session import open_session, run
from fusion.remembering import RememberingEncoder
from fusion.tokens import as_text

Kind = Literal["embedding", "token"]
MODELS = Path(__file__).parent / "models"
SPACE_FOLDER = MODELS / "item-space"
CARD = "fusion.json"
GRAPH = "fusion.onnx"
TEXT_FOLDER = "text"
MAX_SWIPES = 64
"""The networks are trained on up to 45 swipes; what a taste was long ago matters least."""


class Logistic(BaseModel):
    """A logistic regression on ``features``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: tuple[float, ...]

    def chance(self, features: Vectors) -> float:
        """The chance, 0..1."""
        exponent = float(np.clip(np.dot(self.weights, features), -30.0, 30.0))
        return 1.0 / (1.0 + math.exp(-exponent))


class FusionCard(BaseModel):
    """`fusion.json`: what a fusion's folder holds, and how to know that it is whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    kind: Kind
    dim: PositiveInt
    space: str
    """SHA-256 of the item space that the vectors live in."""
    films: PositiveInt
    influence: Logistic
    confidence: Logistic
    sha256: dict[str, str]
    length_of_a_deviation: PositiveFloat
    """Length of a taste whose scores over films have a standard deviation of one."""


def features(taste: float, words: float, asked: FusionInput) -> Vectors:
    """What influence and confidence are told by, shape (6,): lengths of both parts, and counts."""
    return np.array(
        [
            1.0,
            math.log(taste + 1e-3),
            math.log(words + 1e-3),
            math.log1p(len(asked.swipes)),
            float(has_words(asked)),
            float(asked.for_someone_else),
        ],
        dtype=np.float32,
    )


def has_words(asked: FusionInput) -> bool:
    """Whether anything is said."""
    return bool(asked.query.strip())


class OnnxFusion(ABC):
    """What both fusions share: a card, and its regressions over the parts of an answer."""

    remote = False

    def __init__(self, folder: Path) -> None:
        """Read the card; raises ModelFilesMissing or ModelFilesCorrupt."""
        self.card = read_card(folder)

    @property
    def model_version(self) -> str:
        """Name and version of the loaded model."""
        return f"{self.card.name}-{self.card.version}"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return self.card.dim

    def fuse(self, asked: FusionInput) -> Fused:
        """Fuse the words with the latest `MAX_SWIPES`; see `FusionEncoder.fuse`."""
        read = replace(asked, swipes=asked.swipes[-MAX_SWIPES:])
        return answer(self.card, read, *self.parts(read))

    @abstractmethod
    def parts(self, asked: FusionInput) -> tuple[Vectors, Vectors]:
        """What swipes and what words add, shape (dim,) each; raises as ``fuse`` does."""


class OnnxEmbeddingFusion(OnnxFusion):
    """Attention over the words' vector and the swiped films' item vectors."""

    def __init__(self, folder: Path, threads: int = 1, text: TextEncoder | None = None) -> None:
        """Load a folder that training wrote; ``text`` stands in for its own text encoder.

        Raises:
            ModelFilesMissing: a file is not there.
            ModelFilesCorrupt: a file is damaged, or the item space beside it is another one.
        """
        super().__init__(folder)
        self._text = RememberingEncoder(text or OnnxTextEncoder(folder / TEXT_FOLDER, threads))
        self._session = open_session(folder / GRAPH, threads)

    def parts(self, asked: FusionInput) -> tuple[Vectors, Vectors]:
        """What the swipes and what the words add, shape (dim,) each; raises as ``fuse`` does."""
        inputs = self._inputs(asked, asked.swipes)
        taste, words = run(self._session, inputs, ["taste", "words"])
        return taste[0], words[0]

    def _inputs(self, asked: FusionInput, swipes: Sequence[SwipedFilm]) -> dict[str, np.ndarray]:
        n = max(1, len(swipes))
        films = np.zeros((1, n, self.dim), dtype=np.float32)
        for place, film in enumerate(swipes):
            films[0, place] = checked(film.vector, self.dim)
        spoken = has_words(asked)
        words = self._text.encode([asked.query]) if spoken else np.zeros((1, self._text.dim))
        flags = [[film.liked for film in swipes] or [False], [True] * len(swipes) or [False]]
        return {
            "query": words.astype(np.float32),
            "has_query": np.array([spoken]),
            "films": films,
            "liked": np.array([flags[0]]),
            "swiped": np.array([flags[1]]),
            "days": np.array([[f.days_ago for f in swipes] or [0.0]], dtype=np.float32).clip(0),
            "someone_else": np.array([asked.for_someone_else]),
        }


class OnnxTokenFusion(OnnxFusion):
    """One transformer over one text of query, likes and dislikes."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load a folder that training wrote; raises as `OnnxEmbeddingFusion` does."""
        super().__init__(folder)
        self._text = OnnxTextEncoder(folder / TEXT_FOLDER, threads)

    def parts(self, asked: FusionInput) -> tuple[Vectors, Vectors]:
        """What the swipes change, and what words make without; raises as ``fuse`` does."""
        for film in asked.swipes:
            checked(film.vector, self.dim)
        impersonal = self._impersonal(asked)
        if not asked.swipes:
            return np.zeros_like(impersonal), impersonal
        return self._text.encode([as_text(asked)])[0] - impersonal, impersonal

    def _impersonal(self, asked: FusionInput) -> Vectors:
        if has_words(asked):
            vector: Vectors = self._text.encode([as_text(replace(asked, swipes=()))])[0]
            return vector
        popular = np.zeros(self.dim, dtype=np.float32)
        popular[POPULARITY] = 1.0
        return popular


def load_fusion(folder: Path, threads: int = 1) -> OnnxFusion:
    """The encoder of a folder, of whichever kind it is."""
    if _parsed_card(folder).kind == "embedding":
        return OnnxEmbeddingFusion(folder, threads)
    return OnnxTokenFusion(folder, threads)


def answer(card: FusionCard, asked: FusionInput, taste: Vectors, words: Vectors) -> Fused:
    """Both parts as one vector, with what the card's regressions tell of them."""
    told = features(float(np.linalg.norm(taste)), float(np.linalg.norm(words)), asked)
    vector: Vectors = taste + words
    if asked.swipes:
        spread = float(np.linalg.norm(taste[:RANK])) / card.length_of_a_deviation
        vector[POPULARITY] -= asked.explore * spread
    influence = card.influence.chance(told) if asked.swipes else 0.0
    return Fused(vector, taste, influence, card.confidence.chance(told))


def checked(vector: Vectors, dim: int) -> Vectors:
    """The vector. Raises WrongDimension when its length is another."""
    if vector.shape != (dim,):
        raise WrongDimension(vector.size, dim)
    return vector


def read_card(folder: Path) -> FusionCard:
    """Read a fusion's card and check its files, and the item space's beside it, against it."""
    card, space = _parsed_card(folder), folder.parent / SPACE_FOLDER.name / ITEM_SPACE
    for name, expected in card.sha256.items():
        if _digest(folder / name) != expected:
            raise ModelFilesCorrupt(folder / name, f"its SHA-256 is not the one in {CARD}")
    if _digest(space) != card.space:
        raise ModelFilesCorrupt(space, f"{folder.name} was trained for another item space")
    return card


def _parsed_card(folder: Path) -> FusionCard:
    """The card alone, its files unread."""
    path = folder / CARD
    try:
        return FusionCard.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelFilesMissing(path) from error
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelFilesCorrupt(path, str(error)) from error


def _digest(path: Path) -> str:
    try:
        return digest(path)
    except FileNotFoundError as error:
        raise ModelFilesMissing(path) from error
    except OSError as error:
        raise ModelFilesCorrupt(path, str(error)) from error
