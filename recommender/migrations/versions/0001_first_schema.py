"""Films with vectors, the swipe log, preferences, surveys and two caches."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = """
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE items (
    item_id text PRIMARY KEY,
    title text NOT NULL,
    year smallint,
    genres text[] NOT NULL,
    director text[] NOT NULL,
    "cast" text[] NOT NULL,
    tags text[] NOT NULL,
    overview text NOT NULL,
    imdb_id text,
    tmdb_id integer,
    rating_count integer NOT NULL,
    rating_mean double precision,
    fingerprint text NOT NULL,
    embedding vector(384) NOT NULL
);
-- Kept in the row: reading every vector through TOAST makes an exact scan several times slower.
ALTER TABLE items ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE TABLE swipe_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL,
    item_id text NOT NULL,
    action text NOT NULL,
    session_id text,
    swiped_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    idempotency_key text
);
CREATE INDEX swipe_events_by_user ON swipe_events (user_id, event_id);
CREATE UNIQUE INDEX swipe_events_idempotency ON swipe_events (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE UNLOGGED TABLE user_preferences (
    user_id text PRIMARY KEY,
    event_count integer NOT NULL,
    preferences text NOT NULL
);

CREATE TABLE surveys (
    session_id text PRIMARY KEY,
    user_id text NOT NULL,
    item_ids text[] NOT NULL,
    created_at timestamptz NOT NULL,
    idempotency_key text
);
CREATE INDEX surveys_by_user ON surveys (user_id, created_at);
CREATE UNIQUE INDEX surveys_idempotency ON surveys (user_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE UNLOGGED TABLE embedding_cache (
    owner text,
    query_hash text,
    preference_hash text,
    embedding vector(384) NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (owner, query_hash, preference_hash)
);
CREATE INDEX ix_embedding_cache_expires_at ON embedding_cache (expires_at);

CREATE UNLOGGED TABLE search_cache (
    owner text,
    query_hash text,
    preference_hash text NOT NULL,
    payload text NOT NULL,
    item_ids text[] NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (owner, query_hash)
);
CREATE INDEX ix_search_cache_expires_at ON search_cache (expires_at);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    for table in (
        "search_cache",
        "embedding_cache",
        "surveys",
        "user_preferences",
        "swipe_events",
        "items",
    ):
        op.drop_table(table)
