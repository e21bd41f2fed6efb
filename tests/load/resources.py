"""What servers, their PostgreSQL, nginx and this client take of the machine, over time."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.load.samples import Recorder
from tests.processes import Server, database_processes

EVERY_SECONDS = 5.0
_MIB = 2**20


@dataclass(frozen=True)
class Measured:
    """Servers on one data folder, and nginx before several."""

    servers: Sequence[Server]
    balancer: Server | None
    home: Path


@dataclass(frozen=True)
class Reading:
    """At one moment of the run: processor seconds so far, and MiB in memory.

    Servers are summed. Of PostgreSQL's processes, which share most of theirs, each counts in
    proportion (PSS).
    """

    at: float
    server_seconds: float
    balancer_seconds: float
    database_seconds: float
    client_seconds: float
    server_mib: float
    database_mib: float


async def watch(recorder: Recorder, measured: Measured) -> list[Reading]:
    """Read until cancelled."""
    readings: list[Reading] = []
    with suppress(asyncio.CancelledError):
        while True:
            readings.append(await asyncio.to_thread(_read, recorder, measured))
            await asyncio.sleep(EVERY_SECONDS)
    return readings


async def stand_still(recorder: Recorder, measured: Measured, at: float, seconds: float) -> None:
    """Have PostgreSQL stand still from a moment of the run on, as a disk may make it."""
    await asyncio.sleep(at - recorder.now)
    processes = set(await asyncio.to_thread(database_processes, measured.home))
    _each(processes, psutil.Process.suspend)
    await asyncio.sleep(seconds)
    _each(processes, psutil.Process.resume)


def _each(processes: Iterable[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # it was ending by itself
            do(process)


def _read(recorder: Recorder, measured: Measured) -> Reading:
    servers = [psutil.Process(server.process.pid) for server in measured.servers]
    balancer = _with_workers(measured.balancer) if measured.balancer else []
    seconds, mib = 0.0, 0.0
    for process in set(database_processes(measured.home)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            mib += process.memory_full_info().pss / _MIB
    return Reading(
        recorder.now,
        sum(map(_seconds, servers)),
        sum(map(_seconds, balancer)),
        seconds,
        _seconds(psutil.Process()),
        sum(server.memory_info().rss for server in servers) / _MIB,
        mib,
    )


def _with_workers(nginx: Server) -> list[psutil.Process]:
    master = psutil.Process(nginx.process.pid)
    return [master, *master.children()]


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
