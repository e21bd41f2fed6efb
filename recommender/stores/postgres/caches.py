"""The embedding and search caches in PostgreSQL (unlogged tables)."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Delete,
    LargeBinary,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    EmbeddingCache,
    NewEmbedding,
    SearchCache,
    Vector,
)
from recommender.stores.postgres.ann import Binary
from recommender.stores.postgres.database import Database, Prepared
from recommender.stores.postgres.items import unpacked
from recommender.stores.postgres.schema import embedding_cache, search_cache

SWEEP_EVERY = 500
KEY = ("owner", "query_hash", "preference_hash")


class _Sweeper:
    """Every SWEEP_EVERY writes, drops what expired and, past the limit, what expires soonest."""

    def __init__(self, table: Table, max_entries: int) -> None:
        self._table = table
        self._max_entries = max_entries
        self._writes = count(1)

    def after_write(self, database: Database) -> None:
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
        past = expires_at <= func.greatest(func.now(), func.coalesce(horizon, func.now()))
        with database.connect() as connection:
            connection.execute(delete(self._table).where(past))


def _holds(table: Table) -> ColumnElement[bool]:
    """Made for a key, whose parts are parameters, and not expired ``now``."""
    return and_(
        *(table.c[name] == bindparam(name) for name in KEY),
        table.c.expires_at > bindparam("now"),
    )


def _embeddings() -> Select[tuple[str, str, str, bytes]]:
    """The vectors kept for keys, whose parts are arrays of equal length."""
    table = embedding_cache.c
    asked = func.unnest(*(bindparam(name, type_=ARRAY(Text)) for name in KEY))
    keys = asked.table_valued(*KEY, name="asked").render_derived()
    vector = func.vector_send(table.embedding, type_=LargeBinary)
    return select(*(table[name] for name in KEY), vector).where(
        *(table[name] == keys.c[name] for name in KEY), table.expires_at > bindparam("now")
    )


def _replacing(table: Table, index_elements: Sequence[str], **values: Any) -> Insert:  # noqa: ANN401
    """Insert a row of parameters, those of ``values`` as these, in the place of an earlier one."""
    statement = insert(table).values({c.name: bindparam(c.name) for c in table.c} | values)
    replaced = [c.name for c in table.c if c.name not in index_elements]
    return statement.on_conflict_do_update(
        index_elements=index_elements,
        set_={name: statement.excluded[name] for name in replaced},
    )


def _erasing(table: Table) -> Delete:
    return delete(table).where(table.c.owner == bindparam("owner"))


def _carrying_over() -> Update:
    """Give a user's answers that may stay another hash, and drop the others."""
    touched = bindparam("touched", type_=search_cache.c.item_ids.type)
    mine = search_cache.c.owner == bindparam("of_user")
    stays = and_(
        search_cache.c.preference_hash == bindparam("old_hash"),
        ~search_cache.c.item_ids.overlap(touched),
    )
    dropped = delete(search_cache).where(mine, ~stays).returning(search_cache.c.owner)
    kept = update(search_cache).where(mine, stays)
    kept = kept.values(preference_hash=bindparam("new_hash"))
    return kept.add_cte(dropped.cte("dropped"))


# Built once: it takes as long as running them.
GET_EMBEDDINGS = Prepared(_embeddings())
PUT_EMBEDDING = Prepared(
    _replacing(embedding_cache, KEY, embedding=bindparam("embedding", type_=Binary()))
)
GET_SEARCH = Prepared(
    select(search_cache.c.payload, search_cache.c.item_ids).where(_holds(search_cache))
)
PUT_SEARCH = Prepared(_replacing(search_cache, KEY[:2]))
ERASE_EMBEDDINGS = Prepared(_erasing(embedding_cache))
ERASE_SEARCHES = Prepared(_erasing(search_cache))
CARRY_OVER = Prepared(_carrying_over())


class PostgresEmbeddingCache(EmbeddingCache):
    """EmbeddingCache over a table."""

    def __init__(self, database: Database, max_entries: int) -> None:
        self._database = database
        self._sweeper = _Sweeper(embedding_cache, max_entries)

    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        asked = {name: [getattr(key, name) for key in keys] for name in KEY}
        stored = self._database.run(GET_EMBEDDINGS, asked | {"now": now})
        return {CacheKey(*key): unpacked(vector) for *key, vector in stored}

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        rows = [
            vars(new.key) | {"embedding": new.vector, "expires_at": new.expires_at}
            # In one order, so that no two writers wait for each other.
            for new in sorted(entries, key=lambda new: astuple(new.key))
        ]
        self._database.run_many(PUT_EMBEDDING, rows)
        for _ in rows:
            self._sweeper.after_write(self._database)

    def erase(self, owner: str) -> None:
        self._database.run(ERASE_EMBEDDINGS, {"owner": owner})


class PostgresSearchCache(SearchCache):
    """SearchCache over a table."""

    def __init__(self, database: Database, max_entries: int) -> None:
        self._database = database
        self._sweeper = _Sweeper(search_cache, max_entries)

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        asked = vars(key) | {"now": now}
        stored = self._database.run(GET_SEARCH, asked)
        return CachedSearch(stored[0][0], tuple(stored[0][1])) if stored else None

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        told = {"payload": answer.payload, "item_ids": list(answer.item_ids)}
        row = vars(key) | told | {"expires_at": expires_at}
        self._database.run(PUT_SEARCH, row)
        self._sweeper.after_write(self._database)

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        told = {"of_user": owner, "old_hash": old_hash, "new_hash": new_hash}
        self._database.run(CARRY_OVER, told | {"touched": list(touched)})

    def erase(self, owner: str) -> None:
        self._database.run(ERASE_SEARCHES, {"owner": owner})
