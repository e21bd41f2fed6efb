"""From words, named films and taste to the one vector that the nearest films are sought for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

import numpy as np

from fusion.encoder import TextEncoder
from fusion.errors import FusionError
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput
from recommender.cache import AnswerCache
from recommender.experiments.variants import Variant
from recommender.fallbacks import Fallbacks
from recommender.fusing import FusionInputs, packed, packed_length, unpacked
from recommender.models import SearchRequest, Understanding
from recommender.preferences.model import Tier
from recommender.preferences.vectors import unit
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Space, Vector
from recommender.telemetry import EMBEDDING_CACHE, INFERENCES, timed
from recommender.users import UserState
from recommender.vectors import ItemVectors

ANCHOR_SHARE = 0.85


@dataclass(frozen=True)
class Words:
    """The vector of the words alone, or None, and how it came about."""

    vector: Vector | None
    cached: bool = False
    latency_ms: float = 0.0


@dataclass(frozen=True)
class QueryVector:
    """What the vector search looks for, and how it came about.

    ``vector`` lives in ``space``; None without words, named films and taste. ``wish`` is the unit
    vector of words and named films among texts. ``taste`` is the part of a fused vector that swipes
    made. ``influence`` is the share of taste, 0..1; ``confidence`` the fusion's own, 0..1.
    ``model_version`` names the encoder that made ``vector``.
    """

    vector: Vector | None
    space: Space
    words: Vector | None
    wish: Vector | None
    taste: Vector | None
    influence: float
    confidence: float | None
    cached: bool
    latency_ms: float
    model_version: str


class QueryEmbedder:
    """Fuses words, named films and taste: by the variant's encoder, else by blending vectors."""

    def __init__(
        self,
        encoder: TextEncoder,
        fusions: Mapping[Variant, FusionEncoder],
        inputs: FusionInputs,
        vectors: ItemVectors,
        cache: AnswerCache,
        settings: RecommenderSettings,
    ) -> None:
        self._encoder = encoder
        self._fusions = fusions
        self._inputs = inputs
        self._vectors = vectors
        self._cache = cache
        self._explore = settings.explore
        blends = settings.enhance_query_vector
        self._taste_share = settings.ranking.taste_in_vector if blends else 0.0
        self._for_someone_else = settings.ranking.for_someone_else

    def embed(
        self,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        tier: Tier,
        variant: Variant,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> QueryVector:
        """Without a fusion encoder vectors are blended; without any encoder, taste stands alone."""
        words = self.words(understood.text, now, fallbacks)
        wish = self._lean(words.vector, understood.anchors)
        if encoder := self._fusions.get(variant):
            explore = self._exploring(request, understood)
            asked = self._inputs.of(understood, request.mentions, state, tier, explore, now)
            whose = state if self._inputs.personal(understood, tier) else None
            if found := self._fused(encoder, asked, whose, now, fallbacks):
                fused, cached, latency_ms = found
                if understood.anchors:  # They were fused in the place of the person's swipes.
                    fused = replace(fused, taste=np.zeros_like(fused.taste), influence=0.0)
                return QueryVector(
                    fused.vector,
                    "fused",
                    words.vector,
                    wish,
                    fused.taste,
                    fused.influence,
                    fused.confidence,
                    cached,
                    words.latency_ms + latency_ms,
                    encoder.model_version,
                )
        return self._blended(words, wish, understood, state, tier)

    def _exploring(self, request: SearchRequest, understood: Understanding) -> float:
        """As asked; else as set, but not where a wish is named: that wants the best."""
        if request.explore is not None:
            return request.explore
        return 0.0 if understood.text or understood.anchors else self._explore

    def words(self, text: str, now: datetime, fallbacks: Fallbacks) -> Words:
        """Embed the words alone, or find what was embedded earlier."""
        if not text:
            return Words(None)
        known = fallbacks.attempt("embedding_cache", lambda: self._cache.embedding(text, now), None)
        known = _of_length(known, self._encoder.dim)
        EMBEDDING_CACHE.labels("miss" if known is None else "hit").inc()
        if known is not None:
            return Words(known, cached=True)
        start = perf_counter()
        with timed("encode"):
            made = fallbacks.attempt(
                "encoder", lambda: self._encoder.encode([text])[0], None, (FusionError,)
            )
        INFERENCES.labels("encoder", _outcome(made)).inc()
        latency_ms = 1000 * (perf_counter() - start)
        if made is not None:
            vector = made
            fallbacks.attempt(
                "embedding_cache", lambda: self._cache.keep_embedding(text, vector, now), None
            )
        return Words(made, latency_ms=latency_ms)

    def _fused(
        self,
        encoder: FusionEncoder,
        asked: FusionInput,
        state: UserState | None,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> tuple[Fused, bool, float] | None:
        """The fused vector, whether it was remembered, and the milliseconds it took to make."""
        name = self._inputs.name(asked, encoder.model_version)
        known = fallbacks.attempt(
            "embedding_cache", lambda: self._cache.fused(name, state, now), None
        )
        known = _of_length(known, packed_length(encoder.dim))
        EMBEDDING_CACHE.labels("miss" if known is None else "hit").inc()
        if known is not None:
            return unpacked(known), True, 0.0
        start = perf_counter()
        with timed("fuse"):
            fused = fallbacks.attempt("fusion", lambda: encoder.fuse(asked), None, (FusionError,))
        INFERENCES.labels("fusion", _outcome(fused)).inc()
        if fused is None:
            return None
        made = fused
        fallbacks.attempt(
            "embedding_cache",
            lambda: self._cache.keep_fused(name, state, packed(made), now),
            None,
        )
        return fused, False, 1000 * (perf_counter() - start)

    def _blended(
        self,
        words: Words,
        wish: Vector | None,
        understood: Understanding,
        state: UserState,
        tier: Tier,
    ) -> QueryVector:
        taste = state.preferences.vector if tier == "personal" else None
        share = self._taste_share * state.preferences.confidence
        if understood.for_someone_else:
            share *= self._for_someone_else
            taste = None if wish is None else taste
        if taste is None or wish is None:
            influence = 0.0 if taste is None else 1.0
            vector = wish if taste is None else taste
        else:
            influence, vector = share, unit((1 - share) * wish + share * taste)
        return QueryVector(
            vector,
            "text",
            words.vector,
            wish,
            None,
            influence,
            None,
            words.cached,
            words.latency_ms,
            self._encoder.model_version,
        )

    def _lean(self, words: Vector | None, anchor_ids: Sequence[str]) -> Vector | None:
        anchors = list(self._vectors.get(anchor_ids).values())
        if not anchors:
            return words
        middle = unit(np.mean(anchors, axis=0))
        if words is None or middle is None:
            return middle
        return unit(ANCHOR_SHARE * middle + (1 - ANCHOR_SHARE) * words)


def _outcome(made: object | None) -> str:
    return "failed" if made is None else "made"


def _of_length(known: Vector | None, length: int) -> Vector | None:
    """What was remembered, unless something else wrote it."""
    return known if known is not None and known.shape == (length,) else None
