"""Clocks that are set back, caches that somebody else wrote into, models that hang."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import time

import numpy as np
import pytest
from sqlalchemy import text

from assistant.api.limits import Quota
from assistant.composition import Fusions, load_encoder, open_recommender
from assistant.settings import Settings
from fusion import short_tower
from fusion.circuit import FAILURES_TO_OPEN, PAUSE_SECONDS
from fusion.encoder import TextEncoder, Vectors
from fusion.onnx_session import embedded
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.models import Direction, Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database
from tests.endless import endless_session
from tests.integration.viewers import ROMANCE, SCI_FI, ids, look, opinions, tell

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
QUERY = "a lonely robot"


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(stores: Stores, encoder: TextEncoder, fusions: Fusions, clock: Clock) -> Recommender:
    return Recommender(stores, encoder, RecommenderSettings(), clock, fusions.encoders)


@pytest.fixture
def likes(starter_items: list[Item]) -> dict[str, str]:
    return opinions(Catalogue(starter_items), SCI_FI, ROMANCE)


def test_a_clock_set_back_changes_neither_order_nor_taste(
    timed: Recommender, clock: Clock, likes: dict[str, str], user_id: str
) -> None:
    still, jumping = f"still-{user_id}", f"jumping-{user_id}"
    tell(timed, still, likes)
    for number, (item_id, direction) in enumerate(likes.items()):
        clock.now = NOON - timedelta(hours=number)
        timed.record_swipe(jumping, item_id, Direction(direction))
    clock.now = NOON - timedelta(days=1)
    swiped = [event.item_id for event in timed.export_user(jumping).swipes]
    assert swiped == list(likes)
    assert timed.undo_swipe(jumping).item_id == timed.undo_swipe(still).item_id == swiped[-1]
    there, here = (timed.profile(user) for user in (jumping, still))
    assert (there.swipe_count, there.strategy) == (here.swipe_count, here.strategy)
    assert there.top_genres == here.top_genres
    assert there.preference_confidence == pytest.approx(here.preference_confidence, abs=0.01)


def test_a_clock_set_back_brings_no_stale_answer(
    timed: Recommender, clock: Clock, likes: dict[str, str], user_id: str
) -> None:
    tell(timed, user_id, likes)
    first = look(timed, user_id, QUERY)
    assert look(timed, user_id, QUERY).cached
    clock.now = NOON - timedelta(days=30)
    timed.record_swipe(user_id, ids(first)[0], Direction.DISLIKE)
    assert ids(first)[0] not in ids(look(timed, user_id, QUERY))
    clock.now = NOON
    assert ids(first)[0] not in ids(look(timed, user_id, QUERY))


def test_a_clock_set_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds, now = [0.0], time()
    quota = Quota("user", "2/minute", clock=lambda: seconds[0])
    for _ in range(2):
        quota.charge("ada")
    with pytest.raises(Exception, match="429"):
        quota.charge("ada")
    monkeypatch.setattr("time.time", lambda: now - 86_400)
    seconds[0] = 60.0
    assert quota.charge("ada").remaining == 1
    quota.charge("ada")
    with pytest.raises(Exception, match="429"):
        quota.charge("ada")


@pytest.mark.parametrize(
    "poison",
    [
        "UPDATE embedding_cache SET embedding = '[1,2,3]'",
        "UPDATE search_cache SET payload = 'not JSON'",
        "UPDATE search_cache SET payload = '{\"items\": []}'",
        "UPDATE user_preferences SET preferences = '{\"event_count\": 1}'",
        "TRUNCATE embedding_cache, search_cache, user_preferences",
    ],
)
def test_what_others_wrote_into_caches_is_made_anew(
    stores: Stores,
    encoder: TextEncoder,
    fusions: Fusions,
    indexed_url: str,
    likes: dict[str, str],
    user_id: str,
    poison: str,
) -> None:
    def fresh() -> Recommender:
        return Recommender(
            stores, encoder, RecommenderSettings(), lambda: NOON, fusions=fusions.encoders
        )

    tell(fresh(), user_id, likes)
    sound = look(fresh(), user_id, QUERY)
    database = Database(indexed_url)
    with database.connect() as connection:
        connection.execute(text(poison))
        if "search_cache" not in poison:  # it would answer before the others are asked
            connection.execute(text("DELETE FROM search_cache"))
    database.close()
    answer = look(fresh(), user_id, QUERY)
    assert not answer.cached or "preferences" in poison
    assert answer.intelligence_metadata.degraded == ()
    assert ids(answer) == ids(sound)
    assert fresh().profile(user_id).swipe_count == len(likes)


def test_a_model_that_hangs_costs_a_bounded_wait_and_its_share_of_the_answer(
    indexed_url: str,
    user_id: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
    wait: Callable[[float], None],
) -> None:
    settings = Settings(database_url=indexed_url, reelwise_home=str(tmp_path), encoder_timeout=0.05)
    endless = endless_session()

    def hang(_: object, ids: np.ndarray) -> Mapping[str, Vectors]:
        return embedded(endless, ids)

    with open_recommender(settings, load_encoder(settings)) as service:
        monkeypatch.setattr(short_tower, "embedded", hang)
        for number in range(FAILURES_TO_OPEN + 2):  # the last are not tried any more
            answer = look(service, user_id, f"heist that hangs {number}")
            assert answer.items
            assert set(answer.intelligence_metadata.degraded) == {"encoder", "fusion"}
        assert service.ready() == {"store": True, "index": True, "encoder": False}
        assert service.record_swipe(user_id, "1", Direction.LIKE).swipe_count == 1
        monkeypatch.setattr(short_tower, "embedded", embedded)
        wait(PAUSE_SECONDS + 1)
        answer = look(service, user_id, "heist that hangs no more")
        assert answer.intelligence_metadata.degraded == ()
        assert service.ready()["encoder"]
