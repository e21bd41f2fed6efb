"""The tables by their keys, and one table as the stores use it."""

import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import sleep
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recommender.errors import StoreUnavailable
from recommender.telemetry import span

Record = dict[str, Any]
EXPIRES_AT = "expires_at"
"""The attribute of every table that DynamoDB's time to live reads: seconds since 1970."""
WRITTEN_AT_ONCE = 25
ATTEMPTS = 3
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0
"""Seconds before what DynamoDB left undone is asked for again."""
_SERIALIZER, _DESERIALIZER = TypeSerializer(), TypeDeserializer()


log = logging.getLogger(__name__)


class ConditionFailed(Exception):
    """Another writer was first; the write did not happen."""


@dataclass(frozen=True)
class Index:
    """A global secondary index by a hash key and, perhaps, a range key."""

    name: str
    hash_key: str
    range_key: str | None = None
    included: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """What a table is keyed by; the numeric ones among its keys."""

    keys: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    numbers: frozenset[str] = field(default=frozenset())

    def definition(self, name: str) -> dict[str, Any]:
        """The arguments of CreateTable, billed by request."""
        named = [*self.keys]
        for index in self.indexes:
            named += [index.hash_key, *([index.range_key] if index.range_key else [])]
        definition: dict[str, Any] = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": _schema(self.keys),
            "AttributeDefinitions": [
                {"AttributeName": key, "AttributeType": "N" if key in self.numbers else "S"}
                for key in dict.fromkeys(named)
            ],
        }
        if self.indexes:
            definition["GlobalSecondaryIndexes"] = [_index(index) for index in self.indexes]
        return definition


ACTIVE = Index("active-users", "active_shard", "last_event_id", ("user_id",))
OWNED = Index("by-owner", "cache_owner", None, ("preference_hash", "item_ids"))
SWIPES = Shape(("PK", "SK"), (ACTIVE,), frozenset({"last_event_id"}))
PREFERENCES = Shape(("PK",))
CACHE = Shape(("PK",), (OWNED,))
SHAPES: Mapping[str, Shape] = {
    "user_swipes": SWIPES,
    "user_preferences": PREFERENCES,
    "enhanced_embeddings_cache": CACHE,
    "search_cache": CACHE,
}
"""The tables by the names they have unless a setting names another."""


class Table:
    """One table: records are dictionaries of Python values, keys the shape's first names.

    Throttled and failed requests are tried again with exponential backoff and jitter; what then
    still fails is raised as StoreUnavailable.
    """

    def __init__(self, client: Any, name: str) -> None:  # noqa: ANN401 - boto3 makes it
        self.name = name
        self._client = client

    def get(self, **key: str) -> Record | None:
        """The record as of now, not as of a moment ago."""
        with _mended(self.name):
            found = self._client.get_item(
                TableName=self.name, Key=_packed(key), ConsistentRead=True
            ).get("Item")
        return None if found is None else _unpacked(found)

    def get_many(self, keys: Sequence[Record]) -> Iterator[Record]:
        """The records of up to a hundred keys that are there, as of now, in any order."""
        asked = {"Keys": [_packed(key) for key in keys], "ConsistentRead": True}
        left, waits = {self.name: asked} if keys else {}, self._waits(ATTEMPTS)
        while left:
            with _mended(self.name):
                answer = self._client.batch_get_item(RequestItems=left)
            yield from map(_unpacked, answer["Responses"].get(self.name, ()))
            if left := answer["UnprocessedKeys"]:
                next(waits)

    def put(
        self,
        record: Record,
        condition: str | None = None,
        **values: Any,  # noqa: ANN401
    ) -> None:
        """Write a record whole. Raises ConditionFailed when the condition does not hold."""
        with _mended(self.name):
            self._client.put_item(
                TableName=self.name, Item=_packed(record), **_conditional(condition, values)
            )

    def set(self, key: Record, name: str, value: str, expected: str) -> None:
        """Change one attribute of a record that holds ``expected``; else ConditionFailed."""
        with _mended(self.name):
            self._client.update_item(
                TableName=self.name,
                Key=_packed(key),
                UpdateExpression="SET #name = :value",
                ConditionExpression="#name = :expected",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues=_packed({":value": value, ":expected": expected}),
            )

    def write_together(self, *actions: Mapping[str, Record]) -> None:
        """All of the actions or none; raises ConditionFailed when one may not be done."""
        with _mended(self.name):
            self._client.transact_write_items(TransactItems=list(actions))

    def putting(self, record: Record) -> dict[str, Record]:
        """An action for `write_together`: a record that is not there yet."""
        key = next(iter(record))
        return {
            "Put": {
                "TableName": self.name,
                "Item": _packed(record),
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": key},
            }
        }

    def updating(
        self,
        key: Record,
        update: str,
        condition: str,
        **values: Any,  # noqa: ANN401
    ) -> dict[str, Record]:
        """An action for `write_together`: an update under a condition."""
        return {
            "Update": {
                "TableName": self.name,
                "Key": _packed(key),
                "UpdateExpression": update,
                **_conditional(condition, values),
            }
        }

    def query(
        self,
        condition: str,
        index: Index | None = None,
        limit: int | None = None,
        backwards: bool = False,
        **values: Any,  # noqa: ANN401
    ) -> Iterator[Record]:
        """The records under one hash key, page by page; an index answers a moment late."""
        asked: dict[str, Any] = {"IndexName": index.name} if index else {"ConsistentRead": True}
        asked |= {"Limit": limit} if limit else {}
        pages = self._pages(
            "query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_packed({f":{name}": v for name, v in values.items()}),
            ScanIndexForward=not backwards,
            **asked,
        )
        return itertools.islice(pages, limit)

    def scan(self, index: Index | None = None) -> Iterator[Record]:
        """Every record, page by page, of the table or of an index."""
        return self._pages("scan", **({"IndexName": index.name} if index else {}))

    def count(self) -> int:
        """About how many records there are: DynamoDB counts every six hours."""
        with _mended(self.name):
            described = self._client.describe_table(TableName=self.name)
        return int(described["Table"]["ItemCount"])

    def put_many(self, records: Sequence[Record]) -> None:
        """Write records whole, not all or none; no two have the same key."""
        self._write([{"PutRequest": {"Item": _packed(each)}} for each in records], ATTEMPTS)

    def delete(self, keys: Sequence[Record]) -> None:
        """Delete records; those that are not there are passed over."""
        self._write([{"DeleteRequest": {"Key": _packed(key)}} for key in keys])

    def _write(self, requests: Sequence[Mapping[str, Any]], attempts: int | None = None) -> None:
        for start in range(0, len(requests), WRITTEN_AT_ONCE):
            left = {self.name: requests[start : start + WRITTEN_AT_ONCE]}
            waits = self._waits(attempts)
            while left:
                with _mended(self.name):
                    left = self._client.batch_write_item(RequestItems=left)["UnprocessedItems"]
                if left:
                    next(waits)

    def _waits(self, attempts: int | None) -> Iterator[None]:
        """Wait longer each time for what DynamoDB left for later, being busy.

        Raises StoreUnavailable when it did so in all ``attempts``; None: it is asked until it is
        done.
        """
        for waited in itertools.count():
            if waited + 1 == attempts:
                raise _unavailable(f"DynamoDB table {self.name!r} is busy.")
            sleep(min(FIRST_WAIT * 2**waited, LONGEST_WAIT))
            yield

    def _pages(self, operation: str, **asked: Any) -> Iterator[Record]:  # noqa: ANN401
        pages = iter(self._client.get_paginator(operation).paginate(TableName=self.name, **asked))
        while True:
            with _mended(self.name):
                page = next(pages, None)
            if page is None:
                return
            yield from map(_unpacked, page["Items"])


@dataclass(frozen=True)
class Tables:
    """The tables of a deployment."""

    swipes: Table
    preferences: Table
    embeddings: Table
    searches: Table


def connect(
    names: Mapping[str, str], url: str | None = None, timeout: float = 2.0, connections: int = 32
) -> Tables:
    """The tables by the names that `SHAPES` keys map to, at AWS or at ``url``.

    Raises StoreUnavailable, naming the table and the mend, when one of them does not answer.
    """
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        config=Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            max_pool_connections=connections,
            retries={"mode": "standard", "max_attempts": ATTEMPTS},
        ),
    )
    tables = [Table(client, names[name]) for name in SHAPES]
    for table in tables:
        table.count()
    return Tables(*tables)


def expired(record: Record, now: float) -> bool:
    """Whether a record counts as deleted: DynamoDB deletes what has expired up to days late."""
    return record.get(EXPIRES_AT) is not None and bool(record[EXPIRES_AT] <= now)


@contextmanager
def _mended(table: str) -> Iterator[None]:
    try:
        with span(f"DynamoDB {table}"):
            yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException" or _outrun(error.response):
            raise ConditionFailed(table) from error
        raise _unavailable(f"DynamoDB table {table!r}: {_reason(code)}.") from error
    except BotoCoreError as error:
        detail = f"DynamoDB did not answer for table {table!r}: {type(error).__name__}."
        raise _unavailable(detail) from error


def _unavailable(detail: str) -> StoreUnavailable:
    log.warning(detail)
    return StoreUnavailable(detail)


def _outrun(response: Mapping[str, Any]) -> bool:
    """Whether a transaction was given up because another writer came first."""
    codes = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    return bool(codes & {"ConditionalCheckFailed", "TransactionConflict"})


def _reason(code: str) -> str:
    known = {
        "ResourceNotFoundException": "there is none in this account and region; deploy it, or name "
        "another one with the DDB_… variables",
        "AccessDeniedException": "these credentials may not use it; widen their role",
        "ExpiredTokenException": "the credentials have expired; renew them",
        "UnrecognizedClientException": "the credentials are not valid; renew them",
    }
    return known.get(code, code)


def _conditional(condition: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
    if values:
        asked["ExpressionAttributeValues"] = _packed({f":{k}": v for k, v in values.items()})
    return asked


def _packed(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _SERIALIZER.serialize(value) for name, value in record.items()}


def _unpacked(item: Mapping[str, Any]) -> Record:
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def _schema(keys: Sequence[str]) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)]


def _index(index: Index) -> dict[str, Any]:
    keys = (index.hash_key, index.range_key) if index.range_key else (index.hash_key,)
    return {
        "IndexName": index.name,
        "KeySchema": _schema(keys),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.included)},
    }
