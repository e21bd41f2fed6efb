"""The swipe log in DynamoDB: a partition per user with events, a head and idempotency keys.

``PK user#<id>`` holds ``SK swipe#<µs>#item<id>`` for each event, ``SK head`` with how many there
are, the first and the latest, and ``SK key#<idempotency key>`` with the event that a key recorded.
An event, the head and the key are written together, so that none is ever seen without the others.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from zlib import crc32

from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from recommender.errors import StoreUnavailable
from recommender.models import SwipeEvent
from recommender.stores.dynamodb.tables import (
    ACTIVE,
    EXPIRES_AT,
    ConditionFailed,
    Record,
    Table,
    expired,
)
from recommender.stores.ports import LogVersion, NewSwipe, SwipeLog

HEAD = "head"
SHARDS = 16
"""Over so many partitions the index of active users is spread."""
_MOST = 10**20 - 1
"""No event has this id."""
PATIENCE, TRIES = 10.0, 20
"""A write is given up after so many seconds and so many times that others wrote the same user's log
before it: a slow table may take the seconds for one."""


def _gave_up(_state: object) -> SwipeEvent:
    raise StoreUnavailable("DynamoDB: too many writes of one user's swipes at once.")


class DynamoSwipeLog(SwipeLog):
    """SwipeLog over a table; ``append`` returns after DynamoDB has acknowledged the write."""

    def __init__(self, table: Table, live: timedelta | None = None) -> None:
        self._table = table
        self._live = live

    @retry(
        retry=retry_if_exception_type(ConditionFailed),
        wait=wait_random_exponential(multiplier=0.01, max=0.5),
        stop=stop_after_delay(PATIENCE) & stop_after_attempt(TRIES),
        retry_error_callback=_gave_up,
    )
    def append(self, swipe: NewSwipe) -> SwipeEvent:
        """See `SwipeLog.append`."""
        if swipe.idempotency_key and (found := self.find(swipe.user_id, swipe.idempotency_key)):
            return found
        now = datetime.now(UTC)
        known = self._written(swipe.user_id)
        made = {"event_id": max(_microseconds(now), known.last_event_id + 1), "recorded_at": now}
        event = SwipeEvent.model_validate(vars(swipe) | made)
        self._write(event, known.grown(event.event_id))
        return event

    def find(self, user_id: str, idempotency_key: str) -> SwipeEvent | None:
        """See `SwipeLog.find`."""
        key = self._table.get(PK=_partition(user_id), SK=f"key#{idempotency_key}")
        found = key and self._table.get(PK=_partition(user_id), SK=key["event"])
        return _event(found) if found else None

    def events(self, user_id: str, after: int = 0) -> list[SwipeEvent]:
        """See `SwipeLog.events`."""
        records = self._table.query(
            "PK = :user AND SK BETWEEN :first AND :last",
            user=_partition(user_id),
            first=_numbered(after + 1),
            last=_numbered(_MOST),
        )
        now = datetime.now(UTC).timestamp()
        return [_event(record) for record in records if not expired(record, now)]

    def events_of(self, user_ids: Sequence[str]) -> dict[str, list[SwipeEvent]]:
        """See `SwipeLog.events_of`; DynamoDB reads one user's at a time."""
        return {user_id: events for user_id in user_ids if (events := self.events(user_id))}

    def version(self, user_id: str) -> LogVersion:
        """See `SwipeLog.version`; where swipes expire, the head counts more than there are."""
        return LogVersion.of(self.events(user_id)) if self._live else self._written(user_id)

    def all(self) -> Iterator[SwipeEvent]:
        """See `SwipeLog.all`."""
        for user in self._table.scan(ACTIVE):
            yield from self.events(user["user_id"])

    def recent_users(self, limit: int) -> list[str]:
        """See `SwipeLog.recent_users`."""
        if limit < 1:
            return []
        heads = (
            head
            for shard in range(SHARDS)
            for head in self._table.query(
                "active_shard = :shard", ACTIVE, limit, backwards=True, shard=f"shard#{shard}"
            )
        )
        latest = nlargest(limit, heads, key=lambda head: int(head["last_event_id"]))
        return [head["user_id"] for head in latest]

    def erase(self, user_id: str) -> None:
        """See `SwipeLog.erase`; what is swiped meanwhile goes too, for its head may be gone."""
        while keys := self._keys(user_id):
            self._table.delete(keys)

    def _written(self, user_id: str) -> LogVersion:
        """The version of all that was ever written, so that no id comes twice."""
        head = self._table.get(PK=_partition(user_id), SK=HEAD)
        if head is None:
            return LogVersion()
        if "first_event_id" not in head:  # an earlier release wrote it
            return LogVersion.of(self.events(user_id))
        first, last = int(head["first_event_id"]), int(head["last_event_id"])
        return LogVersion(first, last, int(head["swipe_count"]))

    def _keys(self, user_id: str) -> list[Record]:
        records = self._table.query("PK = :user", user=_partition(user_id))
        return [{"PK": record["PK"], "SK": record["SK"]} for record in records]

    def _write(self, event: SwipeEvent, version: LogVersion) -> None:
        partition, name = _partition(event.user_id), _name(event)
        expires = {EXPIRES_AT: self._expiry(event)} if self._live else {}
        actions = [
            self._table.putting({"PK": partition, "SK": name} | _record(event) | expires),
            self._table.updating(
                {"PK": partition, "SK": HEAD},
                "SET first_event_id = if_not_exists(first_event_id, :first), "
                "last_event_id = :latest, active_shard = :shard, user_id = :user "
                "ADD swipe_count :one",
                "attribute_not_exists(last_event_id) OR last_event_id < :latest",
                first=version.first_event_id,
                latest=event.event_id,
                shard=_shard(event.user_id),
                user=event.user_id,
                one=1,
            ),
        ]
        if event.idempotency_key:
            key = {"PK": partition, "SK": f"key#{event.idempotency_key}", "event": name}
            actions.append(self._table.putting(key | expires))
        self._table.write_together(*actions)

    def _expiry(self, event: SwipeEvent) -> int:
        return int((event.recorded_at + (self._live or timedelta())).timestamp())


def _partition(user_id: str) -> str:
    return f"user#{user_id}"


def _name(event: SwipeEvent) -> str:
    return f"{_numbered(event.event_id)}#item{event.item_id}"


def _numbered(event_id: int) -> str:
    return f"swipe#{event_id:020d}"


def _shard(user_id: str) -> str:
    return f"shard#{crc32(user_id.encode()) % SHARDS}"


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)


def _record(event: SwipeEvent) -> Record:
    return event.model_dump(mode="json", exclude_none=True)


def _event(record: Record) -> SwipeEvent:
    fields = {name: record.get(name) for name in SwipeEvent.model_fields}
    return SwipeEvent.model_validate(fields | {"event_id": int(record["event_id"])})
