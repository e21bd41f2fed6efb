"""Migrations make exactly the tables that the code speaks of."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from fusion.fake import HashingEncoder
from recommender.errors import InvalidRequest
from recommender.indexer import sync_index
from recommender.models import Filters, Item
from recommender.stores.ports import CacheKey, IndexedItem, NewEmbedding, NewExposure, NewSwipe
from recommender.stores.postgres import Database, postgres_stores
from recommender.stores.postgres.schema import metadata
from tests.conftest import new_database
from tests.models_folder import text_space

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = np.linspace(-1, 1, 384, dtype=np.float32)
OLD_FILM = text(
    'INSERT INTO items (item_id, title, year, genres, director, "cast", tags, overview, '
    "rating_count, fingerprint, embedding) "
    "VALUES ('1', 'Heat', 1995, '{}', '{}', '{}', '{}', '', 0, 'old', :vector)"
)
OLD_EMBEDDING = text(
    "INSERT INTO embedding_cache (owner, query_hash, preference_hash, embedding, expires_at) "
    "VALUES ('*', 'query', 'generic', :vector, '2999-01-01')"
)
TABLES = {table.name for table in metadata.sorted_tables}


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Database]:
    """A database without any table."""
    with new_database(postgres_url) as url:
        database = Database(url)
        yield database
        database.close()


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(files("recommender") / "migrations"))
    return made


def upgrade(database: Database, revision: str) -> None:
    """Bring the schema to a revision that is not the newest."""
    up = config()
    with database.transaction() as connection:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        up.attributes["connection"] = connection
        command.upgrade(up, revision)


def tables(database: Database) -> set[str]:
    with database.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_from_nothing_to_the_schema(empty: Database) -> None:
    assert tables(empty) == set()
    empty.migrate()
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_what_the_comparison_cannot_see(database: Database) -> None:
    """What can be made again is unlogged and not compressed; vectors lie in the row; the server
    numbers events.
    """
    with database.connect() as connection:
        kinds = connection.execute(
            text("SELECT relname, relpersistence FROM pg_class WHERE relkind = 'r'")
        )
        persistence = {name: kind for name, kind in kinds if name in TABLES}
        storage = connection.execute(
            text(
                "SELECT DISTINCT attstorage FROM pg_attribute "
                "WHERE attrelid = 'items'::regclass AND attname IN ('embedding', 'fused')"
            )
        ).scalar_one()
        as_they_are = connection.execute(
            text(
                "SELECT attrelid::regclass::text, attname FROM pg_attribute "
                "WHERE attstorage = 'e' AND attrelid::regclass::text "
                "IN ('user_preferences', 'search_cache')"
            )
        ).all()
        identity = inspect(connection).get_columns("swipe_events")[0]["identity"]
    assert set(as_they_are) == {("user_preferences", "preferences"), ("search_cache", "payload")}
    durable = {name for name, kind in persistence.items() if kind == "p"}
    assert durable == {
        "items",
        "index_versions",
        "swipe_events",
        "surveys",
        "exposures",
        "threads",
        "thread_records",
    }
    assert persistence.keys() == TABLES
    assert storage == "p"
    assert identity["always"]


def test_migrating_twice_keeps_the_data(empty: Database) -> None:
    empty.migrate()
    with empty.connect() as connection:
        connection.execute(
            text(
                "INSERT INTO swipe_events (user_id, item_id, action, swiped_at) "
                "VALUES ('ann', '1', 'like', now())"
            )
        )
    empty.migrate()
    with empty.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM swipe_events")).scalar() == 1


def test_films_of_the_first_schemas_wait_for_their_place(empty: Database) -> None:
    """What was stored by an older release is kept; cached embeddings, which are no store, go."""
    film = Item(item_id="1", title="Heat", year=1995)
    swipe = NewSwipe("ann", "1", "like", None, NOW)
    upgrade(empty, "0001")
    with empty.transaction() as connection:
        connection.execute(OLD_FILM, {"vector": str(TEXT.tolist())})
        connection.execute(OLD_EMBEDDING, {"vector": str(TEXT.tolist())})
    stores = postgres_stores(empty, max_cache_entries=10)
    event = stores.swipes.append(swipe)
    upgrade(empty, "0002")
    shown = stores.exposures.append(NewExposure("test", "ann", "generic", ("1",)))
    empty.migrate()
    assert stores.swipes.events("ann") == [event]
    assert stores.exposures.of_user("ann") == [shown]
    assert list(stores.items.all()) == [film]
    np.testing.assert_array_equal(stores.items.vectors(["1"])["1"], TEXT)
    assert stores.items.vectors(["1"], "fused") == {}
    assert stores.items.nearest(TEXT, 5, Filters(), (), "fused") == []
    assert stores.embeddings.get_many([CacheKey("*", "query", "generic")], NOW) == {}
    encoder = HashingEncoder()
    synced = sync_index([film], stores.items, encoder, lambda *_: None, {}, text_space())
    assert synced == 1
    np.testing.assert_allclose(
        stores.items.vectors(["1"], "fused")["1"], stores.items.vectors(["1"])["1"], atol=1e-6
    )


def test_an_older_release_finds_its_films_after_the_way_back(empty: Database) -> None:
    empty.migrate()
    stores = postgres_stores(empty, max_cache_entries=10)
    stores.items.upsert([IndexedItem(Item(item_id="1", title="Heat"), TEXT, "print", TEXT)])
    key = CacheKey("ann", "q", "p")
    stores.embeddings.put_many([NewEmbedding(key, np.ones(770, np.float32), NOW)])
    down = config()
    with empty.transaction() as connection:
        down.attributes["connection"] = connection
        command.downgrade(down, "0002")
    with empty.connect() as connection:
        assert connection.execute(text("SELECT title, fingerprint FROM items")).all() == [
            ("Heat", "print")
        ]
        assert connection.execute(text("SELECT count(*) FROM embedding_cache")).scalar() == 0


def test_two_servers_may_migrate_at_once(empty: Database) -> None:
    databases = [Database(empty.engine.url.render_as_string(hide_password=False)) for _ in "1234"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Database.migrate, databases))
    assert tables(empty) == TABLES
    for database in databases:
        assert tables(database) == TABLES
        database.close()


@pytest.mark.parametrize(("revision", "said"), [("base", "none"), ("0002", "0002")])
def test_a_schema_that_is_behind_is_refused_with_the_mend(
    empty: Database, revision: str, said: str
) -> None:
    if revision != "base":
        upgrade(empty, revision)
    newest = ScriptDirectory.from_config(config()).get_current_head()
    with pytest.raises(InvalidRequest) as caught:
        empty.require_newest_schema()
    assert f"is at revision {said}, this release needs {newest}." in str(caught.value)
    assert "Run `reelwise migrate` first" in str(caught.value)
    empty.migrate()
    empty.require_newest_schema()


def test_a_schema_of_a_later_release_is_left_alone(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """So that a release can be taken back without its migrations."""
    with database.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.migrate()
    database.require_newest_schema()
    assert caplog.text.count("the schema is at revision 9999, of a later release") == 2
    assert tables(database) == TABLES


def test_facts_of_films_move_into_their_rows(empty: Database) -> None:
    film = Item(item_id="1", title="Heat", genres=("Crime", "Thriller"), overview="A heist. " * 50)
    aside = text("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'items'")

    def bytes_aside() -> int:
        with empty.connect() as connection:
            return int(connection.execute(aside).scalar_one())

    upgrade(empty, "0007")
    empty.engine.dispose()  # connections of before did not find the vector type
    items = postgres_stores(empty, max_cache_entries=10).items
    items.upsert([IndexedItem(film, TEXT, "print", TEXT)])
    assert bytes_aside() > 0
    empty.migrate()
    items.upsert([IndexedItem(film.model_copy(update={"item_id": "2"}), TEXT, "print", TEXT)])
    assert bytes_aside() == 0
    assert {item.genres for item in items.all()} == {film.genres}


def test_down_and_up_again(database: Database) -> None:
    down = config()
    with database.transaction() as connection:
        down.attributes["connection"] = connection
        command.downgrade(down, "base")
    assert tables(database) == set()
    database.migrate()
    assert tables(database) == TABLES


def test_there_is_one_newest_revision() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1
