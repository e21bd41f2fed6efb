"""What is learned or cached is stored as it is.

Compressing ten kilobytes of numbers took PostgreSQL longer than anything else about a swipe.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

COLUMNS = {"user_preferences": "preferences", "search_cache": "payload"}


def upgrade() -> None:
    for table, column in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table, column in COLUMNS.items():
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTENDED")
