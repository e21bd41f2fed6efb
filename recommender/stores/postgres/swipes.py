"""The swipe log in PostgreSQL: rows are only ever inserted, or erased with their user."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Text, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from recommender.models import SwipeEvent
from recommender.stores.ports import LogVersion, NewSwipe, SwipeLog
from recommender.stores.postgres.database import ROWS_AT_A_TIME, Database, Prepared
from recommender.stores.postgres.idempotency import finding_by_key, inserting_once
from recommender.stores.postgres.schema import swipe_events

_OF_USER = swipe_events.c.user_id == bindparam("user_id")
# Built once: it takes as long as running them.
APPEND = inserting_once(swipe_events, NewSwipe.__dataclass_fields__)
FIND = finding_by_key(swipe_events)
_ID = swipe_events.c.event_id
EVENTS = Prepared(select(swipe_events).where(_OF_USER, bindparam("after") < _ID).order_by(_ID))
VERSION = Prepared(
    select(func.coalesce(func.min(_ID), 0), func.coalesce(func.max(_ID), 0), func.count()).where(
        _OF_USER
    )
)


class PostgresSwipeLog(SwipeLog):
    """SwipeLog over a table; ``append`` returns after the commit reached the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, swipe: NewSwipe) -> SwipeEvent:
        for row in self._database.run(APPEND, vars(swipe)):
            return _event(row)
        recorded = self.find(swipe.user_id, swipe.idempotency_key or "")
        if recorded is None:  # erased between the two statements
            return self.append(swipe)
        return recorded

    def find(self, user_id: str, idempotency_key: str) -> SwipeEvent | None:
        asked = {"user_id": user_id, "idempotency_key": idempotency_key}
        found = self._database.run(FIND, asked)
        return _event(found[0]) if found else None

    def events(self, user_id: str, after: int = 0) -> list[SwipeEvent]:
        asked = {"user_id": user_id, "after": after}
        return [_event(row) for row in self._database.run(EVENTS, asked)]

    def events_of(self, user_ids: Sequence[str]) -> dict[str, list[SwipeEvent]]:
        statement = (
            select(swipe_events)
            .where(
                swipe_events.c.user_id == any_(bindparam(None, list(user_ids), type_=ARRAY(Text)))
            )
            .order_by(swipe_events.c.user_id, swipe_events.c.event_id)
        )
        with self._database.connect() as connection:
            rows = connection.execute(statement).mappings()
            events = [SwipeEvent.model_validate(dict(row)) for row in rows]
        return {user: list(their) for user, their in groupby(events, lambda e: e.user_id)}

    def version(self, user_id: str) -> LogVersion:
        (found,) = self._database.run(VERSION, {"user_id": user_id})
        return LogVersion(*found)

    def all(self) -> Iterator[SwipeEvent]:
        statement = select(swipe_events).order_by(swipe_events.c.user_id, swipe_events.c.event_id)
        with self._database.transaction() as connection:  # a cursor lives in one
            rows = connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(statement)
            for row in rows.mappings():
                yield SwipeEvent.model_validate(dict(row))

    def recent_users(self, limit: int) -> list[str]:
        latest = func.max(swipe_events.c.event_id)
        statement = (
            select(swipe_events.c.user_id)
            .group_by(swipe_events.c.user_id)
            .order_by(latest.desc())
            .limit(limit)
        )
        with self._database.connect() as connection:
            return list(connection.execute(statement).scalars())

    def erase(self, user_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(swipe_events).where(swipe_events.c.user_id == user_id))


def _event(row: Sequence[Any]) -> SwipeEvent:
    return SwipeEvent.model_validate(dict(zip(swipe_events.c.keys(), row, strict=True)))
