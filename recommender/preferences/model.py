"""What has been learned about a person."""

import hashlib
import json
from array import array
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, PlainSerializer, PlainValidator, TypeAdapter

from recommender.models import Frozen, LearnedWeights

Tier = Literal["generic", "light", "personal"]
if TYPE_CHECKING:
    Floats: TypeAlias = array[float]
else:
    Floats = array  # takes no subscript before Python 3.12
_FLOATS = TypeAdapter(list[float])


def numbers(given: Iterable[float]) -> Floats:
    """In 8 bytes each: a server holds the vectors of thousands, which are 32 each in a tuple, and
    looked through whenever garbage is.
    """
    return array("d", _FLOATS.validate_python(given))


Numbers = Annotated[
    Floats,
    PlainValidator(numbers),
    PlainSerializer(lambda held: held.tolist(), return_type=list[float]),
]


class UserPreferences(Frozen):
    """A person's taste as learned from ``event_count`` log entries up to ``last_event_id``.

    ``vectors`` holds one unit vector per strategy, in the item embedding space with the catalogue's
    mean taken out; a strategy that had nothing to learn from is missing. Genre and tag weights are
    -1..1. ``year_centre``/``year_spread`` are in years; ``popularity_bias`` is -1 (niche) to 1.
    ``field_weights`` are those of the text search, empty where they were not learned.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_count: int
    last_event_id: int = 0
    model_version: str
    like_count: int = 0
    dislike_count: int = 0
    skip_count: int = 0
    confidence: float = 0.0
    vectors: dict[str, Numbers] = {}
    vector_strategy: str = "centroid"
    genre_weights: dict[str, float] = {}
    tag_weights: dict[str, float] = {}
    year_centre: float | None = None
    year_spread: float | None = None
    popularity_bias: float = 0.0
    search_weights: LearnedWeights
    field_weights: dict[str, float] = {}
    updated_at: datetime | None = None

    @property
    def signal_count(self) -> int:
        """Swipes that say something of taste."""
        return self.like_count + self.dislike_count

    @cached_property
    def vector(self) -> NDArray[np.float32] | None:
        """The vector of the chosen strategy, shape (dim,)."""
        values = self.vectors.get(self.vector_strategy)
        return None if values is None else np.asarray(values, dtype=np.float32)

    @cached_property
    def preference_hash(self) -> str:
        """Equal for equal taste, whenever it was learned."""
        left_out = {"event_count", "last_event_id", "updated_at", "vectors"}
        taste = self.model_dump(mode="json", exclude=left_out)
        # Sorted, because a JSON column gives the keys back in an order of its own.
        digest = hashlib.sha256(json.dumps(taste, sort_keys=True).encode())
        for name in sorted(self.vectors):
            digest.update(name.encode())
            digest.update(self.vectors[name].tobytes())
        return digest.hexdigest()[:32]
