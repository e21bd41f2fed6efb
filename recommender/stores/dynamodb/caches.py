"""The embedding and search caches in DynamoDB."""

import logging
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count

import numpy as np

from recommender.stores.dynamodb.tables import EXPIRES_AT, OWNED, ConditionFailed, Record, Table
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    EmbeddingCache,
    NewEmbedding,
    SearchCache,
    Vector,
)

SWEEP_EVERY = 500
LARGEST = 390_000
"""Bytes of a cached value; DynamoDB refuses records of more than 400 KB with all their names."""
SHARED = "*"
DAMAGED = (KeyError, AttributeError, TypeError, ValueError, zlib.error)
"""How an entry fails that something else than this release wrote: it counts as none."""

log = logging.getLogger(__name__)


class _Entries:
    """A cache's records: written with owner and expiry, found by owner, bounded in number."""

    def __init__(self, table: Table, prefix: str, max_entries: int) -> None:
        self.table = table
        self._prefix = prefix
        self._max_entries = max_entries
        self._writes = count(1)

    def get(self, name: str, key: CacheKey, now: datetime) -> Record | None:
        """The record if it was made for this key and has not expired."""
        record = self.table.get(PK=self._pk(name))
        return record if record is not None and _holds(record, key, now) else None

    def get_many(self, keys: Mapping[str, CacheKey], now: datetime) -> dict[CacheKey, Record]:
        """The records of these names that were made for these keys and have not expired."""
        named = {self._pk(name): key for name, key in keys.items()}
        records = self.table.get_many([{"PK": name} for name in named])
        found = ((named[record["PK"]], record) for record in records)
        return {key: record for key, record in found if _holds(record, key, now)}

    def put(self, name: str, key: CacheKey, expires_at: datetime, **value: object) -> None:
        self.table.put(self._record(name, key, expires_at, value))
        self._after_write()

    def put_many(self, entries: Sequence[tuple[str, CacheKey, datetime, Record]]) -> None:
        """Write a record of each name, key, expiry and value."""
        self.table.put_many([self._record(*entry) for entry in entries])
        self._after_write()

    def _pk(self, name: str) -> str:
        return f"{self._prefix}#{name}"

    def _record(self, name: str, key: CacheKey, expires_at: datetime, value: Record) -> Record:
        record = {"PK": self._pk(name), EXPIRES_AT: int(expires_at.timestamp())}
        # One index partition for what all users share would be hot: those are not indexed.
        owned = {} if key.owner == SHARED else {OWNED.hash_key: key.owner}
        return record | _parts(key) | owned | value

    def _after_write(self) -> None:
        if next(self._writes) % SWEEP_EVERY == 0:
            self._sweep()

    def of(self, owner: str) -> Iterator[Record]:
        """The records of an owner, with what the index includes of them."""
        if owner != SHARED:
            return self.table.query("cache_owner = :owner", OWNED, owner=owner)
        return (record for record in self.table.scan() if record.get("made_for") == SHARED)

    def erase(self, owner: str) -> None:
        self.table.delete([_key(record) for record in self.of(owner)])

    def _sweep(self) -> None:
        """Past the limit, delete what expires soonest; DynamoDB itself deletes what expired."""
        if self.table.count() <= self._max_entries:
            return
        entries = sorted((int(r[EXPIRES_AT]), r["PK"]) for r in self.table.scan())
        now = datetime.now(UTC).timestamp()
        kept = entries[-self._max_entries :]
        dropped = entries[: -self._max_entries] + [entry for entry in kept if entry[0] <= now]
        log.info("Dropping %d of %d entries of %s", len(dropped), len(entries), self.table.name)
        self.table.delete([{"PK": name} for _, name in dropped])


class DynamoEmbeddingCache(EmbeddingCache):
    """EmbeddingCache over a table: ``enhanced_embed#<owner>#<query hash>#<preference hash>``."""

    def __init__(self, table: Table, max_entries: int) -> None:
        self._entries = _Entries(table, "enhanced_embed", max_entries)

    def get_many(self, keys: Sequence[CacheKey], now: datetime) -> Mapping[CacheKey, Vector]:
        """See `EmbeddingCache.get_many`."""
        records = self._entries.get_many({_embedding(key): key for key in keys}, now)
        read = {key: _vector(record) for key, record in records.items()}
        return {key: vector for key, vector in read.items() if vector is not None}

    def put_many(self, entries: Sequence[NewEmbedding]) -> None:
        """See `EmbeddingCache.put_many`."""
        self._entries.put_many(
            [
                (_embedding(new.key), new.key, new.expires_at, {"embedding": _packed(new.vector)})
                for new in entries
            ]
        )

    def erase(self, owner: str) -> None:
        """See `EmbeddingCache.erase`."""
        self._entries.erase(owner)


class DynamoSearchCache(SearchCache):
    """SearchCache over a table: ``search#<owner>#<query hash>``, for one ``preference_hash``."""

    def __init__(self, table: Table, max_entries: int) -> None:
        self._entries = _Entries(table, "search", max_entries)

    def get(self, key: CacheKey, now: datetime) -> CachedSearch | None:
        """See `SearchCache.get`."""
        record = self._entries.get(_search(key), key, now)
        if record is None:
            return None
        try:
            payload = zlib.decompress(record["payload"].value).decode()
            return CachedSearch(payload, tuple(record["item_ids"]))
        except DAMAGED:
            return None

    def put(self, key: CacheKey, answer: CachedSearch, expires_at: datetime) -> None:
        """See `SearchCache.put`; an answer too large for a record is not kept."""
        payload = zlib.compress(answer.payload.encode())
        if len(payload) > LARGEST:
            log.warning("An answer of %d bytes is too large for DynamoDB", len(payload))
            return
        ids = list(answer.item_ids)
        self._entries.put(_search(key), key, expires_at, payload=payload, item_ids=ids)

    def carry_over(self, owner: str, old_hash: str, new_hash: str, touched: Sequence[str]) -> None:
        """See `SearchCache.carry_over`.

        The index may miss an entry of a moment ago: that one keeps its old hash, and no search
        asks for it again.
        """
        gone = []
        for record in self._entries.of(owner):
            if record["preference_hash"] == old_hash and not {*touched} & {*record["item_ids"]}:
                self._keep(record, old_hash, new_hash)
            else:
                gone.append(_key(record))
        self._entries.table.delete(gone)

    def erase(self, owner: str) -> None:
        """See `SearchCache.erase`."""
        self._entries.erase(owner)

    def _keep(self, record: Record, old_hash: str, new_hash: str) -> None:
        try:
            self._entries.table.set(_key(record), "preference_hash", new_hash, expected=old_hash)
        except ConditionFailed:
            return  # It has been written anew.


def _holds(record: Record, key: CacheKey, now: datetime) -> bool:
    """Whether a record was made for this key and has not expired."""
    made_for = all(record.get(part) == value for part, value in _parts(key).items())
    return made_for and bool(record[EXPIRES_AT] > now.timestamp())


def _packed(vector: Vector) -> bytes:
    return vector.astype("<f4").tobytes()


def _vector(record: Record) -> Vector | None:
    """The vector of a record; None when it is damaged."""
    try:
        return np.frombuffer(record["embedding"].value, dtype="<f4").astype(np.float32)
    except DAMAGED:
        return None


def _parts(key: CacheKey) -> Record:
    return {
        "made_for": key.owner,
        "query_hash": key.query_hash,
        "preference_hash": key.preference_hash,
    }


def _embedding(key: CacheKey) -> str:
    return f"{key.owner}#{key.query_hash}#{key.preference_hash}"


def _search(key: CacheKey) -> str:
    return f"{key.owner}#{key.query_hash}"


def _key(record: Record) -> Record:
    return {"PK": record["PK"]}
