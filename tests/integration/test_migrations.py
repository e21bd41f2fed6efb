"""Migrations make exactly the tables that the code speaks of."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from recommender.stores.postgres import Database
from recommender.stores.postgres.schema import metadata
from tests.conftest import new_database

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
    """What can be made again is unlogged; vectors lie in the row; the server numbers events."""
    with database.connect() as connection:
        kinds = connection.execute(
            text("SELECT relname, relpersistence FROM pg_class WHERE relkind = 'r'")
        )
        persistence = {name: kind for name, kind in kinds if name in TABLES}
        storage = connection.execute(
            text(
                "SELECT attstorage FROM pg_attribute "
                "WHERE attrelid = 'items'::regclass AND attname = 'embedding'"
            )
        ).scalar_one()
        identity = inspect(connection).get_columns("swipe_events")[0]["identity"]
    durable = {name for name, kind in persistence.items() if kind == "p"}
    assert durable == {"items", "swipe_events", "surveys", "exposures"}
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


def test_two_servers_may_migrate_at_once(empty: Database) -> None:
    databases = [Database(empty.engine.url.render_as_string(hide_password=False)) for _ in "1234"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Database.migrate, databases))
    assert tables(empty) == TABLES
    for database in databases:
        assert tables(database) == TABLES
        database.close()


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
