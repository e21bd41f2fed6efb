"""What is remembered of earlier searches, for how long, and for whom."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from pydantic import ValidationError

from recommender.experiments.variants import Variant
from recommender.models import SearchRequest, SearchResult
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import CachedSearch, CacheKey, EmbeddingCache, SearchCache, Vector
from recommender.users import UserState, tier

SHARED = "*"
GENERIC = "generic"
SIGNIFICANT_COSINE = 0.97
SIGNIFICANT_WEIGHT = 0.2


class AnswerCache:
    """The policy over both caches: keys, lifetimes and what a changed taste invalidates.

    ``generation`` names model, catalogue, settings and code; none reads another one's entries.
    """

    def __init__(
        self,
        embeddings: EmbeddingCache,
        searches: SearchCache,
        settings: RecommenderSettings,
        generation: str,
    ) -> None:
        self._embeddings = embeddings
        self._searches = searches
        self._settings = settings
        self._generation = generation

    def embedding(self, text: str, now: datetime) -> Vector | None:
        """The vector made earlier for these words."""
        if not self._settings.enable_embedding_cache:
            return None
        return self._embeddings.get(self._embedding_key(text), now)

    def keep_embedding(self, text: str, vector: Vector, now: datetime) -> None:
        """Remember the vector of these words."""
        if self._settings.enable_embedding_cache:
            expires_at = now + timedelta(seconds=self._settings.cache_ttl_generic)
            self._embeddings.put(self._embedding_key(text), vector, expires_at)

    def fused(self, asked: str, state: UserState | None, now: datetime) -> Vector | None:
        """What was fused earlier of ``asked`` and this user's taste; None: of nobody's."""
        if not self._settings.enable_embedding_cache:
            return None
        return self._embeddings.get(self._fused_key(asked, state), now)

    def keep_fused(
        self, asked: str, state: UserState | None, vector: Vector, now: datetime
    ) -> None:
        """Remember it, for longer the surer the taste is."""
        if self._settings.enable_embedding_cache:
            key = self._fused_key(asked, state)
            self._embeddings.put(key, vector, self._expiry(state, now))

    def answer(
        self, request: SearchRequest, state: UserState, variant: Variant, now: datetime
    ) -> SearchResult | None:
        """An earlier answer that still holds: same request, variant and taste, nothing swiped."""
        if not self._settings.enable_search_cache:
            return None
        stored = self._searches.get(self._search_key(request, state, variant), now)
        if stored is None:
            return None
        if request.filters.exclude_seen and not state.swipes.keys().isdisjoint(stored.item_ids):
            return None
        try:
            result = SearchResult.model_validate_json(stored.payload)
        except ValidationError:  # written by another release, or by nobody we know
            return None
        return _renewed(result, state)

    def keep_answer(
        self,
        request: SearchRequest,
        state: UserState,
        variant: Variant,
        result: SearchResult,
        now: datetime,
    ) -> None:
        """Remember an answer."""
        if self._settings.enable_search_cache:
            ids = tuple(item.item_id for item in result.items)
            answer = CachedSearch(result.model_dump_json(), ids)
            key = self._search_key(request, state, variant)
            self._searches.put(key, answer, self._expiry(state, now))

    def explanation(self, asked: str, state: UserState, now: datetime) -> str | None:
        """What was written earlier of ``asked`` for this user's taste as it is."""
        if not self._settings.enable_search_cache:
            return None
        stored = self._searches.get(self._explanation_key(asked, state), now)
        return None if stored is None else str(json.loads(stored.payload))

    def keep_explanation(self, asked: str, state: UserState, text: str, now: datetime) -> None:
        """Remember it."""
        if self._settings.enable_search_cache:
            key = self._explanation_key(asked, state)
            self._searches.put(key, CachedSearch(json.dumps(text), ()), self._expiry(state, now))

    def swiped(
        self,
        user_id: str,
        item_ids: Sequence[str],
        old: UserPreferences,
        new: UserPreferences,
    ) -> None:
        """Bring a user's answers up to date after a swipe on ``item_ids``."""
        if significant(old, new, self._settings):
            self._searches.erase(user_id)
        else:
            self._searches.carry_over(user_id, old.preference_hash, new.preference_hash, item_ids)

    def erase(self, user_id: str) -> None:
        """Forget all that was remembered for a user."""
        self._searches.erase(user_id)
        self._embeddings.erase(user_id)

    def _search_key(self, request: SearchRequest, state: UserState, variant: Variant) -> CacheKey:
        # White space is no matter, but case is: "films like Her" names a film, "like her" does not.
        text = " ".join(request.query.split())
        asked = request.model_copy(update={"user_id": "", "query": text}).model_dump_json()
        shared = not state.swipes
        return CacheKey(
            SHARED if shared else state.user_id,
            self._hash(f"{variant}\n{asked}"),
            GENERIC if shared else state.preferences.preference_hash,
        )

    def _explanation_key(self, asked: str, state: UserState) -> CacheKey:
        """Never shared, and with the taste in both hashes: what is carried over after a swipe that
        changed little is an answer, which may stand, but not what was said of the taste before.
        """
        taste = state.preferences.preference_hash
        return CacheKey(state.user_id, self._hash(f"explanation\n{taste}\n{asked}"), taste)

    def _fused_key(self, asked: str, state: UserState | None) -> CacheKey:
        if state is None:
            return CacheKey(SHARED, self._hash(asked), GENERIC)
        return CacheKey(state.user_id, self._hash(asked), state.preferences.preference_hash)

    def _embedding_key(self, text: str) -> CacheKey:
        return CacheKey(SHARED, self._hash(text), GENERIC)

    def _hash(self, text: str) -> str:
        return hashlib.sha256(f"{self._generation}\n{text}".encode()).hexdigest()[:32]

    def _expiry(self, state: UserState | None, now: datetime) -> datetime:
        settings = self._settings
        if state is None or not state.swipes:
            return now + timedelta(seconds=settings.cache_ttl_generic)
        sure = state.preferences.confidence >= settings.preference_confidence_threshold
        seconds = settings.cache_ttl_high_confidence if sure else settings.cache_ttl_low_confidence
        return now + timedelta(seconds=seconds)


def _renewed(result: SearchResult, state: UserState) -> SearchResult:
    """An earlier answer as this user's, with today's confidence."""
    confidence = state.preferences.confidence
    metadata = result.intelligence_metadata.model_copy(
        update={
            "embedding_cached": True,
            "transformer_latency_ms": 0.0,
        }
    )
    return result.model_copy(
        update={
            "user_id": state.user_id,
            "cached": True,
            "preference_confidence": confidence,
            "intelligence_metadata": metadata,
        }
    )


def significant(old: UserPreferences, new: UserPreferences, settings: RecommenderSettings) -> bool:
    """Whether taste moved so far that no earlier answer may stand.

    So it did when the tier or the side of the confidence threshold changed, the vector turned
    (cosine under 0.97), or a genre's weight moved by more than 0.2.
    """
    threshold = settings.preference_confidence_threshold
    if tier(old, settings) != tier(new, settings):
        return True
    if (old.confidence >= threshold) != (new.confidence >= threshold):
        return True
    genres = old.genre_weights.keys() | new.genre_weights.keys()
    moves = [abs(old.genre_weights.get(g, 0.0) - new.genre_weights.get(g, 0.0)) for g in genres]
    if max(moves, default=0.0) > SIGNIFICANT_WEIGHT:
        return True
    return _cosine(old.vector, new.vector) < SIGNIFICANT_COSINE


def _cosine(a: Vector | None, b: Vector | None) -> float:
    if a is None or b is None:
        return 1.0 if a is b else 0.0
    return float(np.dot(a, b))
