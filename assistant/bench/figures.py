"""What a bench measured, as it is kept in ``bench.json``."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter


class Figures(BaseModel):
    """Base of all figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Quantiles(Figures):
    """Of a run's times, in milliseconds."""

    p50: float
    p95: float
    p99: float


class Timing(Quantiles):
    """One kind of request: quantiles of all runs' times together, and of each run's.

    ``rate`` is how many a second arrived; None: each waited for the one before.
    """

    name: str
    count: int
    rate: float | None = None
    runs: tuple[Quantiles, ...]

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest p95 of a run."""
        p95 = [run.p95 for run in self.runs]
        return min(p95), max(p95)


class Memory(Figures):
    """Resident megabytes of a server process: when it was ready, in the median while it served,
    and at most; and of the PostgreSQL beside it, shared pages counted once.
    """

    ready: float
    steady: float
    peak: float
    database: float | None = None


class Served(Figures):
    """A server over HTTP: seconds from its process' start until it was ready, and its requests."""

    starts: tuple[float, ...]
    memory: Memory
    timings: tuple[Timing, ...]


class Part(Figures):
    """One part of a search here, and the baseline's part that does the same, in turns."""

    name: str
    ours: Timing
    baseline: Timing

    @property
    def ratio(self) -> float:
        """How many times as long the baseline takes, in the median."""
        return self.baseline.p50 / self.ours.p50


TIMINGS = TypeAdapter(tuple[Timing, ...])
PARTS = TypeAdapter(tuple[Part, ...])


class Size(Figures):
    """Everything over so many films. ``inside`` is what was measured without HTTP."""

    films: int
    served: Served
    inside: tuple[Timing, ...]
    baseline: Served | None = None
    parts: tuple[Part, ...] = ()

    @property
    def timings(self) -> tuple[Timing, ...]:
        """Of all kinds of requests."""
        return (*self.served.timings, *self.inside)

    @property
    def pairs(self) -> tuple[Part, ...]:
        """What was measured here and of the baseline: the whole search, then its parts."""
        theirs = {each.name: each for each in self.baseline.timings} if self.baseline else {}
        whole = tuple(
            Part(name=f"{ours.name}, whole", ours=ours, baseline=theirs[ours.name])
            for ours in self.served.timings
            if ours.name in theirs
        )
        return (*whole, *self.parts)


class Person(Figures):
    """What a person with so many swipes costs; ``resident`` megabytes of the server afterwards."""

    swipes: int
    timings: tuple[Timing, ...]
    resident: float


class People(Figures):
    """How cost grows with a person's swipes, over so many films."""

    films: int
    people: tuple[Person, ...]


class Machine(Figures):
    """What it was measured on, and how busy that was when the bench began."""

    processor: str
    cores: int
    memory: float
    system: str
    python: str
    load: float


class Report(Figures):
    """One bench."""

    machine: Machine
    runs: int
    sizes: tuple[Size, ...]
    people: People | None = None


def timing(name: str, runs: Sequence[Sequence[float]], rate: float | None = None) -> Timing:
    """The figures of each run's milliseconds; there is at least one in every run."""
    together = quantiles([time for run in runs for time in run])
    return Timing(
        name=name,
        count=sum(map(len, runs)),
        rate=rate,
        runs=tuple(map(quantiles, runs)),
        **together.model_dump(),
    )


def quantiles(times: Sequence[float]) -> Quantiles:
    """Of one time or more; between two neighbours in proportion."""
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).tolist()
    return Quantiles(p50=p50, p95=p95, p99=p99)
