"""Servers as processes of their own: started, timed until they are ready, weighed, and ended."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter, sleep

import psutil

from assistant.api.settings import ApiSettings
from assistant.bench.client import Client, Request
from assistant.bench.figures import Memory
from assistant.settings import Settings
from recommender.errors import InvalidRequest
from recommender.settings import RecommenderSettings

LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ENCODER_THREADS")
ONE_THREAD = dict.fromkeys(LIBRARIES, "1") | {"TOKENIZERS_PARALLELISM": "false"}
SECONDS_TO_START = 3600.0
"""The first start over many films builds their index."""
SECONDS_TO_STOP = 60.0
LOOK_SECONDS = 0.05


@dataclass
class Server:
    """A server that is ready, after so many ``seconds``."""

    url: str
    pid: int
    seconds: float
    weight: "Weight"


class Weight(Thread):
    """The resident megabytes of a process, over and over until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = Event()
        self._seen: list[tuple[float, float]] = [(perf_counter(), self._resident())]

    def run(self) -> None:
        """Look until told to stop, or there is nothing to look at."""
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._seen.append((perf_counter(), self._resident()))
            except psutil.Error:
                return

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    @property
    def now(self) -> float:
        """The last that was seen."""
        return self._seen[-1][1]

    def memory(self, ready: float, since: float) -> Memory:
        """The figures, where requests came from the moment ``since`` on."""
        seen = list(self._seen)
        served = [weight for moment, weight in seen if moment >= since]
        return Memory(
            ready=ready,
            steady=median(served or [self.now]),
            peak=max(weight for _, weight in seen),
        )

    def _resident(self) -> float:
        return float(self._process.memory_info().rss) / 1e6


def environment(**settings: str) -> dict[str, str]:
    """This process' own without what sets Reelwise up, with these settings and one thread."""
    models = (Settings, RecommenderSettings, ApiSettings)
    names = {name.upper() for model in models for name in model.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in names}
    return kept | ONE_THREAD | settings


@contextmanager
def serving(command: Sequence[str], settings: Mapping[str, str], log: Path) -> Iterator[Server]:
    """The server that ``command`` starts on PORT, once /readyz says so; ended afterwards.

    Raises InvalidRequest when it does not get ready, naming its ``log``.
    """
    port = _free_port()
    told = environment(**settings, PORT=str(port))
    with log.open("wb") as output:
        started = perf_counter()
        process = subprocess.Popen(command, env=told, stdout=output, stderr=output)  # noqa: S603 - our own
        weight = Weight(process.pid)
        weight.start()
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            yield Server(url, process.pid, perf_counter() - started, weight)
        finally:
            weight.stop()
            _end(process)


def database_weight(home: Path) -> float | None:
    """Megabytes of the embedded PostgreSQL of a data folder, shared pages counted once; None where
    the system does not tell.
    """
    pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(pid)
    try:
        infos = [
            each.memory_full_info() for each in (postmaster, *postmaster.children(recursive=True))
        ]
        return float(sum(info.pss for info in infos)) / 1e6
    except (psutil.Error, AttributeError):
        return None


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = perf_counter() + SECONDS_TO_START
    with Client(url) as client:
        while perf_counter() < deadline and process.poll() is None:
            with suppress(InvalidRequest):
                client.send(Request("/readyz", method="GET"))
                return
            sleep(LOOK_SECONDS)
    raise InvalidRequest(f"A server of the bench did not get ready; {log} says why.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
