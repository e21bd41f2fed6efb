"""The tables. Migrations make them; a test holds the two together."""

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

FUSED_DIM = 384
TEXT_DIM = 384
"""Of a new index; one that is empty takes the length of its encoder (``ItemStore.hold``)."""

metadata = MetaData()

items = Table(
    "items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("year", SmallInteger),
    Column("genres", ARRAY(Text), nullable=False),
    Column("director", ARRAY(Text), nullable=False),
    Column("cast", ARRAY(Text), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("overview", Text, nullable=False),
    Column("imdb_id", Text),
    Column("tmdb_id", Integer),
    Column("rating_count", Integer, nullable=False),
    Column("rating_mean", Float),
    Column("fingerprint", Text, nullable=False),
    Column("embedding", Vector(TEXT_DIM), nullable=False),
    Column("fused", Vector(FUSED_DIM)),
    Column("poster", Text),
    Column("credit", Text, nullable=False, server_default=text("'Directed by'")),
)

index_versions = Table(
    "index_versions",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    Column("version", Text, nullable=False),
    Column("models", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index(
        "index_versions_serving",
        "state",
        unique=True,
        postgresql_where=text("state = 'serving'"),
    ),
)
"""Each is a table like ``items``, which is number 0; see ``versions``."""


def items_of(number: int) -> Table:
    """The table of a version. A migration that changes ``items`` changes these, too."""
    return items if number == 0 else items.to_metadata(MetaData(), name=f"{items.name}_{number}")


swipe_events = Table(
    "swipe_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("session_id", Text),
    Column("swiped_at", DateTime(timezone=True), nullable=False),
    Column(
        "recorded_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("now()"),
    ),
    Column("idempotency_key", Text),
    Index("swipe_events_by_user", "user_id", "event_id"),
    Index(
        "swipe_events_idempotency",
        "user_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
)

# Unlogged, here and below: what is learned or cached is quicker to write so, and a crash
# of the database that empties these tables costs no more than computing it again.
user_preferences = Table(
    "user_preferences",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("event_count", Integer, nullable=False),
    Column("preferences", Text, nullable=False),
    prefixes=["UNLOGGED"],
)

surveys = Table(
    "surveys",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("idempotency_key", Text),
    Index("surveys_by_user", "user_id", "created_at"),
    Index(
        "surveys_idempotency",
        "user_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
)

exposures = Table(
    "exposures",
    metadata,
    Column("exposure_id", BigInteger, Identity(always=True), primary_key=True),
    Column("experiment", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("teams", ARRAY(Text)),
    Column("shown_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("exposures_by_experiment", "experiment", "user_id", "exposure_id"),
    Index("exposures_by_user", "user_id", "exposure_id"),
)

threads = Table(
    "threads",
    metadata,
    Column("thread_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("name", Text),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("threads_by_user", "user_id", "written_at"),
)

thread_records = Table(
    "thread_records",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column(
        "thread_id",
        Text,
        ForeignKey(threads.c.thread_id, ondelete="CASCADE"),
        nullable=False,
    ),
    Column("kind", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Index("thread_records_by_thread", "thread_id", "ordinal"),
)

embedding_cache = Table(
    "embedding_cache",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("query_hash", Text, primary_key=True),
    Column("preference_hash", Text, primary_key=True),
    Column("embedding", Vector(), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    prefixes=["UNLOGGED"],
)

search_cache = Table(
    "search_cache",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("query_hash", Text, primary_key=True),
    Column("preference_hash", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    prefixes=["UNLOGGED"],
)
