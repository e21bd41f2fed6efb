"""The database restarts, crashes or hands over while people swipe and search."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Lock

import psycopg
import pytest
from sqlalchemy import make_url

from assistant.composition import Fusions
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.errors import StoreUnavailable
from recommender.indexer import STARTER_VECTORS, read_vectors, sync_index
from recommender.models import Direction, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.postgres import Database, postgres_stores
from tests.faults import WAIT_SECONDS
from tests.postgres import EMBEDDED, Cluster, Stop, cluster_folder, running

SWIPERS, SEARCHERS = 4, 2
OUTAGES, BETWEEN = 5, 10
"""So many calls must fail in an outage, and so many swipes be acknowledged before and after it."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_folder() as folder:
        made = Cluster(EMBEDDED, folder / "server")
        made.initialise()
        with running(made):
            yield made


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Database]:
    made = Database(cluster.url)
    made.migrate()
    yield made
    made.close()
    gc.collect()  # a connection that was left open is told of here, not in a later test


@pytest.fixture
def recommender(
    database: Database, encoder: TextEncoder, fusions: Fusions, starter_items: list[Item]
) -> Recommender:
    stores = postgres_stores(database, max_cache_entries=1000)
    known = read_vectors(STARTER_VECTORS)
    sync_index(starter_items, stores.items, encoder, lambda *_: None, known, fusions.space)
    settings = RecommenderSettings(enable_search_cache=False)
    return Recommender(stores, encoder, settings, fusions=fusions.encoders)


@dataclass
class Load:
    """People who swipe and search without a pause, and what came of it."""

    recommender: Recommender
    prefix: str
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    stopped: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)
    _watched: dict[str, tuple[int, Event]] = field(default_factory=dict)

    def swipe(self, person: int) -> None:
        # Attempts that fail take no time: in a long outage one person would run out of films.
        lives = (f"{self.prefix}-{person}-{life}" for life in count())
        for user, film in ((user, film) for user in lives for film in self.recommender.films()):
            if self.stopped.is_set():
                return
            if self._attempt(
                "swiped",
                lambda: self.recommender.record_swipe(user, film.item_id, Direction.LIKE),  # noqa: B023
            ):
                with self._lock:
                    self.acknowledged.append((user, film.item_id))

    def search(self, person: int) -> None:
        user, number = f"{self.prefix}-{person % SWIPERS}-0", 0
        while not self.stopped.is_set():
            number += 1
            request = SearchRequest(user_id=user, query=f"a heist number {number}", k=5)
            self._attempt("searched", lambda: self.recommender.search(request))  # noqa: B023

    def wait_for(self, outcome: str, times: int) -> None:
        """Wait until it came out so some more times."""
        enough = Event()
        with self._lock:
            self._watched[outcome] = (self.outcomes[outcome] + times, enough)
        assert enough.wait(WAIT_SECONDS), (outcome, self.outcomes)

    def _attempt(self, name: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except StoreUnavailable:
            self._note("unavailable")
            return False
        except Exception as error:
            self._note(f"{type(error).__name__}: {error}")
            return False
        self._note(name)
        return True

    def _note(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1
            times, enough = self._watched.get(outcome, (0, Event()))
            if self.outcomes[outcome] >= times:
                enough.set()


@contextmanager
def under_load(recommender: Recommender, prefix: str) -> Iterator[Load]:
    """Swipes and searches go on meanwhile."""
    load = Load(recommender, prefix)
    with ThreadPoolExecutor(SWIPERS + SEARCHERS) as pool:
        people = [pool.submit(load.swipe, person) for person in range(SWIPERS)]
        people += [pool.submit(load.search, person) for person in range(SEARCHERS)]
        try:
            yield load
        finally:
            load.stopped.set()
    for person in people:
        person.result()


def serving(load: Load) -> None:
    load.wait_for("swiped", BETWEEN)
    load.wait_for("searched", BETWEEN)


def check(load: Load, recommender: Recommender) -> None:
    """Nothing acknowledged is lost, and nothing failed in another way than it should."""
    assert load.outcomes.keys() <= {"swiped", "searched", "unavailable"}, load.outcomes
    acknowledged: dict[str, set[str]] = {}
    for user, item_id in load.acknowledged:
        acknowledged.setdefault(user, set()).add(item_id)
    assert acknowledged
    for user, item_ids in acknowledged.items():
        events = recommender.export_user(user).swipes
        assert item_ids <= {event.item_id for event in events}
        assert recommender.profile(user).swipe_count == len(events)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_under_load_costs_no_acknowledged_swipe(
    cluster: Cluster, recommender: Recommender, user_id: str, mode: Stop
) -> None:
    """Stopped in order, and as in a crash, twice each."""
    with under_load(recommender, user_id) as load:
        for _ in range(2):
            serving(load)
            cluster.stop(mode)
            load.wait_for("unavailable", OUTAGES)
            cluster.start()
            serving(load)
    check(load, recommender)


def test_a_server_that_only_reads_is_left_for_one_that_writes(
    cluster: Cluster, recommender: Recommender, user_id: str
) -> None:
    """As after a failover that demotes a server without closing its connections."""
    with under_load(recommender, user_id) as load:
        serving(load)
        set_read_only(cluster, True)
        load.wait_for("unavailable", OUTAGES)
        set_read_only(cluster, False)
        serving(load)
    check(load, recommender)


def set_read_only(cluster: Cluster, value: bool) -> None:
    host = make_url(cluster.url).query["host"]
    with psycopg.connect(f"host={host} user=postgres", autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
        connection.execute("SELECT pg_reload_conf()")
