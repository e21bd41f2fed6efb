"""The embedding and search caches in DynamoDB."""

import logging
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count

import numpy as np

from recommender.stores.dynamodb.tables import EXPIRES_AT, OWNED, ConditionFailed, Record, Table
from recommender.stores.ports import CachedSearch, CacheKey, EmbeddingCache, SearchCache, Vector

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
        record = self.table.get(PK=f"{self._prefix}#{name}")
        if record is None or any(record.get(part) != value for part, value in _parts(key).items()):
            return None
        return record if record[EXPIRES_AT] > now.timestamp() else None

    def put(self, name: str, key: CacheKey, expires_at: datetime, **value: object) -> None:
        record = {"PK": f"{self._prefix}#{name}", EXPIRES_AT: int(expires_at.timestamp())}
        # One index partition for what all users share would be hot: those are not indexed.
        owned = {} if key.owner == SHARED else {OWNED.hash_key: key.owner}
        self.table.put(record | _parts(key) | owned | value)
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

    def get(self, key: CacheKey, now: datetime) -> Vector | None:
        """See `EmbeddingCache.get`."""
        record = self._entries.get(_embedding(key), key, now)
        if record is None:
            return None
        try:
            return np.frombuffer(record["embedding"].value, dtype="<f4").astype(np.float32)
        except DAMAGED:
            return None

    def put(self, key: CacheKey, vector: Vector, expires_at: datetime) -> None:
        """See `EmbeddingCache.put`."""
        stored = vector.astype("<f4").tobytes()
        self._entries.put(_embedding(key), key, expires_at, embedding=stored)

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
