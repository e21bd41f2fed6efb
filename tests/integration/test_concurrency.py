"""Many requests at once: nothing is lost, nothing is counted twice."""

import itertools
import os
import resource
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import NothingToUndo
from recommender.models import Direction, Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database
from tests.integration.viewers import ids, look, ranking

FD_SETSIZE = 1024
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DIRECTIONS = (Direction.LIKE, Direction.LIKE, Direction.DISLIKE, Direction.SKIP)
Said = Sequence[tuple[str, Direction, datetime]]


@pytest.fixture(scope="module")
def servers(stores: Stores, encoder: TextEncoder) -> list[Recommender]:
    """Two servers over one database, at a clock that stands."""
    return [Recommender(stores, encoder, RecommenderSettings(), lambda: NOW) for _ in range(2)]


@pytest.fixture(scope="module")
def patient(stores: Stores, encoder: TextEncoder) -> Recommender:
    """A server that learns only when a profile is looked at."""
    settings = RecommenderSettings(
        preference_update_policy="batch", preference_update_batch_size=1000
    )
    return Recommender(stores, encoder, settings, lambda: NOW)


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


def said(catalogue: Catalogue, count: int) -> Said:
    return [
        (item.item_id, direction, NOW - timedelta(days=number % 90))
        for number, (item, direction) in enumerate(
            zip(catalogue.items[:count], itertools.cycle(DIRECTIONS), strict=False)
        )
    ]


def test_parallel_swipes_of_one_user_add_up(
    servers: list[Recommender], patient: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    """200 swipes by 8 threads on two servers leave what the same swipes one by one leave."""
    plan = said(catalogue, 200)

    def swipe(number: int) -> int:
        item_id, direction, moment = plan[number]
        server = servers[number % 2]
        receipt = server.record_swipe(user_id, item_id, direction, swiped_at=moment)
        return receipt.swipe_count

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(swipe, range(200)))
    assert max(counts) == 200

    sequential = user_id + "-sequential"
    for item_id, direction, moment in plan:
        patient.record_swipe(sequential, item_id, direction, swiped_at=moment)
    profiles = [
        server.profile(user) for server in (patient, *servers) for user in (user_id, sequential)
    ]
    apart = {"user_id", "updated_at", "recent_likes", "transformer_metrics", "learned_weights"}
    for profile in profiles:
        assert profile.swipe_count == 200
        assert profile.model_dump(exclude=apart) == profiles[0].model_dump(exclude=apart)
        assert profile.preference_confidence == pytest.approx(profiles[0].preference_confidence)
    together, alone = (servers[0].export_user(user) for user in (user_id, sequential))
    assert Counter((e.item_id, e.action) for e in together.swipes) == Counter(
        (e.item_id, e.action) for e in alone.swipes
    )
    assert together.preferences is not None
    assert alone.preferences is not None
    assert together.preferences["event_count"] == 200
    for name, vector in alone.preferences["vectors"].items():  # type: ignore[attr-defined]
        learned = together.preferences["vectors"][name]  # type: ignore[index]
        np.testing.assert_allclose(learned, vector, atol=1e-5)


def test_parallel_replays_record_once(
    servers: list[Recommender], catalogue: Catalogue, user_id: str
) -> None:
    item_id = catalogue.items[0].item_id

    def replay(number: int) -> object:
        return servers[number % 2].record_swipe(
            user_id, item_id, Direction.LIKE, idempotency_key="the same"
        )

    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(replay, range(30)))
    assert all(receipt == receipts[0] for receipt in receipts)
    assert len(servers[0].export_user(user_id).swipes) == 1


def test_parallel_undos_take_back_no_more_than_there_is(
    servers: list[Recommender], catalogue: Catalogue, user_id: str
) -> None:
    for item_id, _, moment in said(catalogue, 6):
        servers[0].record_swipe(user_id, item_id, Direction.LIKE, swiped_at=moment)

    def undo(number: int) -> bool:
        try:
            return servers[number % 2].undo_swipe(user_id).status == "undone"
        except NothingToUndo:
            return False

    with ThreadPoolExecutor(6) as pool:
        undone = sum(pool.map(undo, range(20)))
    left = servers[0].profile(user_id).swipe_count
    assert left == servers[1].profile(user_id).swipe_count == 6 - undone


def test_searching_while_swiping_shows_nothing_that_was_swiped_before(
    servers: list[Recommender], catalogue: Catalogue, user_id: str
) -> None:
    plan = said(catalogue, 40)

    def act(number: int) -> bool:
        item_id, direction, moment = plan[number]
        servers[number % 2].record_swipe(user_id, item_id, direction, swiped_at=moment)
        shown = look(servers[(number + 1) % 2], user_id, "an old favourite", k=30)
        return item_id in ids(shown)

    with ThreadPoolExecutor(6) as pool:
        assert not any(pool.map(act, range(40)))
    swiped = {item_id for item_id, _, _ in plan}
    for server in servers:  # a look at the profile ends the wait for the next batch
        server.profile(user_id)
    final = [look(server, user_id, "an old favourite", k=30) for server in servers]
    assert ranking(final[0]) == ranking(final[1])
    assert swiped.isdisjoint(ids(final[0]))


def test_users_at_once_do_not_mix(
    servers: list[Recommender], catalogue: Catalogue, user_id: str
) -> None:
    films = catalogue.items[:60]

    def live(number: int) -> bool:
        me, server = f"{user_id}-{number}", servers[number % 2]
        mine = [film.item_id for film in films[number::12]]
        for item_id in mine:
            server.record_swipe(me, item_id, Direction.LIKE)
            look(server, me, "a shared wish", k=10)
        return {event.item_id for event in server.export_user(me).swipes} == set(mine)

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(live, range(12)))


def test_the_database_is_reached_however_many_connections_clients_keep(postgres_url: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    database = Database(postgres_url)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        stack.callback(database.close)
        for _ in range(FD_SETSIZE):
            stack.enter_context(Path(os.devnull).open("rb"))
        for _ in range(2):  # a new connection, and one of the pool
            with database.connect() as connection:
                assert connection.scalar(text("SELECT 1")) == 1
