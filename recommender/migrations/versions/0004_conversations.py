"""What was said in chats."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE threads (
            thread_id text PRIMARY KEY,
            user_id text NOT NULL,
            name text,
            metadata jsonb NOT NULL DEFAULT '{}',
            created_at timestamptz NOT NULL DEFAULT now(),
            written_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX threads_by_user ON threads (user_id, written_at)")
    op.execute("""
        CREATE TABLE thread_records (
            record_id text PRIMARY KEY,
            thread_id text NOT NULL REFERENCES threads ON DELETE CASCADE,
            kind text NOT NULL,
            body jsonb NOT NULL,
            ordinal bigint GENERATED ALWAYS AS IDENTITY NOT NULL
        )
    """)
    op.execute("CREATE INDEX thread_records_by_thread ON thread_records (thread_id, ordinal)")


def downgrade() -> None:
    op.execute("DROP TABLE thread_records")
    op.execute("DROP TABLE threads")
