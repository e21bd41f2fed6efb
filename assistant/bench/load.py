"""Open-loop load: requests at times that do not wait for answers.

Latency counts from when a request was meant to be sent. So one that a slow answer before it held up
counts with its wait: the mistake that others call coordinated omission.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from time import perf_counter, sleep
from typing import Protocol, TypeVar

import numpy as np

WORKERS = 32
"""Most requests at once; those beyond wait in a queue, and their wait counts."""
Request = TypeVar("Request")


class Clock(Protocol):
    """Tells the time in seconds, and waits."""

    def now(self) -> float:
        """Seconds since any moment; never fewer than before."""

    def wait_until(self, moment: float) -> None:
        """Return at the moment, or at once when it has passed."""


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds since the machine started, or thereabouts."""
        return perf_counter()

    def wait_until(self, moment: float) -> None:
        """Sleep till then."""
        sleep(max(0.0, moment - perf_counter()))


def poisson(rate: float, count: int, rng: np.random.Generator) -> list[float]:
    """When ``count`` independent people ask, ``rate`` a second on average: seconds, ascending."""
    times: list[float] = np.cumsum(rng.exponential(1 / rate, count)).tolist()
    return times


def open_loop(
    requests: Sequence[Request],
    times: Sequence[float],
    send: Callable[[Request], object],
    pool: Executor,
    clock: Clock,
) -> list[float]:
    """Send each request at its time, in seconds from now; milliseconds until each was answered.

    Raises what ``send`` raises, once all have been sent.
    """
    started = clock.now()

    def timed(request: Request, due: float) -> float:
        send(request)
        return 1000 * (clock.now() - due)

    sent = []
    for request, after in zip(requests, times, strict=True):
        due = started + after
        clock.wait_until(due)
        sent.append(pool.submit(timed, request, due))
    return [answer.result() for answer in sent]


def closed_loop(
    requests: Sequence[Request], send: Callable[[Request], object], clock: Clock
) -> list[float]:
    """Send one request after the other; milliseconds until each was answered."""
    return [_timed(request, send, clock) for request in requests]


def _timed(request: Request, send: Callable[[Request], object], clock: Clock) -> float:
    started = clock.now()
    send(request)
    return 1000 * (clock.now() - started)
