"""What the server, its PostgreSQL and this client take of the machine, over time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.load.samples import Recorder
from tests.processes import database_processes

EVERY_SECONDS = 5.0
_MIB = 2**20


@dataclass(frozen=True)
class Reading:
    """At one moment of the run: processor seconds so far, and MiB in memory.

    Of PostgreSQL's processes, which share most of theirs, each counts in proportion (PSS).
    """

    at: float
    server_seconds: float
    database_seconds: float
    client_seconds: float
    server_mib: float
    database_mib: float


async def watch(recorder: Recorder, pid: int, home: Path) -> list[Reading]:
    """Read until cancelled."""
    readings: list[Reading] = []
    server, client = psutil.Process(pid), psutil.Process()
    with suppress(asyncio.CancelledError):
        while True:
            database = await asyncio.to_thread(database_processes, home)
            readings.append(await asyncio.to_thread(_read, recorder, server, database, client))
            await asyncio.sleep(EVERY_SECONDS)
    return readings


def _read(
    recorder: Recorder,
    server: psutil.Process,
    database: Sequence[psutil.Process],
    client: psutil.Process,
) -> Reading:
    seconds, mib = 0.0, 0.0
    for process in set(database):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            mib += process.memory_full_info().pss / _MIB
    return Reading(
        recorder.now,
        _seconds(server),
        seconds,
        _seconds(client),
        server.memory_info().rss / _MIB,
        mib,
    )


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
