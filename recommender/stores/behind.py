"""Caches that store what they are given a moment later, so that no answer waits for it."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from datetime import datetime
from threading import Lock
from time import sleep
from typing import Generic, TypeVar

from fusion.threads import DaemonThreads
from recommender.errors import StoreUnavailable
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    EmbeddingCache,
    NewEmbedding,
    SearchCache,
    Stores,
    Vector,
)

K = TypeVar("K", bound=tuple[str, ...])
"""A key, whose first part is the owner."""
V = TypeVar("V")
A_MOMENT = 0.02
"""Seconds until entries are stored: the answer is sent meanwhile, and others may join."""
MOST_WAITING = 256
"""Entries. Whoever adds more stores them all before going on."""
logger = logging.getLogger(__name__)


class _Waiting(Generic[K, V]):
    """Entries to store, all at once, which are at hand until they are. Thread-safe.

    After a failure whoever adds the next ones waits and is told, until storing works again.
    """

    def __init__(self, store: Callable[[Collection[V]], None]) -> None:
        self._store = store
        self._entries: dict[K, V] = {}
        self._threads = DaemonThreads()
        self._running = self._failed = False
        self._lock, self._storing = Lock(), Lock()

    def get(self, key: K) -> V | None:
        """An entry that waits; None where none does for this key."""
        with self._lock:
            return self._entries.get(key)

    def add(self, entries: Mapping[K, V]) -> None:
        """Have entries stored, those for the same keys in the place of earlier ones."""
        with self._lock:
            self._entries |= entries
            at_once = self._failed or len(self._entries) > MOST_WAITING
            begins = not at_once and not self._running
            self._running |= begins
        if at_once:
            self.flush()
        elif begins:
            self._threads.submit(self._run)

    def flush_of(self, owner: str) -> None:
        """Store what waits, where any of it is of this owner's; raises as ``flush`` does."""
        if self._any_of(owner):
            self.flush()

    def drop_of(self, owner: str) -> None:
        """Forget what waits of this owner's; what is being stored of it is stored on return.

        Whoever erases by an index that lags would not find it there, were it stored first.
        """
        if self._any_of(owner):
            with self._storing, self._lock:
                kept = {key: entry for key, entry in self._entries.items() if key[0] != owner}
                self._entries = kept

    def flush(self) -> None:
        """Store what waits. Raises StoreUnavailable, then it is lost: a cache may do without."""
        with self._storing:
            with self._lock:
                entries = dict(self._entries)
            if not entries:
                return
            failed = True
            try:
                self._store(entries.values())
                failed = False
            finally:
                self._done(entries, failed)

    def _any_of(self, owner: str) -> bool:
        """Whether any of this owner's waits or is being stored."""
        with self._lock:
            return any(key[0] == owner for key in self._entries)

    def _done(self, entries: Mapping[K, V], failed: bool) -> None:
        with self._lock:
            self._failed = failed
            for key, entry in entries.items():
                if self._entries[key] is entry:  # else another one came meanwhile
                    del self._entries[key]

    def _run(self) -> None:
        """Store until nothing waits any more."""
        while self._goes_on():
            sleep(A_MOMENT)
            try:
                self.flush()
            except StoreUnavailable:
                logger.warning("a cache could not store its entries", exc_info=True)
            except Exception:  # nobody waits who could be told
                logger.exception("a cache failed to store its entries")

    def _goes_on(self) -> bool:
        with self._lock:
            self._running = bool(self._entries)
            return self._running


class EmbeddingsBehind(EmbeddingCache):
    """An EmbeddingCache over another one."""

    def __init__(self, cache: EmbeddingCache) -> None:
        self._cache = cache
        self._waiting = _Waiting[tuple[str, str, str], NewEmbedding](
            lambda new: cache.put_many(list(new))
        )

    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        """See `EmbeddingCache`."""
        waiting = {key: new for key in keys if (new := self._waiting.get(astuple(key)))}
        found = {key: new.vector for key, new in waiting.items() if new.expires_at > now}
        others = [key for key in keys if key not in waiting]
        return {**found, **self._cache.get_many(others, now)} if others else found

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        """See `EmbeddingCache`."""
        self._waiting.add({astuple(new.key): new for new in entries})

    def erase(self, owner: str) -> None:
        """See `EmbeddingCache`."""
        self._waiting.drop_of(owner)
        self._cache.erase(owner)

    def flush(self) -> None:
        """Store what waits; raises StoreUnavailable."""
        self._waiting.flush()


_NewSearch = tuple[CacheKey, CachedSearch, datetime]


class SearchesBehind(SearchCache):
    """A SearchCache over another one."""

    def __init__(self, cache: SearchCache) -> None:
        self._cache = cache
        self._waiting = _Waiting[tuple[str, str], _NewSearch](self._store)

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        """See `SearchCache`."""
        new = self._waiting.get((key.owner, key.query_hash))
        if new is None:
            return self._cache.get(key, now)
        made_for, answer, expires_at = new
        return answer if made_for == key and expires_at > now else None

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        """See `SearchCache`."""
        self._waiting.add({(key.owner, key.query_hash): (key, answer, expires_at)})

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        """See `SearchCache`."""
        self._waiting.flush_of(owner)
        self._cache.carry_over(owner, old_hash, new_hash, touched)

    def erase(self, owner: str) -> None:
        """See `SearchCache`."""
        self._waiting.drop_of(owner)
        self._cache.erase(owner)

    def flush(self) -> None:
        """Store what waits; raises StoreUnavailable."""
        self._waiting.flush()

    def _store(self, entries: Collection[_NewSearch]) -> None:
        for new in entries:
            self._cache.put(*new)


@contextmanager
def caches_behind(stores: Stores) -> Iterator[Stores]:
    """The stores with caches that store behind; what waits at the exit is stored then."""
    embeddings, searches = EmbeddingsBehind(stores.embeddings), SearchesBehind(stores.searches)
    try:
        yield replace(stores, embeddings=embeddings, searches=searches)
    finally:
        for cache in (embeddings, searches):
            with suppress(StoreUnavailable):
                cache.flush()
