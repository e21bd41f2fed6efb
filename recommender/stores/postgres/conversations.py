"""Conversations in PostgreSQL: a row a thread, and a JSON document for each thing in it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    RowMapping,
    Select,
    Update,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from recommender.stores.ports import ConversationStore, Thread, ThreadRecord
from recommender.stores.postgres.database import Database, Prepared
from recommender.stores.postgres.schema import thread_records, threads

_THREAD = [threads.c[name] for name in ("thread_id", "user_id", "created_at", "name", "metadata")]
_RECORD = [thread_records.c[name] for name in ("record_id", "thread_id", "kind", "body")]
_GIVEN = ("record_id", "kind", "body")


def _written(changed: Mapping[str, Any]) -> Insert:
    """Begin or change a thread, if it is nobody's or this user's own."""
    statement = insert(threads).values(
        thread_id=bindparam("thread_id"), user_id=bindparam("user_id"), **changed
    )
    return statement.on_conflict_do_update(
        index_elements=["thread_id"],
        set_={"written_at": func.clock_timestamp(), **changed},
        where=threads.c.user_id == statement.excluded.user_id,
    )


def _still_there(changed: Mapping[str, Any]) -> Update:
    """Change a thread of this user's, if there is one. Its parameters go by no column's name: what
    does is set.
    """
    statement = update(threads).values(written_at=func.clock_timestamp(), **changed)
    return statement.where(
        threads.c.thread_id == bindparam("in_thread"), threads.c.user_id == bindparam("by_user")
    )


def _put(thread: Insert | Update) -> Insert:
    own = thread.returning(threads.c.thread_id).cte("own")
    given = {name: bindparam(name, type_=thread_records.c[name].type) for name in _GIVEN}
    values = select(given["record_id"], own.c.thread_id, given["kind"], given["body"])
    statement = insert(thread_records).from_select([c.name for c in _RECORD], values)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["record_id"],
        set_={"kind": new.kind, "body": new.body},
        where=thread_records.c.thread_id == new.thread_id,
    )


BEGIN_OR_PUT = Prepared(_put(_written({})))
PUT = Prepared(_put(_still_there({})))


class PostgresConversationStore(ConversationStore):
    """ConversationStore over two tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def name(
        self,
        thread_id: str,
        user_id: str,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        begin: bool = True,
    ) -> None:
        given = {"name": name, "metadata": metadata}
        changed = {key: value for key, value in given.items() if value is not None}
        statement = _written(changed) if begin else _still_there(changed)
        with self._database.connect() as connection:
            connection.execute(statement, _own(thread_id, user_id, begin))

    def put(self, user_id: str, record: ThreadRecord, begin: bool = True) -> None:
        row = {"record_id": record.record_id, "kind": record.kind, "body": dict(record.body)}
        own = _own(record.thread_id, user_id, begin)
        self._database.run(BEGIN_OR_PUT if begin else PUT, row | own)

    def get(self, record_id: str) -> ThreadRecord | None:
        found = self._records(thread_records.c.record_id == record_id)
        return found[0] if found else None

    def remove(self, record_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(
                delete(thread_records).where(thread_records.c.record_id == record_id)
            )

    def thread(self, thread_id: str) -> Thread | None:
        found = self._threads(select(*_THREAD).where(threads.c.thread_id == thread_id))
        return found[0] if found else None

    def records(self, thread_id: str) -> list[ThreadRecord]:
        return self._records(thread_records.c.thread_id == thread_id)

    def threads(
        self, user_id: str, limit: int | None = None, after: str | None = None, words: str = ""
    ) -> list[Thread]:
        order = threads.c.written_at, threads.c.thread_id
        statement = select(*_THREAD).where(threads.c.user_id == user_id)
        statement = statement.order_by(*(column.desc() for column in order)).limit(limit)
        if after is not None:
            last = select(*order).where(threads.c.thread_id == after)
            statement = statement.where(func.row(*order) < last.scalar_subquery())
        if words:
            said = thread_records.c.body["output"].astext.icontains(words, autoescape=True)
            of_thread = thread_records.c.thread_id == threads.c.thread_id
            statement = statement.where(select(1).where(of_thread, said).exists())
        return self._threads(statement)

    def remove_thread(self, thread_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(threads).where(threads.c.thread_id == thread_id))

    def erase(self, user_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(threads).where(threads.c.user_id == user_id))

    def _threads(self, statement: Select[Any]) -> list[Thread]:
        with self._database.connect() as connection:
            return [_thread(row) for row in connection.execute(statement).mappings()]

    def _records(self, which: ColumnElement[bool]) -> list[ThreadRecord]:
        statement = select(*_RECORD).where(which).order_by(thread_records.c.ordinal)
        with self._database.connect() as connection:
            return [ThreadRecord(**row) for row in connection.execute(statement).mappings()]


def _own(thread_id: str, user_id: str, begin: bool) -> dict[str, str]:
    """Whose thread, for a statement that may begin it or not."""
    thread, user = ("thread_id", "user_id") if begin else ("in_thread", "by_user")
    return {thread: thread_id, user: user_id}


def _thread(row: RowMapping) -> Thread:
    return Thread(**row)
