"""Files that were dropped into a conversation. Chainlit keeps them while its session lives."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import chainlit as cl

from recommender.errors import InvalidRequest
from recommender.models import HistoryReceipt, printable
from recommender.service import Recommender

T = TypeVar("T")
_alone = asyncio.Lock()


async def one_by_one(action: Callable[[], T]) -> T:
    """Have exports recorded, and taken back, one after the other: either may take tens of seconds,
    and the chat has few threads.
    """
    async with _alone:
        return await asyncio.to_thread(action)


@dataclass(frozen=True)
class Upload:
    """An export of another site, as a file of this machine."""

    file_id: str
    name: str
    path: Path

    @classmethod
    def of_session(cls, file_id: str) -> Self:
        """One that was sent in the conversation being served. Raises InvalidRequest."""
        file = cl.context.session.files.get(file_id)
        if file is None:
            raise InvalidRequest("I no longer have that file. Drop it here again.")
        return cls(file_id, printable(file["name"]), Path(file["path"]))

    async def taken_over(
        self, recommender: Recommender, user_id: str, *, confirm: bool
    ) -> HistoryReceipt:
        """What it tells of the user, recorded or not. Raises as ``Recommender.import_history``."""
        content = await asyncio.to_thread(self.path.read_bytes)
        return await one_by_one(
            partial(
                recommender.import_history,
                user_id,
                None,
                self.name,
                content,
                confirm=confirm,
                idempotency_key=self.file_id,
            )
        )

    def delete(self) -> None:
        """Keep nothing of it."""
        cl.context.session.files.pop(self.file_id, None)
        self.path.unlink(missing_ok=True)
