"""``reelwise serve`` in a process of its own, for tests that come from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.fusion_container import free_port

SECONDS_TO_READY = 120


Start = Callable[[Mapping[str, str]], Sequence[str | Path]]
"""The command that starts a process which is told these variables."""


@contextmanager
def serving(
    start: Start,
    log: Path,
    variables: Mapping[str, str],
    port_variable: str = "PORT",
    ready: str = "/readyz",
) -> Iterator[str]:
    """The URL of the server that is started, once it is ready."""
    port = free_port()
    told = {port_variable: str(port), **variables}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            start(told),
            env=os.environ | told,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{url}{ready}", process, log)
            yield url
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that began a session, and a container's process 1, which is its child."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def installed(_told: Mapping[str, str]) -> Sequence[str | Path]:
    """Start what is installed here."""
    return (Path(sys.executable).with_name("reelwise"), "serve")


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_READY
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not get ready:\n{log.read_text()}")
