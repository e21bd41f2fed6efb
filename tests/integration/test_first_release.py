"""What people did with the first release is there in this one, migrated in place or restored."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from assistant.composition import load_encoder, open_recommender
from assistant.settings import Settings
from recommender.models import Direction, Item
from recommender.stores.postgres import Database
from recommender.stores.postgres.backup import back_up, restore
from tests.conftest import new_database
from tests.integration.api_client import ApiClient, api

THEN = datetime(2026, 1, 5, 20, tzinfo=UTC)
VECTOR = str(np.linspace(-1, 1, 384, dtype=np.float32).tolist())
FILM = text(
    'INSERT INTO items (item_id, title, year, genres, director, "cast", tags, overview, '
    "rating_count, rating_mean, fingerprint, embedding) VALUES (:item_id, :title, :year, :genres, "
    ":director, :cast, :tags, :overview, :rating_count, :rating_mean, 'first', :embedding)"
)
SWIPE = text(
    "INSERT INTO swipe_events (user_id, item_id, action, session_id, swiped_at, idempotency_key) "
    "VALUES ('ada', :item_id, :action, 'cards', :swiped_at, :key)"
)
SURVEY = text("INSERT INTO surveys VALUES ('cards', 'ada', :item_ids, :created_at, 'first')")
LEARNED = text("INSERT INTO user_preferences VALUES ('ada', 8, :preferences)")
CACHED = text(
    "INSERT INTO embedding_cache VALUES ('*', 'hash', 'generic', :embedding, '2999-01-01')"
)
ANSWER = text("INSERT INTO search_cache VALUES ('ada', 'hash', 'taste', '{}', '{1}', '2999-01-01')")


@pytest.fixture
def first_release(postgres_url: str, starter_items: list[Item]) -> Iterator[str]:
    """A database as the first release left it: 40 films, and somebody's survey and swipes."""
    with new_database(postgres_url) as url:
        database, config = Database(url), Config()
        config.set_main_option("script_location", str(files("recommender") / "migrations"))
        with database.transaction() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            _fill(connection, starter_items)
        database.close()
        yield url


def _fill(connection: Connection, items: list[Item]) -> None:
    withdrawn = Item(item_id="withdrawn", title="A film that is in no catalogue any more")
    for film in [*items[:40], withdrawn]:
        facts = film.model_dump() | {"embedding": VECTOR}
        lists = {name: list(facts[name]) for name in ("genres", "director", "cast", "tags")}
        connection.execute(FILM, facts | lists)
    for number, film in enumerate(items[:7]):
        connection.execute(SWIPE, _swipe(film.item_id, "like", number))
    connection.execute(SWIPE, _swipe(items[6].item_id, "undo", 7))
    connection.execute(SWIPE, _swipe("withdrawn", "like", 8))
    connection.execute(
        SURVEY, {"item_ids": [film.item_id for film in items[:10]], "created_at": THEN}
    )
    connection.execute(LEARNED, {"preferences": json.dumps({"event_count": 8, "genres": {}})})
    connection.execute(CACHED, {"embedding": VECTOR})
    connection.execute(ANSWER)


def _swipe(item_id: str, action: str, number: int) -> dict[str, object]:
    moment = THEN + timedelta(minutes=number)
    return {"item_id": item_id, "action": action, "swiped_at": moment, "key": f"key-{number}"}


@pytest.fixture(params=["in place", "restored"])
def now(
    request: pytest.FixtureRequest, first_release: str, postgres_url: str, tmp_path: Path
) -> Iterator[str]:
    """The database, before this release's first start, where it was or from a backup."""
    if request.param == "in place":
        yield first_release
        return
    with new_database(postgres_url) as url:
        old, new = Database(first_release), Database(url)
        back_up(old, tmp_path / "first.backup")
        restore(new, tmp_path / "first.backup", replace=False)
        old.close()
        new.close()
        yield url


def test_this_release_serves_on(now: str, starter_items: list[Item]) -> None:
    settings = Settings(database_url=now)
    with open_recommender(settings, load_encoder(settings)) as service:
        client = ApiClient(api(service))
        exported = client.ok("GET", "/user/ada/export")
        assert [event["idempotency_key"] for event in exported["swipes"]] == [
            f"key-{number}" for number in range(9)
        ]
        assert [datetime.fromisoformat(event["swiped_at"]) for event in exported["swipes"]] == [
            THEN + timedelta(minutes=number) for number in range(9)
        ]
        assert exported["surveys"][0]["session_id"] == "cards"
        profile = client.ok("GET", "/user/ada/profile")
        assert (profile["swipe_count"], profile["strategy"]) == (7, "light")
        assert profile["top_genres"]
        assert len(service.films()) == len(starter_items)
        assert client.ok("GET", "/survey/cards/next?user_id=ada")["position"] == 7
        found = client.ok("POST", "/search", {"user_id": "ada", "query": "a heist"})
        assert found["intelligence_metadata"]["degraded"] == []
        assert found["intelligence_metadata"]["variant"] == "embedding_fusion"
        swiped = {event["item_id"] for event in exported["swipes"][:6]}
        assert swiped.isdisjoint(item["item_id"] for item in found["items"])
        again = {"user_id": "ada", "item_id": starter_items[0].item_id, "direction": "like"}
        client.ok("POST", "/swipe", again, idempotency_key="key-0")
        assert len(client.ok("GET", "/user/ada/export")["swipes"]) == 9
        receipt = service.record_swipe("ada", starter_items[50].item_id, Direction.DISLIKE)
        assert receipt.swipe_count == 8
