"""The container's program as a process of its own, for tests.

Run as a module, it serves the untrained blend; the query "hold" calls HOLD_PORT and is answered
when that hangs up.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from fusion.container.cli import run
from fusion.fake import BlendFusionEncoder
from fusion.fusion_encoder import Fused, FusionInput

BLEND = ("-m", "tests.fusion_container")
START_SECONDS = 60


class HoldingEncoder(BlendFusionEncoder):
    """The blend, which can be held up."""

    def fuse(self, asked: FusionInput) -> Fused:
        if asked.query == "hold":
            with socket.create_connection(("127.0.0.1", int(os.environ["HOLD_PORT"]))) as caller:
                caller.recv(1)
        return super().fuse(asked)


@contextmanager
def aws_environment() -> Iterator[pytest.MonkeyPatch]:
    """Credentials that open nothing, and no other configuration of the machine's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }.items():
            patch.setenv(name, value)
        yield patch


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def holding() -> Iterator[tuple[str, Callable[[], socket.socket]]]:
    """The HOLD_PORT, and a call that waits for "hold" to be asked: close its result to answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(START_SECONDS)
        yield str(listener.getsockname()[1]), lambda: listener.accept()[0]


@contextmanager
def container(
    program: Sequence[str] = BLEND, port: int | None = None, **environment: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A running container that answers /ping: its address and its process."""
    port = port or free_port()
    settings = {"HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port), **environment}
    process = subprocess.Popen(
        [sys.executable, *program], env=os.environ | settings, cwd=Path(__file__).parents[1]
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url, process
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/ping").status_code == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"the container ended with code {process.wait(0.05)}")
    raise AssertionError(f"the container is not ready after {START_SECONDS} s")


if __name__ == "__main__":
    run(lambda _folder: HoldingEncoder())
