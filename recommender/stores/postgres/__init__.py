"""All storage in one PostgreSQL with pgvector."""

from recommender.stores.ports import Stores
from recommender.stores.postgres.access import Access
from recommender.stores.postgres.ann import SCAN, Hnsw
from recommender.stores.postgres.caches import (
    PostgresEmbeddingCache,
    PostgresSearchCache,
)
from recommender.stores.postgres.conversations import PostgresConversationStore
from recommender.stores.postgres.database import Database, embedded_server
from recommender.stores.postgres.exposures import PostgresExposureLog
from recommender.stores.postgres.items import PostgresItemStore
from recommender.stores.postgres.swipes import PostgresSwipeLog
from recommender.stores.postgres.users import (
    PostgresPreferenceStore,
    PostgresSurveyStore,
)

__all__ = ["SCAN", "Access", "Database", "Hnsw", "embedded_server", "postgres_stores"]


def postgres_stores(
    database: Database,
    max_cache_entries: int,
    replica: Database | None = None,
    hnsw: Hnsw | None = None,
) -> Stores:
    """Every port over one database; films are searched exactly, or by ``hnsw``.

    Only films' vectors may come from a ``replica``, which lags: swipes and what is learned of them
    are read where they are written, and caches are unlogged tables, which replicas do not have.
    """
    return Stores(
        items=PostgresItemStore(database, replica, hnsw),
        swipes=PostgresSwipeLog(database),
        preferences=PostgresPreferenceStore(database),
        surveys=PostgresSurveyStore(database),
        exposures=PostgresExposureLog(database),
        conversations=PostgresConversationStore(database),
        embeddings=PostgresEmbeddingCache(database, max_cache_entries),
        searches=PostgresSearchCache(database, max_cache_entries),
    )
