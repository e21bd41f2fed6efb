"""All storage in one PostgreSQL with pgvector."""

from recommender.stores.ports import Stores
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

__all__ = ["Database", "embedded_server", "postgres_stores"]


def postgres_stores(database: Database, max_cache_entries: int) -> Stores:
    """Every port over one database."""
    return Stores(
        items=PostgresItemStore(database),
        swipes=PostgresSwipeLog(database),
        preferences=PostgresPreferenceStore(database),
        surveys=PostgresSurveyStore(database),
        exposures=PostgresExposureLog(database),
        conversations=PostgresConversationStore(database),
        embeddings=PostgresEmbeddingCache(database, max_cache_entries),
        searches=PostgresSearchCache(database, max_cache_entries),
    )
