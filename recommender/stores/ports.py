"""What the domain needs of storage: one small Protocol per concern, one contract suite for each.

Adapters raise StoreUnavailable when their server does not answer.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.errors import InvalidRequest
from recommender.experiments.variants import ShownVariant, Variant
from recommender.models import Exposure, Filters, Item, SwipeEvent
from recommender.preferences.model import UserPreferences

Vector = NDArray[np.float32]
Space = Literal["text", "fused"]
"""Each film has a vector for its text, and one in the space that people and films share."""


@dataclass(frozen=True)
class IndexedItem:
    """A film with the embedding of its text, the fingerprint of what it was indexed from, and its
    vector in the space of the fusion encoders, if there are any.
    """

    item: Item
    vector: Vector
    fingerprint: str
    fused: Vector | None = None


@dataclass(frozen=True)
class Hit:
    """A retrieved film and its inner product with the query vector."""

    item_id: str
    score: float


@dataclass(frozen=True)
class NewSwipe:
    """An event that is about to be appended to the log."""

    user_id: str
    item_id: str
    action: str
    session_id: str | None
    swiped_at: datetime
    idempotency_key: str | None = None


@dataclass(frozen=True)
class LogVersion:
    """Changes whenever a user's log does. Ids are never used again: a log with the same first event
    was not erased meanwhile, it only grew.
    """

    first_event_id: int = 0
    last_event_id: int = 0
    count: int = 0

    def grown(self, event_id: int) -> "LogVersion":
        """What becomes of it by one more event."""
        return LogVersion(self.first_event_id or event_id, event_id, self.count + 1)

    @classmethod
    def of(cls, events: Sequence[SwipeEvent]) -> "LogVersion":
        """That of a log of these events, in order."""
        return cls(events[0].event_id, events[-1].event_id, len(events)) if events else cls()


@dataclass(frozen=True)
class Survey:
    """A stored survey: which cards, in which order."""

    session_id: str
    user_id: str
    item_ids: tuple[str, ...]
    created_at: datetime
    idempotency_key: str | None = None


@dataclass(frozen=True)
class NewExposure:
    """An answer that is about to be noted as shown; see ``Exposure``."""

    experiment: str
    user_id: str
    variant: ShownVariant
    item_ids: tuple[str, ...]
    teams: tuple[Variant | None, ...] | None = None


@dataclass(frozen=True)
class Thread:
    """A conversation: whose it is, what its owner calls it, and what the chat notes about it."""

    thread_id: str
    user_id: str
    created_at: datetime
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ThreadRecord:
    """One thing of a conversation (a message, a card, a verdict on one), as JSON."""

    record_id: str
    thread_id: str
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class CacheKey:
    """``owner`` is a user id, or ``*`` for answers that all users share."""

    owner: str
    query_hash: str
    preference_hash: str


@dataclass(frozen=True)
class NewEmbedding:
    """A vector that is about to be remembered."""

    key: CacheKey
    vector: Vector
    expires_at: datetime


@dataclass(frozen=True)
class CachedSearch:
    """A stored answer (JSON text) and the ids in it."""

    payload: str
    item_ids: tuple[str, ...]


def version_of(fingerprints: Mapping[str, str]) -> str:
    """Names an index by what it holds: the fingerprint of each film, by id."""
    films = ",".join(f"{item_id} {fingerprints[item_id]}" for item_id in sorted(fingerprints))
    return hashlib.md5(films.encode(), usedforsecurity=False).hexdigest()


def other_length(held: int, dim: int) -> InvalidRequest:
    """The error of an index that holds vectors of another length than its encoder makes."""
    return InvalidRequest(
        f"The index holds films with vectors of {held} numbers, the encoder makes {dim}. Go back "
        "to the encoder it was made with, or make it anew, with every server on this database "
        "stopped: reelwise index --anew (swipes and profiles stay)."
    )


class ItemStore(Protocol):
    """Films and their vectors."""

    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each stored film, by id."""

    def hold(self, dim: int) -> None:
        """Make an empty store one for text vectors of ``dim`` numbers.

        Raises InvalidRequest when it holds films with vectors of another length.
        """

    def upsert(self, items: Sequence[IndexedItem]) -> None:
        """Add or replace films, each whole; all or none where the store has transactions."""

    def remove(self, item_ids: Sequence[str]) -> None:
        """Delete films; unknown ids are ignored."""

    def all(self) -> Iterable[Item]:
        """Every film, in no particular order."""

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        """The k films of highest inner product that pass the filters, best first."""

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        """The vectors of those films that exist and have one."""

    def mean_vector(self) -> Vector | None:
        """The mean of all vectors; None when there are no films."""


class WordIndex(Protocol):
    """BM25 in the engine that holds the films, over their words as ``text`` reads them."""

    def best(
        self, words: Sequence[str], k: int, filters: Filters, exclude: Sequence[str] = ()
    ) -> list[Hit]:
        """The k films of highest score by all their words that pass the filters, best first."""

    def scores(
        self, parts: Sequence[tuple[str, Sequence[str]]], item_ids: Sequence[str]
    ) -> list[Mapping[str, float]]:
        """For each field and words, these films' scores, without those that hold none of them."""


class SwipeLog(Protocol):
    """The append-only record of what people swiped; durable when ``append`` returns."""

    def append(self, swipe: NewSwipe) -> SwipeEvent:
        """Append, or return the event that this user's idempotency key already recorded."""

    def find(self, user_id: str, idempotency_key: str) -> SwipeEvent | None:
        """The event this user's key recorded, if it did."""

    def events(self, user_id: str, after: int = 0) -> list[SwipeEvent]:
        """A user's events in order: all, or those whose ids are above ``after``."""

    def events_of(self, user_ids: Sequence[str]) -> Mapping[str, list[SwipeEvent]]:
        """All events of each of these users, in order; those who have none are left out."""

    def version(self, user_id: str) -> LogVersion:
        """The state of the user's log, cheaply."""

    def all(self) -> Iterator[SwipeEvent]:
        """All events, user by user, each user's in order."""

    def recent_users(self, limit: int) -> list[str]:
        """The users whose latest events are the latest of all, the latest first."""

    def erase(self, user_id: str) -> None:
        """Delete all events of a user."""


class PreferenceStore(Protocol):
    """The latest learned preferences of each user."""

    def get(self, user_id: str) -> UserPreferences | None:
        """None when nothing was learned yet."""

    def put(self, user_id: str, preferences: UserPreferences) -> None:
        """Store, unless preferences learned from a longer log are already there."""

    def erase(self, user_id: str) -> None:
        """Delete a user's preferences."""


class SurveyStore(Protocol):
    """Started surveys."""

    def add(self, survey: Survey) -> Survey:
        """Store, or return the survey that this user's idempotency key already started."""

    def get(self, session_id: str) -> Survey | None:
        """None when there is no such survey."""

    def of_user(self, user_id: str) -> list[Survey]:
        """All surveys of a user, oldest first."""

    def erase(self, user_id: str) -> None:
        """Delete a user's surveys."""


class ExposureLog(Protocol):
    """The append-only record of what experiments showed to whom, by the swipe log's clock."""

    def append(self, exposure: NewExposure) -> Exposure:
        """Note that an answer was shown just now."""

    def of_experiment(self, experiment: str) -> Iterator[Exposure]:
        """All exposures of an experiment, user by user, each user's oldest first."""

    def of_user(self, user_id: str) -> list[Exposure]:
        """All exposures of a user, oldest first."""

    def experiments(self) -> list[str]:
        """The names of all experiments that showed anything, sorted."""

    def erase(self, user_id: str) -> None:
        """Delete all exposures of a user."""


class ConversationStore(Protocol):
    """What was said in chats. The first who writes into a thread owns it."""

    def name(
        self,
        thread_id: str,
        user_id: str,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        begin: bool = True,
    ) -> None:
        """Change what is given of a thread; another user's is left as it is. ``begin`` as for
        ``put``.
        """

    def put(self, user_id: str, record: ThreadRecord, begin: bool = True) -> None:
        """Store or replace; another user's thread is left as it is. Where there is no such thread,
        ``begin`` it, or else store nothing: it may have been erased meanwhile.
        """

    def get(self, record_id: str) -> ThreadRecord | None:
        """None when there is no such record."""

    def remove(self, record_id: str) -> None:
        """Delete a record; unknown ids are ignored."""

    def thread(self, thread_id: str) -> Thread | None:
        """None when there is no such thread."""

    def records(self, thread_id: str) -> list[ThreadRecord]:
        """All records of a thread, oldest first."""

    def threads(
        self, user_id: str, limit: int | None = None, after: str | None = None, words: str = ""
    ) -> list[Thread]:
        """A user's threads, the one written last first, beginning ``after`` one of them.

        ``words``: only those in which somebody said so, in any case.
        """

    def remove_thread(self, thread_id: str) -> None:
        """Delete a thread and its records."""

    def erase(self, user_id: str) -> None:
        """Delete all threads of a user."""


class EmbeddingCache(Protocol):
    """Query embeddings, fused with a user's taste or shared."""

    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        """Those that are there and have not expired, in one round trip."""

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        """Store or replace, in one round trip; no two entries are for the same key."""

    def erase(self, owner: str) -> None:
        """Delete all entries of an owner."""


class SearchCache(Protocol):
    """Whole answers. An owner has one entry per query, valid for one preference hash."""

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        """None when absent, expired or made with other preferences."""

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        """Store or replace."""

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        """Keep ``old_hash``'s entries under ``new_hash``, save those with a touched film.

        What is not kept is deleted.
        """

    def erase(self, owner: str) -> None:
        """Delete all entries of an owner."""


@dataclass(frozen=True)
class Stores:
    """All of the domain's storage."""

    items: ItemStore
    swipes: SwipeLog
    preferences: PreferenceStore
    surveys: SurveyStore
    exposures: ExposureLog
    conversations: ConversationStore
    embeddings: EmbeddingCache
    searches: SearchCache
    words: WordIndex | None = None
    """None: words are searched in this process."""
