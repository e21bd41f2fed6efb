"""When actions are due: by a clock, never by the answers before them (an open loop)."""

import asyncio
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from tests.load.people import Action
from tests.load.samples import Recorder


class Acting(Protocol):
    """Whoever does something."""

    def next_action(self) -> Action:
        """What they do next."""
        ...


async def live(recorder: Recorder, who: Acting, first: float, every: float, end: float) -> None:
    """An action every so many seconds, one at a time; what is overdue is done at once."""
    due = first
    while due < end:
        await asyncio.sleep(due - recorder.now)
        await recorder.record(due, *who.next_action())
        due += every


async def crowd(recorder: Recorder, people: Sequence[Acting], steps: Sequence[float]) -> None:
    """People who come whether or not the others have been served.

    ``steps`` are moments and, between them, arrivals per second: ``(0, 200, 30, 600, 60)``. The
    gaps are exponential (a Poisson process).
    """
    rng = random.Random(0)
    under_way: set[asyncio.Task[None]] = set()
    for (begin, end), rate in zip(pairwise(steps[::2]), steps[1::2], strict=True):
        due = begin + rng.expovariate(rate)
        while due < end:
            await asyncio.sleep(due - recorder.now)
            task = asyncio.create_task(recorder.record(due, *rng.choice(people).next_action()))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += rng.expovariate(rate)
    await asyncio.gather(*under_way)
