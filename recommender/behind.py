"""Writes that no answer waits for, of what can be made again at any time."""

import logging
from collections.abc import Callable
from threading import Condition
from typing import Protocol, Self

from fusion.threads import DaemonThreads

logger = logging.getLogger(__name__)

LAST_SECONDS = 10.0
"""A database that does not answer must not keep a server from ending."""
Write = Callable[[], object]


class Later(Protocol):
    """When what is made of a user's swipes is written."""

    def write(self, user_id: str, write: Write) -> None:
        """Write, now or later; later, the newest of what was not begun is enough."""

    def settle(self, user_id: str) -> None:
        """Return when nothing of the user's is left to write."""


class AtOnce(Later):
    """Before the answer: for processes that end, or sleep, as soon as they have answered."""

    def write(self, user_id: str, write: Write) -> None:  # noqa: ARG002 - the port's
        """Raises what ``write`` does."""
        write()

    def settle(self, user_id: str) -> None:
        """Nothing ever is."""


class Behind(Later):
    """After the answer, one write after the other, in a thread that does nothing else.

    One that fails is logged. A context that ends when all is written, or it takes too long.
    Thread-safe.
    """

    def __init__(self) -> None:
        self._threads = DaemonThreads()
        self._changed = Condition()
        self._waiting: dict[str, Write] = {}
        self._writing: str | None = None
        self._at_work = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: not self._at_work, LAST_SECONDS):
                logger.warning("%d writes were not done in time", len(self._waiting) + 1)

    def write(self, user_id: str, write: Write) -> None:  # noqa: D102 - the protocol's
        with self._changed:
            self._waiting[user_id] = write
            if not self._at_work:
                self._at_work = True
                self._threads.submit(self._work)

    def settle(self, user_id: str) -> None:  # noqa: D102
        with self._changed:
            self._changed.wait_for(
                lambda: user_id not in self._waiting and user_id != self._writing
            )

    def _work(self) -> None:
        while write := self._next():
            try:
                write()
            except Exception:
                logger.warning("what can be made again was not written", exc_info=True)

    def _next(self) -> Write | None:
        with self._changed:
            self._writing = next(iter(self._waiting), None)
            self._at_work = self._writing is not None
            self._changed.notify_all()
            return self._waiting.pop(self._writing) if self._writing is not None else None
