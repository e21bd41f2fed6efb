"""Every acknowledged swipe outlives the server, however it dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import httpx
import psutil
import pytest

from recommender.models import Item

SWIPES, CLIENTS, KILL_AFTER = 500, 6, 150
START_SECONDS = 90.0


@dataclass
class Server:
    """``reelwise serve`` in a process of its own, on a data folder."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(home: Path) -> Server:
    port, log = free_port(), home.parent / "server.log"
    environment = os.environ | {"REELWISE_HOME": str(home), "PORT": str(port)}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", "serve"],
            env=environment,
            stdout=output,
            stderr=output,
        )
    server = Server(process, f"http://127.0.0.1:{port}", log)
    wait_until_ready(server)
    return server


def wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)  # a process that starts offers nothing to wait on
    pytest.fail(server.log.read_text())


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
            process.send_signal(signal.SIGTERM)
        psutil.wait_procs(left, timeout=10)


def swipe_until_killed(
    server: Server, users: Sequence[str], films: Sequence[str]
) -> list[tuple[str, str]]:
    """What was acknowledged of SWIPES swipes by CLIENTS clients; the server dies in between."""
    acknowledged: list[tuple[str, str]] = []
    enough = Event()

    def client(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=10) as door:
            for turn in range(number, SWIPES, CLIENTS):
                swipe = {
                    "user_id": users[turn % len(users)],
                    "item_id": films[turn],
                    "direction": "like",
                }
                try:
                    answer = door.post("/swipe", json=swipe)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    acknowledged.append((swipe["user_id"], swipe["item_id"]))
                if len(acknowledged) >= KILL_AFTER:
                    enough.set()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, number) for number in range(CLIENTS)]
        assert enough.wait(60), server.log.read_text()
        server.kill()
    for each in clients:
        each.result()
    return acknowledged


def stored(server: Server, users: Sequence[str]) -> list[tuple[str, str]]:
    swipes = []
    for user in users:
        export = httpx.get(f"{server.url}/user/{user}/export", timeout=10).json()
        swipes += [(user, swipe["item_id"]) for swipe in export["swipes"]]
    return swipes


def test_no_acknowledged_swipe_dies_with_the_server(
    tmp_path: Path, starter_items: list[Item]
) -> None:
    home, users = tmp_path / "home", ["ann", "bob", "cem"]
    films = [item.item_id for item in starter_items[:SWIPES]]
    with no_process_left(home):
        server = start(home)
        acknowledged = swipe_until_killed(server, users, films)
        assert KILL_AFTER <= len(acknowledged) < SWIPES, json.dumps(acknowledged[-5:])

        restarted = start(home)
        kept = stored(restarted, users)
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept)) <= len(acknowledged) + CLIENTS

        answer = httpx.post(
            f"{restarted.url}/swipe",
            json={"user_id": "ann", "item_id": films[-1], "direction": "skip"},
            timeout=10,
        )
        assert answer.status_code == 200
        assert answer.json()["swipe_count"] == sum(user == "ann" for user, _ in kept) + 1
        assert restarted.stop() == 0
        assert database_processes(home) == []
