"""Caches that store behind: at hand at once, stored together, and told of failures."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore

import numpy as np
import pytest

from recommender.errors import StoreUnavailable
from recommender.stores.behind import MOST_WAITING, EmbeddingsBehind, SearchesBehind, caches_behind
from recommender.stores.memory import memory_stores
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    EmbeddingCache,
    NewEmbedding,
    SearchCache,
    Vector,
)

PATIENT = 60.0
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
KEY = CacheKey("ann", "query-1", "hash-1")
ANSWER = CachedSearch("{}", ("film-1",))


class Gated:
    """Stores in memory once it is let go; notes how often it began, and may be down."""

    def __init__(self) -> None:
        stores = memory_stores()
        self.embeddings: EmbeddingCache = stores.embeddings
        self.searches: SearchCache = stores.searches
        self.go, self.began, self.down = Event(), Semaphore(0), False
        self.batches: list[list[NewEmbedding]] = []

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        self._wait()
        self.batches.append(list(entries))
        self.embeddings.put_many(entries)

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        self._wait()
        self.searches.put(key, answer, expires_at)

    def _wait(self) -> None:
        self.began.release()
        assert self.go.wait(PATIENT)
        if self.down:
            raise StoreUnavailable("down")


class GatedEmbeddings(Gated, EmbeddingCache):
    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        return self.embeddings.get_many(keys, now)

    def erase(self, owner: str) -> None:
        self.embeddings.erase(owner)


class GatedSearches(Gated, SearchCache):
    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        return self.searches.get(key, now)

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        self.searches.carry_over(owner, old_hash, new_hash, touched)

    def erase(self, owner: str) -> None:
        self.searches.erase(owner)


def embedding(number: int, owner: str = "ann") -> NewEmbedding:
    return NewEmbedding(
        CacheKey(owner, f"query-{number}", "hash-1"), np.full(3, number, np.float32), LATER
    )


def test_nobody_waits_and_what_waits_is_at_hand() -> None:
    """All that comes while something is being stored is stored after it in one go."""
    slow = GatedEmbeddings()
    behind = EmbeddingsBehind(slow)
    behind.put_many([embedding(0)])
    assert slow.began.acquire(timeout=PATIENT)
    for number in (1, 2, 3):
        behind.put_many([embedding(number)])
    keys = [embedding(number).key for number in range(4)]
    assert behind.get_many(keys, NOW).keys() == set(keys)
    assert behind.get_many(keys, LATER) == {}
    assert slow.get_many(keys, NOW) == {}
    slow.go.set()
    behind.flush()
    assert slow.get_many(keys, NOW).keys() == set(keys)
    assert [len(batch) for batch in slow.batches] == [1, 3]


def test_the_latest_of_a_key_counts_also_where_the_one_before_is_being_stored() -> None:
    slow = GatedSearches()
    behind = SearchesBehind(slow)
    behind.put(KEY, ANSWER, LATER)
    assert slow.began.acquire(timeout=PATIENT)
    changed = replace(KEY, preference_hash="hash-2")
    behind.put(changed, CachedSearch("new", ()), LATER)
    slow.go.set()
    behind.flush()
    for cache in (behind, slow):
        assert cache.get(KEY, NOW) is None
        assert cache.get(changed, NOW) == CachedSearch("new", ())


def test_what_is_being_stored_as_its_owner_is_erased_does_not_come_back() -> None:
    slow = GatedEmbeddings()
    behind = EmbeddingsBehind(slow)
    behind.put_many([embedding(1), embedding(1, "bob")])
    assert slow.began.acquire(timeout=PATIENT)
    behind.put_many([embedding(2)])
    slow.go.set()
    behind.erase("ann")
    keys = [embedding(1).key, embedding(2).key, embedding(1, "bob").key]
    for cache in (behind, slow):
        assert cache.get_many(keys, NOW).keys() == {keys[2]}


@pytest.fixture
def long_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that waits is stored before the end of the test, unless somebody asks for it."""
    over = Event()
    monkeypatch.setattr("recommender.stores.behind.sleep", lambda _: over.wait(PATIENT))
    yield
    over.set()


@pytest.mark.usefixtures("long_moment")
def test_an_embedding_that_waits_as_its_owner_is_erased_is_never_stored() -> None:
    """Where caches erase by an index that lags, it would not be found there."""
    store = GatedEmbeddings()
    store.go.set()
    behind = EmbeddingsBehind(store)
    behind.put_many([embedding(1), embedding(1, "bob")])
    behind.erase("ann")
    keys = [embedding(1).key, embedding(1, "bob").key]
    assert behind.get_many(keys, NOW).keys() == {keys[1]}
    behind.flush()
    assert [[new.key for new in batch] for batch in store.batches] == [keys[1:]]


@pytest.mark.usefixtures("long_moment")
def test_an_answer_that_waits_as_its_owner_is_erased_is_never_stored() -> None:
    store = GatedSearches()
    store.go.set()
    behind = SearchesBehind(store)
    behind.put(KEY, ANSWER, LATER)
    behind.erase("ann")
    assert behind.get(KEY, NOW) is None
    behind.flush()
    assert not store.began.acquire(blocking=False)


def test_what_is_being_stored_is_waited_for_before_it_is_erased() -> None:
    """Else it would be stored after it."""
    slow = GatedSearches()
    behind = SearchesBehind(slow)
    behind.put(KEY, ANSWER, LATER)
    assert slow.began.acquire(timeout=PATIENT)
    with ThreadPoolExecutor(1) as pool:
        erased = pool.submit(behind.erase, "ann")
        with pytest.raises(TimeoutError):
            erased.result(timeout=0.05)
        slow.go.set()
        erased.result(timeout=PATIENT)
    assert behind.get(KEY, NOW) is None
    assert slow.get(KEY, NOW) is None


def test_answers_that_wait_are_carried_over() -> None:
    slow = GatedSearches()
    slow.go.set()
    behind = SearchesBehind(slow)
    behind.put(KEY, ANSWER, LATER)
    behind.carry_over("ann", "hash-1", "hash-2", ["film-9"])
    assert behind.get(replace(KEY, preference_hash="hash-2"), NOW) == ANSWER


def test_after_a_failure_the_next_one_waits_and_is_told_until_it_works() -> None:
    """What could not be stored is lost, and not tried for ever."""
    failing = GatedEmbeddings()
    failing.down = True
    failing.go.set()
    behind = EmbeddingsBehind(failing)
    behind.put_many([embedding(1)])
    assert failing.began.acquire(timeout=PATIENT)
    behind.flush()  # waits for the first failure, which is met in the background
    with pytest.raises(StoreUnavailable):
        behind.put_many([embedding(3)])
    failing.down = False
    behind.put_many([embedding(4)])
    keys = [embedding(number).key for number in range(5)]
    assert failing.get_many(keys, NOW).keys() == {keys[4]}


def test_no_more_wait_than_may() -> None:
    slow = GatedEmbeddings()
    behind = EmbeddingsBehind(slow)
    behind.put_many([embedding(number) for number in range(MOST_WAITING)])
    slow.go.set()
    behind.put_many([embedding(MOST_WAITING)])
    keys = [embedding(number).key for number in range(MOST_WAITING + 1)]
    assert len(slow.get_many(keys, NOW)) == MOST_WAITING + 1


def test_what_waits_at_the_end_is_stored() -> None:
    stores = memory_stores()
    with caches_behind(stores) as behind:
        behind.embeddings.put_many([embedding(1)])
        behind.searches.put(KEY, ANSWER, LATER)
    assert stores.embeddings.get_many([embedding(1).key], NOW)
    assert stores.searches.get(KEY, NOW) == ANSWER
