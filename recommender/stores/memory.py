"""All storage in the memory of one process: the fake of every port, gone when the process ends."""

# ruff: noqa: D102 - the ports document the methods

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from recommender.models import Exposure, Filters, Item, SwipeEvent
from recommender.preferences.model import UserPreferences
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    ConversationStore,
    EmbeddingCache,
    ExposureLog,
    Hit,
    IndexedItem,
    ItemStore,
    LogVersion,
    NewEmbedding,
    NewExposure,
    NewSwipe,
    PreferenceStore,
    SearchCache,
    Space,
    Stores,
    Survey,
    SurveyStore,
    SwipeLog,
    Thread,
    ThreadRecord,
    Vector,
    other_length,
)

K = TypeVar("K")
V = TypeVar("V")


def memory_stores() -> Stores:
    """Every port, empty."""
    return Stores(
        items=MemoryItemStore(),
        swipes=MemorySwipeLog(),
        preferences=MemoryPreferenceStore(),
        surveys=MemorySurveyStore(),
        exposures=MemoryExposureLog(),
        conversations=MemoryConversationStore(),
        embeddings=MemoryEmbeddingCache(),
        searches=MemorySearchCache(),
    )


class MemoryItemStore(ItemStore):
    """ItemStore over a dictionary that writers replace, so that readers need no lock."""

    def __init__(self) -> None:
        self._films: dict[str, IndexedItem] = {}
        self._lock = Lock()

    def fingerprints(self) -> dict[str, str]:
        return {item_id: film.fingerprint for item_id, film in self._films.items()}

    def hold(self, dim: int) -> None:
        for film in self._films.values():
            if film.vector.size != dim:
                raise other_length(film.vector.size, dim)

    def upsert(self, items: Sequence[IndexedItem]) -> None:
        with self._lock:
            self._films = self._films | {film.item.item_id: film for film in items}

    def remove(self, item_ids: Sequence[str]) -> None:
        with self._lock:
            self._films = _without(self._films, lambda item_id: item_id in item_ids)

    def all(self) -> Iterable[Item]:
        return [film.item for film in self._films.values()]

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        excluded = set(exclude)
        hits = [
            Hit(item_id, float(stored @ vector))
            for item_id, film in self._films.items()
            if (stored := _vector(film, space)) is not None
            and item_id not in excluded
            and _passes(film.item, filters)
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:k]

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        films = self._films
        found = {i: _vector(films[i], space) for i in item_ids if i in films}
        return {item_id: vector for item_id, vector in found.items() if vector is not None}

    def mean_vector(self) -> Vector | None:
        rows = [film.vector for film in self._films.values()]
        return np.asarray(np.mean(rows, axis=0), dtype=np.float32) if rows else None


def _vector(film: IndexedItem, space: Space) -> Vector | None:
    return film.vector if space == "text" else film.fused


class MemorySwipeLog(SwipeLog):
    """SwipeLog over one list per user."""

    def __init__(self) -> None:
        self._events: dict[str, list[SwipeEvent]] = {}
        self._ids = itertools.count(1)
        self._lock = Lock()

    def append(self, swipe: NewSwipe) -> SwipeEvent:
        with self._lock:
            recorded = swipe.idempotency_key and self.find(swipe.user_id, swipe.idempotency_key)
            if recorded:
                return recorded
            made = {"event_id": next(self._ids), "recorded_at": datetime.now(UTC)}
            event = SwipeEvent.model_validate(vars(swipe) | made)
            self._events.setdefault(swipe.user_id, []).append(event)
            return event

    def find(self, user_id: str, idempotency_key: str) -> SwipeEvent | None:
        events = self.events(user_id)
        return next((e for e in events if e.idempotency_key == idempotency_key), None)

    def events(self, user_id: str, after: int = 0) -> list[SwipeEvent]:
        return [event for event in self._events.get(user_id, ()) if event.event_id > after]

    def events_of(self, user_ids: Sequence[str]) -> dict[str, list[SwipeEvent]]:
        return {user_id: events for user_id in user_ids if (events := self.events(user_id))}

    def version(self, user_id: str) -> LogVersion:
        return LogVersion.of(self.events(user_id))

    def all(self) -> Iterator[SwipeEvent]:
        for user_id in sorted(self._events):
            yield from self.events(user_id)

    def recent_users(self, limit: int) -> list[str]:
        with self._lock:
            latest = {user_id: events[-1].event_id for user_id, events in self._events.items()}
        return sorted(latest, key=lambda user_id: -latest[user_id])[:limit]

    def erase(self, user_id: str) -> None:
        with self._lock:
            self._events.pop(user_id, None)


class MemoryPreferenceStore(PreferenceStore):
    """PreferenceStore over a dictionary."""

    def __init__(self) -> None:
        self._preferences: dict[str, UserPreferences] = {}
        self._lock = Lock()

    def get(self, user_id: str) -> UserPreferences | None:
        return self._preferences.get(user_id)

    def put(self, user_id: str, preferences: UserPreferences) -> None:
        with self._lock:
            stored = self._preferences.get(user_id, preferences)
            if stored.event_count <= preferences.event_count:
                self._preferences[user_id] = preferences

    def erase(self, user_id: str) -> None:
        with self._lock:
            self._preferences.pop(user_id, None)


class MemorySurveyStore(SurveyStore):
    """SurveyStore over a dictionary."""

    def __init__(self) -> None:
        self._surveys: dict[str, Survey] = {}
        self._lock = Lock()

    def add(self, survey: Survey) -> Survey:
        with self._lock:
            for started in self.of_user(survey.user_id):
                if survey.idempotency_key and started.idempotency_key == survey.idempotency_key:
                    return started
            self._surveys[survey.session_id] = survey
            return survey

    def get(self, session_id: str) -> Survey | None:
        return self._surveys.get(session_id)

    def of_user(self, user_id: str) -> list[Survey]:
        mine = [survey for survey in list(self._surveys.values()) if survey.user_id == user_id]
        return sorted(mine, key=lambda survey: survey.created_at)

    def erase(self, user_id: str) -> None:
        with self._lock:
            mine = {survey.session_id for survey in self.of_user(user_id)}
            self._surveys = _without(self._surveys, mine.__contains__)


class MemoryExposureLog(ExposureLog):
    """ExposureLog over one list."""

    def __init__(self) -> None:
        self._exposures: list[Exposure] = []
        self._ids = itertools.count(1)
        self._lock = Lock()

    def append(self, exposure: NewExposure) -> Exposure:
        with self._lock:
            made = {"exposure_id": next(self._ids), "shown_at": datetime.now(UTC)}
            noted = Exposure.model_validate(vars(exposure) | made)
            self._exposures.append(noted)
            return noted

    def of_experiment(self, experiment: str) -> Iterator[Exposure]:
        shown = [e for e in self._exposures if e.experiment == experiment]
        return iter(sorted(shown, key=lambda exposure: exposure.user_id))

    def of_user(self, user_id: str) -> list[Exposure]:
        return [exposure for exposure in self._exposures if exposure.user_id == user_id]

    def experiments(self) -> list[str]:
        return sorted({exposure.experiment for exposure in self._exposures})

    def erase(self, user_id: str) -> None:
        with self._lock:
            self._exposures = [e for e in self._exposures if e.user_id != user_id]


class MemoryConversationStore(ConversationStore):
    """ConversationStore over two dictionaries; the thread written last comes last."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}
        self._records: dict[str, ThreadRecord] = {}
        self._lock = Lock()

    def name(
        self,
        thread_id: str,
        user_id: str,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        begin: bool = True,
    ) -> None:
        with self._lock:
            if thread := self._written(thread_id, user_id, begin):
                self._threads[thread_id] = replace(
                    thread,
                    name=thread.name if name is None else name,
                    metadata=thread.metadata if metadata is None else metadata,
                )

    def put(self, user_id: str, record: ThreadRecord, begin: bool = True) -> None:
        with self._lock:
            thread_id, known = record.thread_id, self._records.get(record.record_id, record)
            if known.thread_id == thread_id and self._written(thread_id, user_id, begin):
                self._records[record.record_id] = record

    def get(self, record_id: str) -> ThreadRecord | None:
        return self._records.get(record_id)

    def remove(self, record_id: str) -> None:
        with self._lock:
            self._records.pop(record_id, None)

    def thread(self, thread_id: str) -> Thread | None:
        return self._threads.get(thread_id)

    def records(self, thread_id: str) -> list[ThreadRecord]:
        return [each for each in self._records.values() if each.thread_id == thread_id]

    def threads(
        self, user_id: str, limit: int | None = None, after: str | None = None, words: str = ""
    ) -> list[Thread]:
        own = [each for each in reversed(self._threads.values()) if each.user_id == user_id]
        ids = [each.thread_id for each in own]
        rest = own[ids.index(after) + 1 :] if after in ids else own
        return [each for each in rest if self._said(each.thread_id, words)][:limit]

    def remove_thread(self, thread_id: str) -> None:
        with self._lock:
            self._threads.pop(thread_id, None)
            gone = [r.record_id for r in self._records.values() if r.thread_id == thread_id]
            for record_id in gone:
                del self._records[record_id]

    def erase(self, user_id: str) -> None:
        for thread in self.threads(user_id):
            self.remove_thread(thread.thread_id)

    def _written(self, thread_id: str, user_id: str, begin: bool) -> Thread | None:
        """The thread, now the one written last; None when it is another user's, or there is none
        and it may not ``begin``.
        """
        if not begin and thread_id not in self._threads:
            return None
        thread = self._threads.get(thread_id) or Thread(thread_id, user_id, datetime.now(UTC))
        if thread.user_id != user_id:
            return None
        self._threads.pop(thread_id, None)
        self._threads[thread_id] = thread
        return thread

    def _said(self, thread_id: str, words: str) -> bool:
        said = (str(record.body.get("output", "")) for record in self.records(thread_id))
        return not words or any(words.lower() in each.lower() for each in said)


class MemoryEmbeddingCache(EmbeddingCache):
    """EmbeddingCache over a dictionary."""

    def __init__(self) -> None:
        self._entries: dict[CacheKey, NewEmbedding] = {}
        self._lock = Lock()

    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        found = [entry for key in keys if (entry := self._entries.get(key))]
        return {entry.key: entry.vector for entry in found if entry.expires_at > now}

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        with self._lock:
            self._entries.update((entry.key, entry) for entry in entries)

    def erase(self, owner: str) -> None:
        with self._lock:
            self._entries = _without(self._entries, lambda key: key.owner == owner)


class MemorySearchCache(SearchCache):
    """SearchCache over a dictionary by owner and query."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], tuple[CacheKey, CachedSearch, datetime]] = {}
        self._lock = Lock()

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        entry = self._entries.get((key.owner, key.query_hash))
        if entry is None or entry[0] != key or entry[2] <= now:
            return None
        return entry[1]

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        with self._lock:
            self._entries[key.owner, key.query_hash] = (key, answer, expires_at)

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        with self._lock:
            mine = {slot: entry for slot, entry in self._entries.items() if slot[0] == owner}
            self._entries = _without(self._entries, mine.__contains__)
            for slot, (key, answer, expires_at) in mine.items():
                if key.preference_hash == old_hash and not set(touched) & set(answer.item_ids):
                    kept = CacheKey(owner, key.query_hash, new_hash)
                    self._entries[slot] = (kept, answer, expires_at)

    def erase(self, owner: str) -> None:
        with self._lock:
            self._entries = _without(self._entries, lambda slot: slot[0] == owner)


def _without(entries: Mapping[K, V], dropped: Callable[[K], bool]) -> dict[K, V]:
    return {key: value for key, value in entries.items() if not dropped(key)}


def _passes(item: Item, filters: Filters) -> bool:
    genres = set(item.genres)
    return (
        genres.issuperset(filters.include_genres)
        and genres.isdisjoint(filters.exclude_genres)
        and set(item.people).issuperset(filters.people)
        and set(item.people).isdisjoint(filters.exclude_people)
        and _in_years(item.year, filters)
    )


def _in_years(year: int | None, filters: Filters) -> bool:
    if filters.year_from is None and filters.year_to is None:
        return True
    if year is None:
        return False
    return (filters.year_from or year) <= year <= (filters.year_to or year)
