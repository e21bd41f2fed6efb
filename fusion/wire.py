"""What a fusion encoder reads and answers, as JSON: the container's and its client's one format.

A vector travels as base64 of its little-endian float32 numbers, so it arrives bit for bit; twenty
swipes of 384 numbers are 42 kB.
"""

import base64
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    PlainSerializer,
    PlainValidator,
    Tag,
    TypeAdapter,
)

from fusion.encoder import Vectors
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm

JSON = "application/json"
JSON_LINES = "application/jsonlines"
MAX_SWIPES = 128  # more than any encoder reads
MAX_QUERY = 10_000
MAX_FILM_TEXT = 1_000


def _pack(vector: Vectors) -> str:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _unpack(value: object) -> Vectors:
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, str):
        raise ValueError("a vector is written as base64 of little-endian float32")
    raw = base64.b64decode(value, validate=True)
    if not raw or len(raw) % 4:
        raise ValueError("a vector's bytes are a whole number of float32, at least one")
    vector = np.frombuffer(raw, "<f4").astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("a vector's numbers are finite")
    return vector


PackedVector = Annotated[Any, PlainValidator(_unpack), PlainSerializer(_pack, return_type=str)]


# Words of users must not reach a log by way of an error's message.
CONFIG = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Wire(BaseModel):
    model_config = CONFIG


class WireSwipe(_Wire):
    """A ``SwipedFilm``."""

    item_id: str
    text: str
    vector: PackedVector
    liked: bool
    days_ago: FiniteFloat = 0.0

    @classmethod
    def of(cls, film: SwipedFilm) -> Self:
        """Write a swipe."""
        return cls(
            item_id=_utf8(film.item_id),
            text=_utf8(film.text[:MAX_FILM_TEXT]),
            vector=film.vector,
            liked=film.liked,
            days_ago=film.days_ago,
        )

    def film(self) -> SwipedFilm:
        """Read the swipe."""
        return SwipedFilm(self.item_id, self.text, self.vector, self.liked, self.days_ago)


class WireInput(_Wire):
    """A ``FusionInput``."""

    query: str = ""
    swipes: tuple[WireSwipe, ...] = ()
    for_someone_else: bool = False
    explore: FiniteFloat = 0.0

    @classmethod
    def of(cls, asked: FusionInput) -> Self:
        """Write what is asked, cut to what fits a request: more than any encoder reads."""
        return cls(
            query=_utf8(asked.query[:MAX_QUERY]),
            swipes=tuple(map(WireSwipe.of, asked.swipes[-MAX_SWIPES:])),
            for_someone_else=asked.for_someone_else,
            explore=asked.explore,
        )

    def asked(self) -> FusionInput:
        """Read what is asked."""
        films = tuple(swipe.film() for swipe in self.swipes)
        return FusionInput(self.query, films, self.for_someone_else, self.explore)


class WireInstances(_Wire):
    """Many inputs in one request."""

    instances: tuple[WireInput, ...]


class WireFused(_Wire):
    """A ``Fused``, and the model it is of."""

    model_version: str = Field(max_length=200)
    vector: PackedVector
    taste: PackedVector
    influence: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, fused: Fused, model_version: str) -> Self:
        """Write an answer of the model of that version."""
        return cls(
            model_version=model_version,
            vector=fused.vector,
            taste=fused.taste,
            influence=fused.influence,
            confidence=fused.confidence,
        )

    def fused(self) -> Fused:
        """Read the answer."""
        return Fused(self.vector, self.taste, self.influence, self.confidence)


class WirePredictions(_Wire):
    """The answers to ``WireInstances``, in their order."""

    predictions: tuple[WireFused, ...]


def _kind(body: object) -> str:
    return "many" if isinstance(body, dict) and "instances" in body else "one"


REQUEST: TypeAdapter[WireInput | WireInstances] = TypeAdapter(
    Annotated[
        Annotated[WireInput, Tag("one")] | Annotated[WireInstances, Tag("many")],
        Discriminator(_kind),
    ],
    config=CONFIG,
)


def _utf8(text: str) -> str:
    """A lone surrogate has no UTF-8 form: a question mark stands for it."""
    return text.encode("utf-8", "replace").decode("utf-8")
