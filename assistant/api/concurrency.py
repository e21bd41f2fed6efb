"""How many requests are served at once; past that, callers are told to come back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from anyio import CapacityLimiter

from assistant.api import kinds
from assistant.api.problems import Refusal

RETRY_SECONDS = 1
BURST_SECONDS, REST_SECONDS = 3.0, 60.0
"""How long a burst may last, and from the start of one until the next may begin: a server that
stood still for most of a second has caught up by then, and what is too much for longer is refused.
"""
UPLOADS = 4
"""Exports of other sites that are let in at once, to be worked on one by one."""
UPLOADS_RETRY_SECONDS = 10
"""A large one keeps its thread for longer still."""


class Bulkhead:
    """Places for requests that are let in, and the threads that work on them.

    Places are taken and given back on the event loop. Nobody queues for one: that would make
    everybody wait, longest those whose clients have given up. But now and then there are ``burst``
    places for some seconds, so that those who came while all stood still are served late.
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
        self._burst = burst
        self._began = -REST_SECONDS
        self._taken = 0
        self._retry_seconds = retry_seconds
        self._clock = clock

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Refusal, at once, when all are taken."""
        if self._taken >= self._places and not self._bursts():
            raise Refusal(kinds.OVERLOADED, headers={"Retry-After": str(self._retry_seconds)})
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    def _bursts(self) -> bool:
        """Whether one more may be let in than there are places, by the burst that lasts or by one
        that begins now.
        """
        now = self._clock()
        if now - self._began >= REST_SECONDS:
            self._began = now
        return self._taken < self._burst and now - self._began < BURST_SECONDS


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
