"""A streaming replica: what may lag is read there, what may not is never."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
import pytest
from sqlalchemy import text

from fusion.fake import HashingEncoder
from recommender import Recommender
from recommender.models import Direction, Filters, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.ports import IndexedItem, Stores, Vector
from recommender.stores.postgres import Database, postgres_stores, replica
from tests.postgres import EMBEDDED, Cluster, cluster_folder, running

TITLES = ("Alien", "Heat", "Ronin", "Arrival", "Paddington", "Moon")


@dataclass
class Pair:
    """A primary and its replica."""

    primary: Cluster
    replica: Cluster

    def pause(self) -> None:
        """The replica takes nothing over until `resume`."""
        with _connected(self.replica) as connection:
            connection.execute("SELECT pg_wal_replay_pause()")
            _wait_while(connection, "pg_get_wal_replay_pause_state() <> 'paused'")

    def resume(self) -> None:
        with _connected(self.replica) as connection:
            connection.execute("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until the replica has all that the primary has by now."""
        with _connected(self.primary) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
            assert row is not None
        with _connected(self.replica) as connection:
            _wait_while(connection, f"pg_last_wal_replay_lsn() < '{row[0]}'::pg_lsn")


def _wait_while(connection: psycopg.Connection, condition: str) -> None:
    connection.execute("SET statement_timeout = '60s'")
    loop = f"DO $$ BEGIN WHILE {condition} LOOP PERFORM pg_sleep(0.01); END LOOP; END $$"
    connection.execute(loop.encode())


def _connected(cluster: Cluster) -> psycopg.Connection:
    return psycopg.connect(f"host={cluster.folder} user=postgres", autocommit=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with cluster_folder() as folder:
        primary = Cluster(EMBEDDED, folder / "primary")
        primary.initialise()
        with running(primary):
            database = Database(primary.url)
            database.migrate()
            database.close()
            copy = Cluster(EMBEDDED, folder / "replica")
            copy.copy_of(primary)
            with running(copy):
                yield Pair(primary, copy)


@pytest.fixture
def databases(pair: Pair) -> Iterator[tuple[Database, Database]]:
    made = Database(pair.primary.url), Database(pair.replica.url, writable=False)
    yield made
    pair.resume()
    for database in made:
        database.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds that passes for the store."""
    now = [0.0]
    monkeypatch.setattr(replica, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def stores(databases: tuple[Database, Database], clock: list[float]) -> Stores:  # noqa: ARG001
    primary, copy = databases
    made = postgres_stores(primary, 1000, copy)
    made.items.remove(list(made.items.fingerprints()))
    made.items.upsert([film(title) for title in TITLES])
    return made


ENCODER = HashingEncoder()


def film(title: str, shift: float = 0.0) -> IndexedItem:
    vector = ENCODER.encode([title])[0] + np.float32(shift)
    return IndexedItem(Item(item_id=title, title=title), vector, f"{title} {shift}", vector)


def shown(stores: Stores) -> set[str]:
    return {hit.item_id for hit in stores.items.nearest(asked(), 10, Filters())}


def asked() -> Vector:
    vector: Vector = ENCODER.encode(["Heat"])[0]
    return vector


def forget(database: Database, item_id: str) -> None:
    """Delete a film behind the store's back."""
    with database.connect() as connection:
        connection.execute(text("DELETE FROM items WHERE item_id = :it"), {"it": item_id})


def test_vectors_are_read_where_they_may_lag(
    pair: Pair, databases: tuple[Database, Database], stores: Stores
) -> None:
    pair.catch_up()
    assert shown(stores) == set(TITLES)
    pair.pause()
    forget(databases[0], "Moon")
    assert shown(stores) == set(TITLES)
    assert stores.items.vectors(["Moon"]).keys() == {"Moon"}
    assert stores.items.vectors(["Moon"], "fused").keys() == {"Moon"}
    assert {item.item_id for item in stores.items.all()} == set(TITLES) - {"Moon"}
    assert stores.items.fingerprints().keys() == set(TITLES) - {"Moon"}


def test_a_replica_that_lags_behind_an_index_is_not_asked(
    pair: Pair, databases: tuple[Database, Database], stores: Stores, clock: list[float]
) -> None:
    pair.catch_up()
    assert shown(stores) == set(TITLES)
    pair.pause()
    stores.items.upsert([film("Sicario"), film("Heat", 1.0)])
    clock[0] += 10
    assert shown(stores) == {*TITLES, "Sicario"}
    np.testing.assert_allclose(
        stores.items.vectors(["Heat"])["Heat"], film("Heat", 1.0).vector, rtol=1e-6
    )
    pair.resume()
    assert replica_is_asked(pair, databases[0], stores, clock)


def replica_is_asked(pair: Pair, primary: Database, stores: Stores, clock: list[float]) -> bool:
    """Whether the store reads there, once it has had the time to look."""
    clock[0] += replica.PAUSE_SECONDS
    pair.catch_up()
    shown(stores)
    pair.pause()
    forget(primary, "Moon")
    asked = "Moon" in shown(stores)
    pair.resume()
    return asked


def test_swipes_and_what_is_learned_of_them_are_never_stale(
    pair: Pair, stores: Stores, user_id: str
) -> None:
    """Each is read back at once, while the replica stands still."""
    pair.catch_up()
    recommender = Recommender(stores, ENCODER, RecommenderSettings())
    pair.pause()
    for number, title in enumerate(TITLES, 1):
        receipt = recommender.record_swipe(user_id, title, Direction.LIKE)
        assert receipt.swipe_count == number
        assert len(stores.swipes.events(user_id)) == number
        profile = recommender.profile(user_id)
        assert profile.swipe_count == number
        again = Recommender(stores, ENCODER, RecommenderSettings())  # another server
        found = again.search(SearchRequest(user_id=user_id, query="", k=10))
        assert title not in {item.item_id for item in found.items}


def test_without_the_replica_the_primary_answers(
    pair: Pair,
    databases: tuple[Database, Database],
    stores: Stores,
    clock: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    pair.catch_up()
    assert shown(stores) == set(TITLES)
    pair.replica.stop()
    assert shown(stores) == set(TITLES)
    assert "the replica does not answer, the primary is asked" in caplog.text
    caplog.clear()
    assert shown(stores) == set(TITLES)
    assert caplog.text == ""  # left alone for a while
    clock[0] += replica.PAUSE_SECONDS
    assert shown(stores) == set(TITLES)
    assert "the replica does not answer" in caplog.text
    pair.replica.start()
    assert replica_is_asked(pair, databases[0], stores, clock)


def test_a_replica_takes_no_writes_for_a_primary(pair: Pair) -> None:
    database = Database(pair.replica.url)
    with pytest.raises(Exception, match="does not answer") as caught, database.connect():
        pass
    assert "read-only" in str(getattr(caught.value, "detail", ""))
    database.close()
