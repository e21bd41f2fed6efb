"""Faults of real parts: a disk that fills or takes nothing, a writer who stands still."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, create_engine, text

WAIT_SECONDS = 120.0
COMMIT_SECONDS = 0.1
GATE = 4711
HOLD_FILM = f"""
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.item_id = '%s' THEN PERFORM pg_advisory_xact_lock({GATE}); END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION hold_in_new() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE made record;
BEGIN
    FOR made IN SELECT * FROM pg_event_trigger_ddl_commands()
            WHERE object_identity ~ '^public.items_[0-9]+$' LOOP
        EXECUTE 'CREATE OR REPLACE TRIGGER hold BEFORE INSERT OR UPDATE ON '
            || made.object_identity || ' FOR EACH ROW EXECUTE FUNCTION hold()';
    END LOOP;
END $$;
CREATE EVENT TRIGGER hold_in_new ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION hold_in_new()
"""  # noqa: S608 - a number of our own
"""Each version of the index is a table of its own, which is made when it is built."""
AT_THE_GATE = text(
    f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted"  # noqa: S608
)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own; passed over where mounting is not allowed."""
    folder.mkdir()
    size = f"size={megabytes}m,mode=755"
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def read_only(folder: Path) -> None:
    """Have the file system of a folder take no more writes."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the space that is left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return ballast


def slow_disk(url: str) -> None:
    """Have each commit to a database wait COMMIT_SECONDS before it is flushed, from now on.

    That is as long as PostgreSQL can be told to wait; those who wait together are flushed together.
    """
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in (f"commit_delay = {COMMIT_SECONDS * 1e6:.0f}", "commit_siblings = 0"):
            connection.execute(text(f"ALTER DATABASE {engine.url.database} SET {setting}"))
    engine.dispose()


@contextmanager
def held_at(url: str, item_id: str) -> Iterator[Connection]:
    """While it lasts, whoever writes this film into a new version of the index stands still."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(HOLD_FILM % item_id))
        connection.execute(text(f"SELECT pg_advisory_lock({GATE})"))
        yield connection
        connection.execute(text(f"SELECT pg_advisory_unlock({GATE})"))
        connection.execute(text("DROP EVENT TRIGGER hold_in_new"))
        connection.execute(text("DROP FUNCTION hold, hold_in_new CASCADE"))
    engine.dispose()


def wait_at_gate(connection: Connection) -> None:
    """Until somebody stands still there."""
    deadline = time.monotonic() + WAIT_SECONDS
    while connection.execute(AT_THE_GATE).first() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)  # another process offers nothing to wait on


def postmaster(processes: list[psutil.Process]) -> psutil.Process:
    """The PostgreSQL process that all others are children of."""
    own = {process.pid for process in processes}
    [parent] = {process for process in processes if process.ppid() not in own}
    return parent
