"""Every acknowledged swipe outlives the server, however it dies."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx

from recommender.models import Item
from tests.processes import Server, database_processes, no_process_left, start

SWIPES, CLIENTS, KILL_AFTER = 500, 6, 150


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
