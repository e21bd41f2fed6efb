"""nginx as shipped, before servers of a test's own."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fusion_container import free_port
from tests.processes import Server

SHIPPED = Path(__file__).parents[1] / "infra" / "nginx" / "reelwise.conf"
ABSENT = "there is no nginx: apt-get install nginx-light"
STICKY = "reelwise_server"
"""The cookie that says which server a browser is with."""
START_SECONDS = 30
LISTEN, FIRST, SECOND = "8000", "8001", "8002"
"""The ports of the shipped configuration."""
_PORT = re.compile(f"({LISTEN}|{FIRST}|{SECOND})")
# What Debian's nginx.conf holds around it, in a folder that is nginx's prefix.
_AROUND = """\
daemon off;
pid nginx.pid;
error_log error.log;
worker_processes 2;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include reelwise.conf;
}
"""


def program() -> str | None:
    """nginx, which Debian puts where not everybody looks."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


needs_nginx = pytest.mark.skipif(program() is None, reason=ABSENT)


def configuration(listen: int, ports: Sequence[int]) -> str:
    """The shipped one for servers on these ports; the second's lines serve for further ones."""
    return "".join(
        line
        for shipped in SHIPPED.read_text().splitlines(keepends=True)
        for line in _of_all(shipped, str(listen), [str(port) for port in ports])
    )


def _of_all(line: str, listen: str, ports: Sequence[str]) -> Iterator[str]:
    named = _PORT.search(line)
    for second in ports[1:] if named and named[0] == SECOND else ports[1:2]:
        mine = {LISTEN: listen, FIRST: ports[0], SECOND: second}
        yield "".join(mine.get(part, part) for part in _PORT.split(line))


@contextmanager
def balancing(folder: Path, ports: Sequence[int]) -> Iterator[Server]:
    """nginx before the servers on these ports, its files in ``folder``."""
    nginx, listen = program(), free_port()
    assert nginx, ABSENT
    folder.mkdir()
    (folder / "reelwise.conf").write_text(configuration(listen, ports))
    # Workers are nobody otherwise, who may not enter the folders of root's tests.
    as_root = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(as_root + _AROUND)
    log = folder / "error.log"
    process = subprocess.Popen([nginx, "-p", folder, "-e", log, "-c", "nginx.conf"])
    try:
        _wait(process, listen, log)
        yield Server(process, f"http://127.0.0.1:{listen}", log)
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.02)  # nginx tells nobody that it listens
    raise AssertionError(f"nginx did not start:\n{log.read_text()}")
