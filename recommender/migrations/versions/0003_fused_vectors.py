"""Films' vectors in the space of the fusion encoders; cached embeddings of any length."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE items ADD COLUMN fused vector(384)")
    op.execute("ALTER TABLE items ALTER COLUMN fused SET STORAGE PLAIN")
    op.execute("DELETE FROM embedding_cache")
    op.execute("ALTER TABLE embedding_cache ALTER COLUMN embedding TYPE vector")


def downgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN fused")
    op.execute("DELETE FROM embedding_cache")
    op.execute("ALTER TABLE embedding_cache ALTER COLUMN embedding TYPE vector(384)")
