"""From words, named films and taste to the one vector that the nearest films are sought for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import numpy as np

from fusion.encoder import TextEncoder
from fusion.errors import FusionError
from recommender.cache import AnswerCache
from recommender.experiments.variants import Variant
from recommender.fallbacks import Fallbacks
from recommender.models import Understanding
from recommender.preferences.model import Tier
from recommender.preferences.vectors import unit
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Vector
from recommender.telemetry import EMBEDDING_CACHE, timed
from recommender.users import UserState
from recommender.vectors import ItemVectors

ANCHOR_SHARE = 0.85


@dataclass(frozen=True)
class QueryVector:
    """What the vector search looks for, and how it came about.

    ``fused`` is a unit vector, or None without words, named films and taste; ``words``
    stands for the words alone; ``influence`` is the share of taste in ``fused``, 0..1.
    """

    fused: Vector | None
    words: Vector | None
    influence: float
    cached: bool
    latency_ms: float


class QueryEmbedder:
    """Embeds words with the encoder and leans the result towards named films and taste."""

    def __init__(
        self,
        encoder: TextEncoder,
        vectors: ItemVectors,
        cache: AnswerCache,
        settings: RecommenderSettings,
    ) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self._cache = cache
        blends = settings.enhance_query_vector
        self._taste_share = settings.ranking.taste_in_vector if blends else 0.0

    def embed(
        self,
        understood: Understanding,
        state: UserState,
        tier: Tier,
        variant: Variant,  # noqa: ARG002 - names the encoder that shall fuse
        now: datetime,
        fallbacks: Fallbacks,
    ) -> QueryVector:
        """Without the encoder, named films and taste stand alone."""
        words, cached, latency_ms = self._words(understood.text, now, fallbacks)
        wish = self._lean(words, understood.anchors)
        taste = state.preferences.vector if tier == "personal" else None
        if taste is None:
            return QueryVector(wish, words, 0.0, cached, latency_ms)
        if wish is None:
            return QueryVector(taste, words, 1.0, cached, latency_ms)
        influence = self._taste_share * state.preferences.confidence
        fused = unit((1 - influence) * wish + influence * taste)
        return QueryVector(fused, words, influence, cached, latency_ms)

    def _words(
        self, text: str, now: datetime, fallbacks: Fallbacks
    ) -> tuple[Vector | None, bool, float]:
        if not text:
            return None, False, 0.0
        known = fallbacks.attempt("embedding_cache", lambda: self._cache.embedding(text, now), None)
        EMBEDDING_CACHE.labels("miss" if known is None else "hit").inc()
        if known is not None:
            return known, True, 0.0
        start = perf_counter()
        with timed("encode"):
            made = fallbacks.attempt(
                "encoder", lambda: self._encoder.encode([text])[0], None, (FusionError,)
            )
        latency_ms = 1000 * (perf_counter() - start)
        if made is not None:
            vector = made
            fallbacks.attempt(
                "embedding_cache", lambda: self._cache.keep_embedding(text, vector, now), None
            )
        return made, False, latency_ms

    def _lean(self, words: Vector | None, anchor_ids: Sequence[str]) -> Vector | None:
        anchors = list(self._vectors.get(anchor_ids).values())
        if not anchors:
            return words
        middle = unit(np.mean(anchors, axis=0))
        if words is None or middle is None:
            return middle
        return unit(ANCHOR_SHARE * middle + (1 - ANCHOR_SHARE) * words)
