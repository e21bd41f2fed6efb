"""What metrics need to remember from one call to the next: what was shown, which surveys ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import perf_counter

from cachetools import LRUCache

from recommender.errors import InvalidRequest, NotFound
from recommender.models import Direction, SearchResult, SwipeEvent
from recommender.telemetry import (
    ANSWERS,
    REACTIONS,
    SEARCH_FAILURES,
    SEARCH_SECONDS,
    SURVEYS,
    SWIPES,
    span,
)

REMEMBERED_USERS = 2_000
REMEMBERED_FILMS = 60
REMEMBERED_SURVEYS = 10_000
OPINIONS = (Direction.LIKE, Direction.DISLIKE)

Shown = LRUCache[str, tuple[str, str]]


class Watch:
    """Counts searches, reactions and surveys of one process. Thread-safe."""

    def __init__(self) -> None:
        self._shown: LRUCache[str, Shown] = LRUCache(REMEMBERED_USERS)
        self._completed: LRUCache[str, bool] = LRUCache(REMEMBERED_SURVEYS)
        self._lock = Lock()

    @contextmanager
    def search(self) -> Iterator[Callable[[SearchResult], SearchResult]]:
        """Time and trace a search; pass its answer through what this yields."""
        start = perf_counter()

        def answered(result: SearchResult) -> SearchResult:
            told = result.intelligence_metadata
            cached = str(result.cached).lower()
            SEARCH_SECONDS.labels(told.strategy, cached).observe(perf_counter() - start)
            traced.set_attribute("strategy", told.strategy)
            traced.set_attribute("cached", result.cached)
            self._note(result)
            return result

        with span("Recommender.search") as traced:
            try:
                yield answered
            except (NotFound, InvalidRequest):
                raise
            except Exception as error:
                SEARCH_FAILURES.labels(type(error).__name__).inc()
                raise

    def swiped(self, event: SwipeEvent) -> None:
        """Count a new event, and what it says of the answer that showed the film."""
        SWIPES.labels(event.action).inc()
        if event.action not in OPINIONS:
            return
        with self._lock:
            shown = self._shown.get(event.user_id)
            shown_by = shown.get(event.item_id) if shown else None
        if shown_by:
            REACTIONS.labels(*shown_by, event.action).inc()

    def started(self) -> None:
        """Count a new survey."""
        SURVEYS.labels("started").inc()

    def completed(self, session_id: str) -> None:
        """Count a survey that is at its end, once however often that is noticed."""
        with self._lock:
            if session_id in self._completed:
                return
            self._completed[session_id] = True
        SURVEYS.labels("completed").inc()

    def forget(self, user_id: str) -> None:
        """Forget what was shown to a user."""
        with self._lock:
            self._shown.pop(user_id, None)

    def _note(self, result: SearchResult) -> None:
        told = result.intelligence_metadata
        ANSWERS.labels(told.strategy, told.variant).inc()
        with self._lock:
            shown = self._shown.get(result.user_id)
            if shown is None:
                shown = self._shown[result.user_id] = LRUCache(REMEMBERED_FILMS)
            for item in result.items[:REMEMBERED_FILMS]:
                shown[item.item_id] = (told.strategy, told.variant)
