"""One bench: for each size its servers, run by run in turns, then what is measured without HTTP."""

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil

from assistant.bench.client import Client
from assistant.bench.data import Home, prepared, real
from assistant.bench.figures import (
    PARTS,
    TIMINGS,
    Machine,
    Part,
    People,
    Report,
    Served,
    Size,
    Timing,
)
from assistant.bench.growth import measure_people, people_fit
from assistant.bench.processes import Server, database_weight, environment, serving
from assistant.bench.target import Target
from assistant.bench.workload import BaselineWorkload, Workload
from recommender.errors import InvalidRequest

SLOWER = 3
"""The baseline gets so many times fewer requests: at the rate that it bears they take longer."""
PROGRAM = (sys.executable, "-m")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure: ``runs`` of ``count`` requests of each kind, with the baseline or not."""

    sizes: Sequence[int]
    runs: int
    count: int
    data: Path
    baseline: bool


def bench(plan: Plan, say: Say) -> Iterator[Report]:
    """The report so far after each size; ``say`` is told what is done now.

    Raises InvalidRequest when a server does not get ready, or answers with an error.
    """
    report = Report(machine=machine(), runs=plan.runs, sizes=())
    for films in plan.sizes:
        say(f"{films:,} films: preparing")
        home = prepared(plan.data, films)
        _first_starts(home, plan.baseline, say)
        size, people = _size(home, plan, say, grow=films == people_fit(plan.sizes))
        found = {"sizes": (*report.sizes, size), "people": people or report.people}
        report = report.model_copy(update=found)
        yield report


def measure_url(url: str, runs: int, count: int) -> tuple[Timing, ...]:
    """A server that runs already and holds the starter catalogue. Raises InvalidRequest."""
    with Client(url) as client, _people(client) as workload:
        target = Target(client, workload.round, count)
        target.warm_up()
        for _ in range(runs):
            target.run()
        return target.timings()


def machine() -> Machine:
    """This one; the kernel without what a host adds to its version."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory=psutil.virtual_memory().total / 1e9,
        system=f"{platform.system()} {platform.release().split('-')[0]}",
        python=platform.python_version(),
        load=psutil.getloadavg()[0],
    )


def _first_starts(home: Home, baseline: bool, say: Say) -> None:
    """Build what later starts find: the index once, and whatever else another release made
    otherwise.
    """
    say(f"{home.films:,} films: starting for the first time")
    with _reelwise(home):
        pass

    def fill() -> None:
        say(f"{home.films:,} films: filling Chroma, once")
        with _baseline(home):
            pass

    if baseline:
        home.once("chroma", fill)


def _size(home: Home, plan: Plan, say: Say, grow: bool) -> tuple[Size, People | None]:
    say(f"{home.films:,} films: starting")
    starts = [_start(home) for _ in range(plan.runs - 1)]
    with _reelwise(home) as server, _baseline(home) if plan.baseline else nullcontext() as rival:
        starts.append(server.seconds)
        served, baseline = _compared(home, server, rival, plan, say)
        people = measure_people(server, home, plan.count, say) if grow else None
    say(f"{home.films:,} films: encoder and chat")
    inside = TIMINGS.validate_json(_program("assistant.bench.inside", home, plan))
    size = Size(
        films=home.films,
        served=served.model_copy(update={"starts": tuple(starts)}),
        inside=inside,
        baseline=baseline,
        parts=_parts(home, plan, say) if plan.baseline else (),
    )
    return size, people


def _compared(
    home: Home, server: Server, rival: Server | None, plan: Plan, say: Say
) -> tuple[Served, Served | None]:
    """Every run of either, in turns."""
    with ExitStack() as stack:
        client = stack.enter_context(Client(server.url))
        workload = stack.enter_context(_people(client))
        sides = [_Side(server, Target(client, workload.round, plan.count))]
        if rival:
            asked = BaselineWorkload(real()).round
            size = max(1, plan.count // SLOWER)
            target = Target(stack.enter_context(Client(rival.url)), asked, size)
            sides.append(_Side(rival, target))
        for side in sides:
            side.target.warm_up()
        for run in range(plan.runs):
            say(f"{home.films:,} films: run {run + 1}")
            for side in sides:
                side.target.run()
        ours, *theirs = (side.served() for side in sides)
    memory = ours.memory.model_copy(update={"database": database_weight(home.folder)})
    return ours.model_copy(update={"memory": memory}), next(iter(theirs), None)


class _Side:
    """A server that is measured, and since when."""

    def __init__(self, server: Server, target: Target) -> None:
        self.target = target
        self._server, self._ready, self._since = server, server.weight.now, perf_counter()

    def served(self) -> Served:
        """Its figures."""
        memory = self._server.weight.memory(self._ready, self._since)
        timings = self.target.timings()
        return Served(starts=(self._server.seconds,), memory=memory, timings=timings)


def _start(home: Home) -> float:
    with _reelwise(home) as server:
        return server.seconds


def _reelwise(home: Home) -> AbstractContextManager[Server]:
    command = (*PROGRAM, "assistant.cli", "serve")
    return serving(command, home.settings, home.folder / "server.log")


def _baseline(home: Home) -> AbstractContextManager[Server]:
    command = (*PROGRAM, "assistant.bench.baseline", str(home.catalogue), str(home.baseline))
    return serving(command, {}, home.folder / "baseline.log")


def _parts(home: Home, plan: Plan, say: Say) -> tuple[Part, ...]:
    say(f"{home.films:,} films: part by part")
    folders = (str(home.catalogue), str(home.baseline))
    return PARTS.validate_json(_program("assistant.bench.parts", home, plan, *folders))


def _program(module: str, home: Home, plan: Plan, *words: str) -> bytes:
    """What a program of the bench prints. Raises InvalidRequest when it fails."""
    command = [*PROGRAM, module, str(plan.runs), str(plan.count), *words]
    told = environment(**home.settings)
    done = subprocess.run(command, env=told, capture_output=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise InvalidRequest(f"{module} failed:\n{done.stderr.decode(errors='replace')}")
    return done.stdout


@contextmanager
def _people(client: Client) -> Iterator[Workload]:
    """A workload whose people are known to the server, and forgotten afterwards."""
    workload = Workload(real())
    for request in workload.before():
        client.send(request)
    yield workload
    for request in workload.after():
        client.send(request)


def _processor() -> str:
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in told if line.startswith("model name"))
    return next(names, platform.machine())
