"""What experiments showed."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = """
CREATE TABLE exposures (
    exposure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment text NOT NULL,
    user_id text NOT NULL,
    variant text NOT NULL,
    item_ids text[] NOT NULL,
    teams text[],
    shown_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX exposures_by_experiment ON exposures (experiment, user_id, exposure_id);
CREATE INDEX exposures_by_user ON exposures (user_id, exposure_id);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("exposures")
