"""Which revision a database's schema is at, and which ones this release knows."""

from importlib.resources import files

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from recommender.stores.postgres.database import Database


def known_revisions() -> list[str]:
    """The revisions that this release can serve or bring forward, the newest first."""
    config = Config()
    config.set_main_option("script_location", str(files("recommender") / "migrations"))
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()]


def current_revision(database: Database) -> str | None:
    """The database's own; None before its first migration. Raises StoreUnavailable."""
    with database.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
