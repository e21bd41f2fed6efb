"""Every acknowledged swipe outlives the server, however it dies."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx

from recommender.models import Item
from tests.faults import WAIT_SECONDS
from tests.processes import Server, database_processes, no_process_left, start

CLIENTS, KILL_AFTER = 6, 150
Swipe = tuple[str, str]


def swipe_until_killed(server: Server, swipes: Sequence[Swipe]) -> list[Swipe]:
    """What was acknowledged of swipes by CLIENTS clients; the server dies in between."""
    acknowledged: list[Swipe] = []
    enough = Event()

    def client(number: int) -> None:
        with httpx.Client(base_url=server.url) as door:
            for user, film in swipes[number::CLIENTS]:
                swipe = {"user_id": user, "item_id": film, "direction": "like"}
                try:
                    answer = door.post("/swipe", json=swipe)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    acknowledged.append((user, film))
                if len(acknowledged) >= KILL_AFTER:
                    enough.set()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client, number) for number in range(CLIENTS)]
        assert enough.wait(WAIT_SECONDS), server.log.read_text()
        server.kill()
    for each in clients:
        each.result()
    return acknowledged


def stored(server: Server, users: Sequence[str]) -> list[Swipe]:
    swipes = []
    for user in users:
        export = httpx.get(f"{server.url}/user/{user}/export").json()
        swipes += [(user, swipe["item_id"]) for swipe in export["swipes"]]
    return swipes


def test_no_acknowledged_swipe_dies_with_the_server(
    tmp_path: Path, starter_items: list[Item]
) -> None:
    home, users = tmp_path / "home", ["ann", "bob", "cem"]
    films = [item.item_id for item in starter_items]
    with no_process_left(home):
        server = start(home)
        swipes = [(user, film) for film in films for user in users]  # more than there is time for
        acknowledged = swipe_until_killed(server, swipes)
        assert KILL_AFTER <= len(acknowledged) < len(swipes) - CLIENTS

        restarted = start(home)
        kept = stored(restarted, users)
        assert set(acknowledged) <= set(kept)
        assert len(kept) == len(set(kept)) <= len(acknowledged) + CLIENTS

        answer = httpx.post(
            f"{restarted.url}/swipe",
            json={"user_id": "ann", "item_id": films[-1], "direction": "skip"},
        )
        assert answer.status_code == 200
        assert answer.json()["swipe_count"] == sum(user == "ann" for user, _ in kept) + 1
        assert restarted.stop() == 0
        assert database_processes(home) == []
