"""What those who made films did, in every table of films."""

from alembic import op

revision = "0007"
down_revision = "0006"

_IN_EVERY_TABLE = """
    DO $$ DECLARE films text; BEGIN
        FOR films IN SELECT 'items' UNION SELECT 'items_' || number FROM index_versions LOOP
            EXECUTE 'ALTER TABLE IF EXISTS ' || films || ' {change}';
        END LOOP;
    END $$
"""
_ADD = "ADD COLUMN credit text NOT NULL DEFAULT ''Directed by''"


def upgrade() -> None:
    op.execute(_IN_EVERY_TABLE.format(change=_ADD))


def downgrade() -> None:
    op.execute(_IN_EVERY_TABLE.format(change="DROP COLUMN IF EXISTS credit"))
