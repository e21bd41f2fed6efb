"""Threads for calls that others need not wait for."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

T = TypeVar("T")
IDLE_SECONDS = 30.0
"""Threads that had nothing to do for so long end."""


class DaemonThreads:
    """As many threads as there are calls at a time, kept for further ones. Thread-safe.

    They are daemons, which no executor's are: what hangs must not keep the process from ending.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._idle = Semaphore(0)

    def submit(self, *actions: Callable[[], T]) -> list[Future[T]]:
        """Make calls, one after the other, in a thread that is idle, or a new one."""
        calls = [(Future[T](), action) for action in actions]
        if not self._idle.acquire(blocking=False):
            Thread(target=self._work, daemon=True).start()
        self._calls.put(lambda: self._make(calls))
        return [future for future, _ in calls]

    def _make(self, calls: Sequence[tuple[Future[T], Callable[[], T]]]) -> None:
        *earlier, (future, action) = calls
        for each in earlier:
            _settle(*each)
        # Idle before whoever waits, and may have another call, hears of it.
        _settle(future, action, self._idle.release)

    def _work(self) -> None:
        """Make calls, each promised to this thread or another that is idle, until there are none
        for long.
        """
        while True:
            try:
                call = self._calls.get(timeout=IDLE_SECONDS)
            except Empty:
                if self._idle.acquire(blocking=False):
                    return
            else:
                call()


def _settle(
    future: Future[T], action: Callable[[], T], ended: Callable[[], None] = lambda: None
) -> None:
    """Make a call; ``ended`` is called before its result is told."""
    try:
        result = action()
    except BaseException as error:
        ended()
        future.set_exception(error)
    else:
        ended()
        future.set_result(result)
