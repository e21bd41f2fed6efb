"""The schema's revision: bringing it to the newest, or finding out that it is behind."""

import logging
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from recommender.errors import InvalidRequest

log = logging.getLogger(__name__)


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, in the connection's transaction."""
    # Two servers may start at once on one database: only one migrates, the other waits.
    connection.execute(text("SELECT pg_advisory_xact_lock(727001)"))
    if _newer(connection):
        return
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_newest(connection: Connection) -> None:
    """Raises InvalidRequest, naming the mend, when the schema is behind this release."""
    newest, current = known_revisions()[0], current_revision(connection)
    if current == newest or _newer(connection):
        return
    raise InvalidRequest(
        f"The database's schema is at revision {current or 'none'}, this release needs {newest}. "
        "Run `reelwise migrate` first, or set MIGRATE_ON_START=true."
    )


def known_revisions() -> list[str]:
    """The revisions that this release can serve or bring forward, the newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return [script.revision for script in scripts.walk_revisions()]


def current_revision(connection: Connection) -> str | None:
    """The database's own; None before its first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def _newer(connection: Connection) -> bool:
    """Whether a later release migrated: this one serves then, as after a deployment taken back."""
    current = current_revision(connection)
    if current is None or current in known_revisions():
        return False
    log.warning("the schema is at revision %s, of a later release than this one", current)
    return True


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("recommender") / "migrations"))
    return config
