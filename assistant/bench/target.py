"""A server that is measured: warmed up once, then run by run."""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np

from assistant.bench.client import Client
from assistant.bench.figures import Timing, timing
from assistant.bench.load import WORKERS, SystemClock, closed_loop, open_loop, poisson
from assistant.bench.workload import Kind

BUSY = 0.3
"""The share of its time that a server is to be busy at most. Past it queues would be measured."""
WARM_UP = 20
"""Requests of each kind before any is counted, where a run has as many."""


class Target:
    """Sends rounds of requests, and keeps how long each took."""

    def __init__(self, client: Client, round_of: Callable[[int], list[Kind]], size: int) -> None:
        """``round_of`` gives so many requests of each kind; ``size`` is that of a run."""
        self._client, self._round_of, self._size = client, round_of, size
        self._clock, self._rng = SystemClock(), np.random.default_rng(0)
        self._rates: dict[str, float] = {}
        self._runs: defaultdict[str, list[list[float]]] = defaultdict(list)

    def warm_up(self) -> None:
        """Send requests one by one, and learn from them how many a second it bears at ease."""
        for kind in self._round_of(min(WARM_UP, self._size)):
            times = closed_loop(kind.requests, self._client.send, self._clock)
            self._rates[kind.name] = min(kind.rate, 1000 * BUSY / median(times))

    def run(self) -> None:
        """One run, kind by kind."""
        for kind in self._round_of(self._size):
            due = poisson(self._rates[kind.name], len(kind.requests), self._rng)
            with ThreadPoolExecutor(WORKERS) as pool:
                times = open_loop(kind.requests, due, self._client.send, pool, self._clock)
            self._runs[kind.name].append(times)

    def timings(self) -> tuple[Timing, ...]:
        """What all runs so far took."""
        return tuple(timing(name, runs, self._rates[name]) for name, runs in self._runs.items())
