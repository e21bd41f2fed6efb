"""What grows with the users, in DynamoDB: swipes, preferences and both caches (extra ``[aws]``)."""

from datetime import timedelta

from recommender.stores.dynamodb.caches import DynamoEmbeddingCache, DynamoSearchCache
from recommender.stores.dynamodb.preferences import DynamoPreferenceStore
from recommender.stores.dynamodb.swipes import DynamoSwipeLog
from recommender.stores.dynamodb.tables import Tables, connect
from recommender.stores.ports import Stores

__all__ = ["Tables", "connect", "in_dynamodb"]


def in_dynamodb(
    stores: Stores, tables: Tables, max_cache_entries: int, swipes_live: timedelta | None = None
) -> Stores:
    """The stores with their per-user parts, all but surveys, exposures and
    conversations, moved to tables.

    Swipes are kept for ever, or as long as they ``swipes_live``; so is what is learned of them.
    """
    return Stores(
        items=stores.items,
        swipes=DynamoSwipeLog(tables.swipes, swipes_live),
        preferences=DynamoPreferenceStore(tables.preferences, swipes_live),
        surveys=stores.surveys,
        exposures=stores.exposures,
        conversations=stores.conversations,
        embeddings=DynamoEmbeddingCache(tables.embeddings, max_cache_entries),
        searches=DynamoSearchCache(tables.searches, max_cache_entries),
        words=stores.words,
    )
