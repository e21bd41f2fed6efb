"""Films' facts beside their vectors in the row.

Both vectors are longer than what PostgreSQL wants a row to be, so that it moved all it could into
another table: a filter by genre looked every film up there, and took four times as long.
"""

from collections.abc import Iterator

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Rewriting a table would build graphs again, and lock everybody out for so long. They are
    # built at the next start.
    graphs = text("SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'ann_')")
    for name in op.get_bind().execute(graphs).scalars().all():
        op.execute(f"DROP INDEX {name}")
    for table in _tables():
        op.execute(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")
        op.execute(f"CLUSTER {table} USING {table}_pkey")


def downgrade() -> None:
    for table in _tables():
        op.execute(f"ALTER TABLE {table} RESET (toast_tuple_target)")


def _tables() -> Iterator[str]:
    """Those that hold films: each version of the index has one."""
    found = text(
        "SELECT name FROM (SELECT 'items_' || number AS name FROM index_versions "
        "UNION SELECT 'items') AS held WHERE to_regclass(name) IS NOT NULL"
    )
    yield from op.get_bind().execute(found).scalars().all()
