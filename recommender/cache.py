"""What is remembered of earlier searches, for how long, and for whom."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import numpy as np
from cachetools import LRUCache
from pydantic import ValidationError

from recommender.experiments.variants import Variant
from recommender.models import SearchRequest, SearchResult
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    EmbeddingCache,
    NewEmbedding,
    SearchCache,
    Vector,
)
from recommender.users import UserState, tier

SHARED = "*"
GENERIC = "generic"
SIGNIFICANT_COSINE = 0.97
SIGNIFICANT_WEIGHT = 0.2
KEPT_WORDS = 2000
"""Vectors of words in memory: 3 MB."""


@dataclass(frozen=True)
class Slot:
    """Where a vector is kept, and for how many seconds; also at hand where it is ``of_words``."""

    key: CacheKey
    seconds: int
    of_words: bool = False


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
        self._at_hand: LRUCache[Slot, Vector] = LRUCache(KEPT_WORDS)
        self._lock = Lock()

    def slot_of_words(self, text: str) -> Slot:
        """Where the vector of these words is kept."""
        key = CacheKey(SHARED, self._hash(text), GENERIC)
        return Slot(key, self._settings.cache_ttl_generic, of_words=True)

    def slot_of_fusion(self, asked: str, state: UserState | None) -> Slot:
        """Where what is fused of ``asked`` and this user's taste is kept, for longer the surer the
        taste is; None: of nobody's.
        """
        owner, taste = SHARED, GENERIC
        if state is not None:
            owner, taste = state.user_id, state.preferences.preference_hash
        return Slot(CacheKey(owner, self._hash(asked), taste), self._lifetime(state))

    def embeddings(self, slots: Sequence[Slot], now: datetime) -> dict[Slot, Vector]:
        """The vectors that were kept earlier, of those that are there.

        Those of words never change, and an explanation asks for them three times.
        """
        if not slots or not self._settings.enable_embedding_cache:
            return {}
        with self._lock:
            found = {slot: self._at_hand[slot] for slot in slots if slot in self._at_hand}
        if asked := [slot for slot in slots if slot not in found]:
            kept = self._embeddings.get_many([slot.key for slot in asked], now)
            read = {slot: kept[slot.key] for slot in asked if slot.key in kept}
            self._hold(read)
            found |= read
        return found

    def keep_embeddings(self, made: Mapping[Slot, Vector], now: datetime) -> None:
        """Remember vectors."""
        if self._settings.enable_embedding_cache:
            self._embeddings.put_many(
                [
                    NewEmbedding(slot.key, vector, now + timedelta(seconds=slot.seconds))
                    for slot, vector in made.items()
                ]
            )
            self._hold(made)

    def _hold(self, vectors: Mapping[Slot, Vector]) -> None:
        with self._lock:
            self._at_hand.update((slot, made) for slot, made in vectors.items() if slot.of_words)

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
        """Keep a user's answers that may stand after a swipe on ``item_ids``.

        Where taste moved far, none may: by the new hash none is found, and they expire.
        """
        if not significant(old, new, self._settings):
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

    def _hash(self, text: str) -> str:
        return hashlib.sha256(f"{self._generation}\n{text}".encode()).hexdigest()[:32]

    def _expiry(self, state: UserState, now: datetime) -> datetime:
        return now + timedelta(seconds=self._lifetime(state))

    def _lifetime(self, state: UserState | None) -> int:
        """Seconds that what was made of a taste is kept; None: of nobody's."""
        settings = self._settings
        if state is None or not state.swipes:
            return settings.cache_ttl_generic
        sure = state.preferences.confidence >= settings.preference_confidence_threshold
        return settings.cache_ttl_high_confidence if sure else settings.cache_ttl_low_confidence


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
