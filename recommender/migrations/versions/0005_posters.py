"""Where films' posters are."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE items ADD COLUMN poster text")


def downgrade() -> None:
    op.execute("ALTER TABLE items DROP COLUMN poster")
