"""Where films' posters are, and what those who made them did."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE items ADD COLUMN poster text")
    op.execute("ALTER TABLE items ADD COLUMN credit text NOT NULL DEFAULT 'Directed by'")


def downgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN credit")
    op.execute("ALTER TABLE items DROP COLUMN poster")
