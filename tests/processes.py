"""``reelwise serve`` in a process of its own, and the PostgreSQL that it starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.fusion_container import free_port

START_SECONDS = STOP_SECONDS = 120.0


@dataclass
class Server:
    """A server on a data folder."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_SECONDS)


def command(*words: str) -> list[str]:
    """The command line, run by this interpreter."""
    return [sys.executable, "-m", "assistant.cli", *words]


def launch(home: Path, **settings: str) -> Server:
    """A server that has only just been started; its log is appended to."""
    log = home.parent / f"{home.name}.log"
    # A busy machine's models are slow, and searches are not to go on without them.
    usual = {"REELWISE_HOME": str(home), "PORT": str(free_port()), "ENCODER_TIMEOUT": "60"}
    told = usual | settings
    with log.open("ab") as output:
        process = subprocess.Popen(
            command("serve"), env=os.environ | told, stdout=output, stderr=output
        )
    return Server(process, f"http://127.0.0.1:{told['PORT']}", log)


def start(home: Path, **settings: str) -> Server:
    """A server that is ready."""
    server = launch(home, **settings)
    try:
        wait_until_ready(server)
    except BaseException:
        server.kill()
        raise
    return server


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Server]:
    """A server that is ready, and stopped afterwards."""
    server = start(home, **settings)
    try:
        yield server
    finally:
        server.stop()


def wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)  # a process that starts, or recovers, offers nothing to wait on
    pytest.fail(f"Not ready after {START_SECONDS:g} s: {server.log.read_text()}")


def database_processes(home: Path) -> list[psutil.Process]:
    """The PostgreSQL processes whose data lies under ``home``: the postmaster and its children."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(home) in " ".join(process.info["cmdline"] or []) and "postgres" in str(
            process.info["cmdline"]
        ):
            found += [process, *process.children(recursive=True)]
    return found


@contextmanager
def no_process_left(home: Path) -> Iterator[None]:
    """Whatever happens, ends the database that belongs to ``home``."""
    try:
        yield
    finally:
        left = database_processes(home)
        for process in left:
            with suppress(psutil.NoSuchProcess):  # it was ending by itself
                process.send_signal(signal.SIGTERM)
        psutil.wait_procs(left, timeout=10)
