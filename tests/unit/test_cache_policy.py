"""What is remembered of searches: for whom, how long, and what a swipe invalidates."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from recommender.cache import AnswerCache, significant
from recommender.experiments.variants import Variant
from recommender.models import (
    IntelligenceMetadata,
    RecommendedItem,
    SearchRequest,
    SearchResult,
    Swipe,
    Understanding,
)
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import LogVersion, Stores, Vector
from recommender.users import UserState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
VARIANT: Variant = "embedding_fusion"
SETTINGS = RecommenderSettings(
    cache_ttl_high_confidence=1800,
    cache_ttl_low_confidence=900,
    cache_ttl_generic=7200,
    preference_confidence_threshold=0.6,
)


def taste(**changes: Any) -> UserPreferences:  # noqa: ANN401
    settled = {
        "like_count": 20,
        "confidence": 0.8,
        "vectors": {"centroid": (1.0, 0.0)},
        "genre_weights": {"Drama": 0.5},
    }
    return UserPreferences.model_validate(
        no_preferences("model-1").model_dump() | settled | changes
    )


def turned(cosine: float) -> dict[str, tuple[float, float]]:
    return {"centroid": (cosine, float(np.sqrt(1 - cosine**2)))}


@pytest.mark.parametrize(
    "change",
    [
        {"like_count": 14},
        {"confidence": 0.59},
        {"genre_weights": {"Drama": 0.71}},
        {"genre_weights": {"Drama": 0.29}},
        {"genre_weights": {"Drama": 0.5, "War": -0.3}},
        {"genre_weights": {}},
        {"vectors": turned(0.9)},
        {"vectors": turned(-1.0)},
        {"vectors": {}},
        {"vector_strategy": "recency"},
    ],
)
def test_significant_changes(change: dict[str, Any]) -> None:
    assert significant(taste(), taste(**change), SETTINGS)
    assert significant(taste(**change), taste(), SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"like_count": 21, "skip_count": 9},
        {"confidence": 0.95},
        {"genre_weights": {"Drama": 0.6, "War": 0.1}},
        {"tag_weights": {"space": 1.0}},
        {"vectors": turned(0.99)},
    ],
)
def test_minor_changes(change: dict[str, Any]) -> None:
    assert not significant(taste(), taste(**change), SETTINGS)


def answer(*item_ids: str) -> SearchResult:
    facts = {"year": 2000, "genres": (), "director": (), "cast": (), "overview": ""}
    shown = {"title": "T", "score": 1.0, "preference_boost": 0.0, "reason": ("why",)}
    return SearchResult(
        user_id="ann",
        items=tuple(RecommendedItem(item_id=i, **facts, **shown) for i in item_ids),
        model_version="model-1",
        cached=False,
        preference_confidence=0.1,
        understood=Understanding(text="q"),
        intelligence_metadata=IntelligenceMetadata(
            embedding_cached=False,
            preference_influence=0.3,
            confidence_score=0.1,
            transformer_latency_ms=3.0,
            strategy="personal",
            variant="embedding_fusion",
        ),
    )


def state(user_id: str, preferences: UserPreferences, *swiped: str) -> UserState:
    swipes = {
        item_id: Swipe.model_validate(
            {"item_id": item_id, "direction": "like", "swiped_at": NOW, "event_id": 1}
        )
        for item_id in swiped
    }
    return UserState(user_id, LogVersion(1, 1, 1), swipes, preferences)


ANN = state("ann", taste(), "seen")


@pytest.fixture
def memory() -> Stores:
    return memory_stores()


def cache(
    memory: Stores,
    generation: str = "model-1 catalogue-1",
    settings: RecommenderSettings = SETTINGS,
) -> AnswerCache:
    return AnswerCache(memory.embeddings, memory.searches, settings, generation)


def keep_words(kept: AnswerCache, vector: Vector) -> None:
    kept.keep_embeddings({kept.slot_of_words("words"): vector}, NOW)


def words(kept: AnswerCache, text: str = "words", now: datetime = NOW) -> Vector | None:
    slot = kept.slot_of_words(text)
    return kept.embeddings([slot], now).get(slot)


def ask(query: str = "q", user_id: str = "ann", **changes: Any) -> SearchRequest:  # noqa: ANN401
    return SearchRequest.model_validate({"user_id": user_id, "query": query} | changes)


def test_an_answer_comes_back_as_cached_with_todays_confidence(memory: Stores) -> None:
    cache(memory).keep_answer(ask(), ANN, VARIANT, answer("a", "b"), NOW)
    found = cache(memory).answer(ask(), ANN, VARIANT, NOW)
    assert found is not None
    assert found.cached
    assert found.items == answer("a", "b").items
    assert found.preference_confidence == ANN.preferences.confidence
    metadata = answer("a", "b").intelligence_metadata
    assert found.intelligence_metadata.confidence_score == metadata.confidence_score
    assert found.intelligence_metadata.transformer_latency_ms == 0


def test_white_space_does_not_make_another_query(memory: Stores) -> None:
    cache(memory).keep_answer(ask("a clever  movie "), ANN, VARIANT, answer("a"), NOW)
    assert cache(memory).answer(ask(" a clever movie"), ANN, VARIANT, NOW) is not None


@pytest.mark.parametrize(
    "other",
    [
        ask("other"),
        ask("Q"),
        ask(k=5),
        ask(explain=True),
        ask(filters={"year_from": 1990}),
        ask(filters={"exclude_seen": False}),
        ask(similar_to=("a",)),
    ],
    ids=str,
)
def test_another_request_is_another_entry(memory: Stores, other: SearchRequest) -> None:
    cache(memory).keep_answer(ask(), ANN, VARIANT, answer("a"), NOW)
    assert cache(memory).answer(other, ANN, VARIANT, NOW) is None


def test_another_taste_or_user_or_generation_never_reads_it(memory: Stores) -> None:
    cache(memory).keep_answer(ask(), ANN, VARIANT, answer("a"), NOW)
    changed = state("ann", taste(confidence=0.81), "seen")
    assert cache(memory).answer(ask(), changed, VARIANT, NOW) is None
    assert (
        cache(memory).answer(ask(user_id="bob"), state("bob", taste(), "x"), VARIANT, NOW) is None
    )
    assert cache(memory, "model-2 catalogue-1").answer(ask(), ANN, VARIANT, NOW) is None
    assert cache(memory, "model-1 catalogue-2").answer(ask(), ANN, VARIANT, NOW) is None


def test_vectors_of_words_are_read_once(memory: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_words(cache(memory), np.ones(3, np.float32))
    other = cache(memory)
    read = Mock(wraps=memory.embeddings.get_many)
    monkeypatch.setattr(memory.embeddings, "get_many", read)
    for _ in range(3):
        assert words(other) is not None
    assert read.call_count == 1


def test_vectors_of_a_taste_are_not_at_hand_after_an_erasure(memory: Stores) -> None:
    kept = cache(memory)
    slot = kept.slot_of_fusion("asked", ANN)
    kept.keep_embeddings({slot: np.ones(3, np.float32)}, NOW)
    kept.erase("ann")
    assert kept.embeddings([slot], NOW) == {}


def test_new_users_share_answers(memory: Stores) -> None:
    ann, bob = (state(name, no_preferences("model-1")) for name in ("ann", "bob"))
    cache(memory).keep_answer(ask(), ann, VARIANT, answer("a"), NOW)
    found = cache(memory).answer(ask(user_id="bob"), bob, VARIANT, NOW)
    assert found is not None
    assert found.user_id == "bob"
    assert (
        cache(memory).answer(ask(user_id="bob"), state("bob", bob.preferences, "x"), VARIANT, NOW)
        is None
    )


@pytest.mark.parametrize(
    ("whose", "seconds"),
    [
        (state("ann", taste(confidence=0.6), "x"), 1800),
        (state("ann", taste(confidence=0.59), "x"), 900),
        (state("ann", no_preferences("model-1")), 7200),
    ],
    ids=["sure", "unsure", "new"],
)
def test_time_to_live_goes_by_confidence(memory: Stores, whose: UserState, seconds: int) -> None:
    cache(memory).keep_answer(ask(), whose, VARIANT, answer("a"), NOW)
    last = NOW + timedelta(seconds=seconds - 1)
    assert cache(memory).answer(ask(), whose, VARIANT, last) is not None
    assert cache(memory).answer(ask(), whose, VARIANT, last + timedelta(seconds=1)) is None


def test_an_answer_with_a_film_swiped_since_is_stale_unless_seen_films_are_wanted(
    memory: Stores,
) -> None:
    both = ask(), ask(filters={"exclude_seen": False})
    for request in both:
        cache(memory).keep_answer(request, ANN, VARIANT, answer("a", "b"), NOW)
    since = state("ann", taste(), "seen", "b")
    assert [cache(memory).answer(request, since, VARIANT, NOW) is None for request in both] == [
        True,
        False,
    ]


def test_a_minor_swipe_keeps_what_it_does_not_touch(memory: Stores) -> None:
    old, new = taste(), taste(tag_weights={"x": 0.1})
    cache(memory).keep_answer(ask("touched"), ANN, VARIANT, answer("a", "b"), NOW)
    cache(memory).keep_answer(ask("untouched"), ANN, VARIANT, answer("c"), NOW)
    cache(memory).swiped("ann", ["b"], old, new)
    after = state("ann", new, "seen", "b")
    assert cache(memory).answer(ask("touched"), after, VARIANT, NOW) is None
    assert cache(memory).answer(ask("untouched"), after, VARIANT, NOW) is not None


def test_a_significant_swipe_keeps_nothing_of_this_user(memory: Stores) -> None:
    bob = state("bob", taste(), "x")
    for whose in (ANN, bob):
        cache(memory).keep_answer(ask(user_id=whose.user_id), whose, VARIANT, answer("c"), NOW)
    new = taste(confidence=0.1)
    cache(memory).swiped("ann", ["b"], taste(), new)
    assert cache(memory).answer(ask(), state("ann", new, "seen", "b"), VARIANT, NOW) is None
    assert cache(memory).answer(ask(user_id="bob"), bob, VARIANT, NOW) is not None


def test_embeddings_are_shared_by_words_and_generation(memory: Stores) -> None:
    vector = np.array([0.6, 0.8], dtype=np.float32)
    keep_words(cache(memory), vector)
    np.testing.assert_array_equal(words(cache(memory)), vector)
    assert words(cache(memory), "other") is None
    assert words(cache(memory, "model-2")) is None
    assert words(cache(memory), now=NOW + timedelta(seconds=7200)) is None


def test_fusions_are_kept_by_taste_and_for_longer_the_surer_it_is(memory: Stores) -> None:
    kept = cache(memory)
    unsure = state("ann", taste(confidence=0.1), "seen")
    slots = [kept.slot_of_fusion("asked", whose) for whose in (None, ANN, unsure)]
    assert [slot.seconds for slot in slots] == [7200, 1800, 900]
    assert [slot.key.owner for slot in slots] == ["*", "ann", "ann"]
    assert len({slot.key for slot in slots}) == 3
    kept.keep_embeddings({slot: np.full(2, slot.seconds, np.float32) for slot in slots}, NOW)
    found = kept.embeddings([*slots, kept.slot_of_words("asked too")], NOW)
    assert [vector[0] for vector in found.values()] == [7200, 1800, 900]
    assert kept.embeddings(slots, NOW + timedelta(seconds=1000)).keys() == set(slots[:2])


def test_disabled_caches_remember_nothing(memory: Stores) -> None:
    off = SETTINGS.model_copy(
        update={"enable_search_cache": False, "enable_embedding_cache": False}
    )
    for settings in (off, SETTINGS):
        keep_words(cache(memory, settings=settings), np.ones(2, np.float32))
        cache(memory, settings=settings).keep_answer(ask(), ANN, VARIANT, answer("a"), NOW)
        if settings is off:
            assert cache(memory).answer(ask(), ANN, VARIANT, NOW) is None
            assert words(cache(memory)) is None
    assert cache(memory, settings=off).answer(ask(), ANN, VARIANT, NOW) is None
    assert words(cache(memory, settings=off)) is None


def test_erase_forgets_one_user(memory: Stores) -> None:
    bob = state("bob", taste(), "x")
    for whose in (ANN, bob):
        cache(memory).keep_answer(ask(user_id=whose.user_id), whose, VARIANT, answer("c"), NOW)
    cache(memory).erase("ann")
    assert cache(memory).answer(ask(), ANN, VARIANT, NOW) is None
    assert cache(memory).answer(ask(user_id="bob"), bob, VARIANT, NOW) is not None
