"""How long an event loop was kept from going on, and by what."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, thread_time
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

LOOK_SECONDS = 0.01
FRAMES = 12


@dataclass(frozen=True)
class Turn:
    """One callback: its seconds of processor time and of the clock, and where it was seen."""

    busy: float
    passed: float
    seen: str


@dataclass
class LoopWatch:
    """What ran on the loop of ``thread``.

    What computes is told by the processor time of the loop's thread, to which neither other
    threads nor a busy machine add. What waits is told by being done on the loop at all: SQL.
    """

    thread: int | None = None
    turns: int = 0
    slowest: list[Turn] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    began: float | None = None
    seen: str = ""

    def run(self, handle: asyncio.Handle, run: Any) -> None:  # noqa: ANN401
        """Run a callback and note its time."""
        self.turns, self.seen = self.turns + 1, ""
        busy, self.began = thread_time(), perf_counter()
        run(handle)
        turn = Turn(thread_time() - busy, perf_counter() - self.began, self.seen)
        self.began = None
        self.slowest = sorted([*self.slowest, turn], key=lambda each: -each.busy)[:5]

    def longer_than(self, seconds: float) -> list[Turn]:
        """Those of the slowest that computed longer."""
        return [turn for turn in self.slowest if turn.busy > seconds]

    def look(self) -> None:
        """Note where the loop stands, if it has been standing there for a while."""
        began = self.began
        if began is not None and perf_counter() - began > LOOK_SECONDS:
            frame = sys._current_frames().get(self.thread or 0)
            self.seen = "".join(traceback.format_stack(frame)[-FRAMES:])


@contextmanager
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopWatch]:
    """Watch the loop of the thread that is named in the watch."""
    watch, done, run = LoopWatch(), threading.Event(), asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        if threading.get_ident() == watch.thread:
            watch.run(handle, run)
        else:
            run(handle)

    def asked(*_: object) -> None:
        if threading.get_ident() == watch.thread:
            watch.statements.append("".join(traceback.format_stack(limit=FRAMES)))

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            watch.look()

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    event.listen(Engine, "before_cursor_execute", asked)
    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield watch
    finally:
        done.set()
        looking.join()
        event.remove(Engine, "before_cursor_execute", asked)
