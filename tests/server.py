"""``reelwise serve`` in a process of its own, for tests that come from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.fusion_container import free_port

SECONDS_TO_READY = 120


@contextmanager
def serving(
    command: Sequence[str | Path], log: Path, variables: Mapping[str, str]
) -> Iterator[str]:
    """The URL of the server that ``command`` starts, once it is ready."""
    port = free_port()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            env=os.environ | {"PORT": str(port), **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process, log)
            yield url
        finally:
            process.terminate()


def installed() -> Sequence[str | Path]:
    """The command of this environment."""
    return (Path(sys.executable).with_name("reelwise"), "serve")


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_READY
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not get ready:\n{log.read_text()}")
