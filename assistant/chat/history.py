"""Chainlit's data layer over the domain's store: what was said outlives the page and the process.

Messages, cards and verdicts are kept as the JSON documents that Chainlit makes of them.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import uuid4
from weakref import WeakSet

from chainlit.context import context
from chainlit.data.base import BaseDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.element import CustomElement, Element, ElementDict
from chainlit.session import BaseSession
from chainlit.step import StepDict
from chainlit.types import (
    Feedback,
    FeedbackDict,
    PageInfo,
    PaginatedResponse,
    Pagination,
    ThreadDict,
    ThreadFilter,
)
from chainlit.user import PersistedUser, User
from prometheus_client import Counter

from recommender.errors import StoreUnavailable
from recommender.models import printable
from recommender.stores.ports import ConversationStore, Thread, ThreadRecord

STEP, ELEMENT, FEEDBACK, MEMORY = "step", "element", "feedback", "memory"
VERDICTS = Counter("reelwise_chat_feedback", "Thumbs given to answers of the chat", ["verdict"])
_Own = tuple[str | None, str]
"""A thread by whose session it is written in: a client may name what is another's."""
Found = TypeVar("Found")
Method = TypeVar("Method", bound=Callable[..., Any])
log = logging.getLogger(__name__)


def _once_spoken(method: Method) -> Method:
    """Put off until the person has said something: a greeting alone is no conversation."""
    return cast("Method", queue_until_user_message()(method))


@dataclass(frozen=True)
class _Entry:
    """A record to keep, and the session whose conversation may begin with it, if it may."""

    record: ThreadRecord
    begins: BaseSession | None


class ChatHistory(BaseDataLayer):
    """Keeps conversations for the people who are signed in."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self._begun = WeakSet[BaseSession]()
        self._waiting: dict[_Own, dict[str, _Entry]] = {}
        self._writers: dict[_Own, asyncio.Task[None]] = {}

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """Users are whoever signs in: nothing is stored of them beside their conversations."""
        return PersistedUser(id=identifier, createdAt="", identifier=identifier)

    async def create_user(self, user: User) -> PersistedUser | None:
        """As ``get_user``."""
        return await self.get_user(user.identifier)

    @_once_spoken
    async def create_step(self, step_dict: StepDict) -> None:
        """Keep a message."""
        await self._put(step_dict["threadId"], step_dict["id"], STEP, step_dict)

    @_once_spoken
    async def update_step(self, step_dict: StepDict) -> None:
        """Keep a message as it is now."""
        await self._put(step_dict["threadId"], step_dict["id"], STEP, step_dict)

    @_once_spoken
    async def delete_step(self, step_id: str) -> None:
        """Forget a message."""
        await self._do(lambda: self._store.remove(step_id))

    @_once_spoken
    async def create_element(self, element: Element) -> None:
        """Keep a card. Files that were sent are not kept."""
        if isinstance(element, CustomElement):
            await self._put(element.thread_id, element.id, ELEMENT, element.to_dict())

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        """A card of a conversation."""
        record = await self._do(lambda: self._store.get(element_id))
        if record is None or record.thread_id != thread_id or record.kind != ELEMENT:
            return None
        return cast("ElementDict", record.body)

    @_once_spoken
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:  # noqa: ARG002
        """Forget a card."""
        await self._do(lambda: self._store.remove(element_id))

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Keep a thumb up or down, and what was said with it.

        Raises ValueError for a message that there is not. Who may is not told here; the id of a
        message is known to nobody but the one it was sent to.
        """
        thread = await self._do(lambda: self._thread_of(feedback.forId))
        if thread is None:
            raise ValueError("There is no such message.")
        feedback_id = f"feedback-{feedback.forId}"
        body = {"forId": feedback.forId, "value": feedback.value, "comment": feedback.comment}
        record = _record(thread.thread_id, feedback_id, FEEDBACK, body)
        await self._do(lambda: self._store.put(thread.user_id, record, begin=False))
        VERDICTS.labels("up" if feedback.value else "down").inc()
        return feedback_id

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Take a verdict back."""
        record = await self._do(lambda: self._store.get(feedback_id))
        if record is None or record.kind != FEEDBACK:
            return False
        await self._do(lambda: self._store.remove(feedback_id))
        return True

    async def get_thread_author(self, thread_id: str) -> str:
        """Whose conversation it is; empty for one that there is not."""
        thread = await self._do(lambda: self._store.thread(thread_id))
        return thread.user_id if thread else ""

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A whole conversation."""
        thread = await self._do(lambda: self._store.thread(thread_id))
        if thread is None:
            return None
        return _conversation(thread, await self._do(lambda: self._store.records(thread_id)))

    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        """A user's conversations without what was said in them, the latest first."""
        user_id, limit = filters.userId or "", pagination.first + 1
        words = _printable(filters.search or "")
        after = pagination.cursor
        found = await self._do(lambda: self._store.threads(user_id, limit, after, words))
        page = [_conversation(thread, []) for thread in found[: pagination.first]]
        ends = (page[0]["id"], page[-1]["id"]) if page else (None, None)
        info = PageInfo(len(found) > len(page), startCursor=ends[0], endCursor=ends[1])
        return PaginatedResponse(pageInfo=info, data=page)

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,  # noqa: ARG002
    ) -> None:
        """Name a conversation, or note what its session is set to.

        What a session that ends is set to may be lost: an error would keep Chainlit from ending it.
        """
        try:
            await self._update(thread_id, name, user_id, metadata)
        except StoreUnavailable:
            if name is not None or user_id is not None:
                raise
            log.warning("what a session was set to is not kept", exc_info=True)

    async def _update(
        self,
        thread_id: str,
        name: str | None,
        user_id: str | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        owner = user_id or await self.get_thread_author(thread_id)
        noted = None if metadata is None else _printable(metadata)
        called = None if name is None else _printable(name)
        if owner:
            begin = user_id is not None  # else it was there, and may be erased by now
            await self._do(lambda: self._store.name(thread_id, owner, called, noted, begin))

    async def delete_thread(self, thread_id: str) -> None:
        """Forget a conversation."""
        await self._do(lambda: self._store.remove_thread(thread_id))

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:  # noqa: ARG002
        """None: the chat offers no favourites."""
        return []

    async def build_debug_url(self) -> str:
        """None."""
        return ""

    async def close(self) -> None:
        """The store is closed by who opened it."""

    async def remember(self, thread_id: str, part: Mapping[str, Any]) -> None:
        """Keep what the assistant itself has come to know of a conversation."""
        await self._put(thread_id, f"memory-{uuid4()}", MEMORY, part)

    async def recall(self, thread_id: str) -> list[Mapping[str, Any]]:
        """What was remembered of a conversation, part by part."""
        records = await self._do(lambda: self._store.records(thread_id))
        return [record.body for record in records if record.kind == MEMORY]

    async def kept(self, thread_id: str) -> None:
        """Wait for what is being kept of a conversation: Chainlit has that done beside it."""
        if writer := self._writers.get((_user_id(), thread_id)):
            await asyncio.wait([writer])

    async def _put(
        self, thread_id: str, record_id: str, kind: str, body: Mapping[str, Any]
    ) -> None:
        """Keep a record; it is kept once this returns.

        A conversation has one writer at a time. What comes while it writes is kept next, all of it
        together and each record as it was last.
        """
        own = user_id, _ = _user_id(), thread_id
        if user_id is None:
            return
        waiting = self._waiting.setdefault(own, {})
        begins: BaseSession | None = context.session if self._begins(kind, body) else None
        if earlier := waiting.get(record_id):
            begins = begins or earlier.begins
        waiting[record_id] = _Entry(_record(thread_id, record_id, kind, body), begins)
        if own not in self._writers:
            self._writers[own] = asyncio.create_task(self._write(user_id, own))
        await asyncio.shield(self._writers[own])

    async def _write(self, user_id: str, own: _Own) -> None:
        """Try each record that waits, whatever became of others; raises the first failure."""
        failures: list[Exception] = []

        def put(entries: Iterable[_Entry]) -> None:
            for entry in entries:
                try:
                    self._store.put(user_id, entry.record, begin=entry.begins is not None)
                    if entry.begins:
                        self._begun.add(entry.begins)
                except Exception as error:
                    failures.append(error)

        try:
            while entries := self._waiting.pop(own, None):
                await asyncio.to_thread(put, entries.values())
        finally:
            del self._writers[own]
        if failures:
            raise failures[0]

    def _begins(self, kind: str, body: Mapping[str, Any]) -> bool:
        """Whether it may begin the conversation: what the person says does, and what a session
        keeps first. An answer that was under way when all was erased brings nothing back.
        """
        spoken = kind == STEP and body.get("type") == "user_message"
        return spoken or context.session not in self._begun

    def _thread_of(self, step_id: str) -> Thread | None:
        record = self._store.get(step_id)
        return self._store.thread(record.thread_id) if record and record.kind == STEP else None

    @staticmethod
    async def _do(call: Callable[[], Found]) -> Found:
        return await asyncio.to_thread(call)


def _user_id() -> str | None:
    """Who is signed in."""
    user = context.session.user
    return user.identifier if user else None


def _record(thread_id: str, record_id: str, kind: str, body: Mapping[str, Any]) -> ThreadRecord:
    return ThreadRecord(record_id, thread_id, kind, _printable(dict(body)))


def _conversation(thread: Thread, records: list[ThreadRecord]) -> ThreadDict:
    """A thread as Chainlit knows it, each message with the verdict on it."""
    verdicts = {r.body["forId"]: r for r in records if r.kind == FEEDBACK}
    steps = [_step(r.body, verdicts.get(r.record_id)) for r in records if r.kind == STEP]
    return ThreadDict(
        id=thread.thread_id,
        createdAt=_moment(thread.created_at),
        name=thread.name,
        userId=thread.user_id,
        userIdentifier=thread.user_id,
        tags=None,
        metadata=dict(thread.metadata),
        steps=sorted(steps, key=lambda step: step.get("createdAt") or ""),
        elements=[cast("ElementDict", dict(r.body)) for r in records if r.kind == ELEMENT],
    )


def _step(body: Mapping[str, Any], verdict: ThreadRecord | None) -> StepDict:
    step = cast("StepDict", dict(body))
    if verdict is not None:
        step["feedback"] = FeedbackDict(
            forId=verdict.body["forId"],
            id=verdict.record_id,
            value=verdict.body["value"],
            comment=verdict.body["comment"],
        )
    return step


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _printable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Without the characters that JSON may hold and PostgreSQL's may not."""
    match value:
        case str():
            return printable(value)
        case dict():
            return {_printable(key): _printable(each) for key, each in value.items()}
        case list() | tuple():
            return [_printable(each) for each in value]
        case _:
            return value
