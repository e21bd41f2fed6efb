"""How many requests are served at once; past that, callers are told to come back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from anyio import CapacityLimiter

from assistant.api import kinds
from assistant.api.problems import Refusal

RETRY_SECONDS = 1
BURST_SECONDS = 10.0
"""How long there may be more requests inside than there are places: a server that stood still for a
second, or was slow for some, has caught up by then, and what is too much for longer is refused.
"""
EARNED = 1 / 6
"""Seconds of that which each second without gives back."""
UPLOADS = 4
"""Exports of other sites that are let in at once, to be worked on one by one."""
UPLOADS_RETRY_SECONDS = 10
"""A large one keeps its thread for longer still."""


class Bulkhead:
    """Places for requests that are let in, and the threads that work on them.

    Places are taken and given back on the event loop. Nobody queues for one: that would make
    everybody wait, longest those whose clients have given up. But for some seconds at a time there
    are ``burst`` places, so that those who came while all stood still are served late.
    """

    def __init__(
        self,
        places: int,
        threads: int,
        burst: int = 0,
        retry_seconds: int = RETRY_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.threads = CapacityLimiter(threads)
        self._places = places
        self._most = max(places, burst)
        self._taken = 0
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._spare, self._as_of = BURST_SECONDS, clock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Refusal, at once, when all are taken."""
        self._pass_time()
        if self._taken >= (self._most if self._spare > 0 else self._places):
            raise Refusal(kinds.OVERLOADED, headers={"Retry-After": str(self._retry_seconds)})
        self._taken += 1
        try:
            yield
        finally:
            self._pass_time()
            self._taken -= 1

    def _pass_time(self) -> None:
        """Count the time since the last look, all of which saw as many inside as there are now."""
        now = self._clock()
        passed, self._as_of = now - self._as_of, now
        if self._taken > self._places:
            self._spare -= passed
        else:
            self._spare = min(self._spare + EARNED * passed, BURST_SECONDS)


@dataclass(frozen=True)
class Bulkheads:
    """One for each kind of request that may take long, so that it holds up its own kind alone."""

    quick: Bulkhead
    uploads: Bulkhead
    explanations: Bulkhead


def bulkheads(places: int, threads: int, burst: int, *, hosted_writer: bool) -> Bulkheads:
    """So many places and threads for what is quick, and more places in a burst of it.

    For explanations as many again where a ``hosted_writer`` words them, which may hang for all of
    its timeout; the templates are quick. An upload commits film by film, tens of seconds long.
    """
    quick = Bulkhead(places, threads, burst)
    return Bulkheads(
        quick=quick,
        uploads=Bulkhead(UPLOADS, 1, retry_seconds=UPLOADS_RETRY_SECONDS),
        explanations=Bulkhead(places, threads) if hosted_writer else quick,
    )
