"""The embedding and search caches in PostgreSQL (unlogged tables)."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from recommender.stores.ports import CachedSearch, CacheKey, EmbeddingCache, SearchCache, Vector
from recommender.stores.postgres.database import Database
from recommender.stores.postgres.schema import embedding_cache, search_cache

SWEEP_EVERY = 500


class _Sweeper:
    """Every SWEEP_EVERY writes, drops what expired and, past the limit, what expires soonest."""

    def __init__(self, table: Table, max_entries: int) -> None:
        self._table = table
        self._max_entries = max_entries
        self._writes = count(1)

    def after_write(self, connection: Connection) -> None:
        if next(self._writes) % SWEEP_EVERY:
            return
        expires_at = self._table.c.expires_at
        horizon = (
            select(expires_at)
            .order_by(expires_at.desc())
            .offset(self._max_entries)
            .limit(1)
            .scalar_subquery()
        )
        connection.execute(
            delete(self._table).where(
                expires_at <= func.greatest(func.now(), func.coalesce(horizon, func.now()))
            )
        )


def _holds(table: Table, key: CacheKey, now: datetime) -> ColumnElement[bool]:
    """Made for this key, and not expired."""
    return and_(
        table.c.owner == key.owner,
        table.c.query_hash == key.query_hash,
        table.c.preference_hash == key.preference_hash,
        table.c.expires_at > now,
    )


class PostgresEmbeddingCache(EmbeddingCache):
    """EmbeddingCache over a table."""

    def __init__(self, database: Database, max_entries: int) -> None:
        self._database = database
        self._sweeper = _Sweeper(embedding_cache, max_entries)

    def get(self, key: CacheKey, now: datetime) -> Vector | None:
        statement = select(embedding_cache.c.embedding).where(_holds(embedding_cache, key, now))
        with self._database.connect() as connection:
            stored = connection.execute(statement).scalar_one_or_none()
        return None if stored is None else np.asarray(stored, dtype=np.float32)

    def put(self, key: CacheKey, vector: Vector, expires_at: datetime) -> None:
        statement = insert(embedding_cache).values(
            **vars(key), embedding=vector, expires_at=expires_at
        )
        statement = statement.on_conflict_do_update(
            index_elements=["owner", "query_hash", "preference_hash"],
            set_={
                "embedding": statement.excluded.embedding,
                "expires_at": statement.excluded.expires_at,
            },
        )
        with self._database.connect() as connection:
            connection.execute(statement)
            self._sweeper.after_write(connection)

    def erase(self, owner: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(embedding_cache).where(embedding_cache.c.owner == owner))


class PostgresSearchCache(SearchCache):
    """SearchCache over a table."""

    def __init__(self, database: Database, max_entries: int) -> None:
        self._database = database
        self._sweeper = _Sweeper(search_cache, max_entries)

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        statement = select(search_cache.c.payload, search_cache.c.item_ids).where(
            _holds(search_cache, key, now)
        )
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else CachedSearch(row.payload, tuple(row.item_ids))

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        statement = insert(search_cache).values(
            **vars(key),
            payload=answer.payload,
            item_ids=list(answer.item_ids),
            expires_at=expires_at,
        )
        replaced = ("preference_hash", "payload", "item_ids", "expires_at")
        statement = statement.on_conflict_do_update(
            index_elements=["owner", "query_hash"],
            set_={name: statement.excluded[name] for name in replaced},
        )
        with self._database.connect() as connection:
            connection.execute(statement)
            self._sweeper.after_write(connection)

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        mine = search_cache.c.owner == owner
        stays = and_(
            search_cache.c.preference_hash == old_hash,
            ~search_cache.c.item_ids.overlap(list(touched)),
        )
        # In this order a failure in between leaves entries of the old hash, which nobody asks for.
        with self._database.connect() as connection:
            connection.execute(delete(search_cache).where(mine, ~stays))
            connection.execute(
                update(search_cache).where(mine, stays).values(preference_hash=new_hash)
            )

    def erase(self, owner: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(search_cache).where(search_cache.c.owner == owner))
