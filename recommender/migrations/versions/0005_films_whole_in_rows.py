"""Films' facts beside their vectors in the row.

Both vectors are longer than what PostgreSQL wants a row to be, so that it moved all it could into
another table: a filter by genre looked every film up there, and took four times as long.
"""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE items SET (toast_tuple_target = 8160)")
    # Rewriting the table would build graphs again, and lock everybody out for so long. They are
    # built at the next start.
    graphs = op.get_bind().execute(
        text("SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'ann_')")
    )
    for name in graphs.scalars().all():
        op.execute(f"DROP INDEX {name}")
    op.execute("CLUSTER items USING items_pkey")


def downgrade() -> None:
    op.execute("ALTER TABLE items RESET (toast_tuple_target)")
