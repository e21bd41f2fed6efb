"""Two ``reelwise serve`` processes on one data folder, asked by many clients at once over HTTP."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from recommender.models import Item
from tests.processes import Server, database_processes, no_process_left, start

SWIPES, CLIENTS = 200, 8
NOON = "2026-06-01T12:00:00Z"
Pair = tuple[Server, Server]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("house") / "home"
    with no_process_left(folder):
        yield folder


@pytest.fixture(scope="module")
def pair(home: Path) -> Iterator[Pair]:
    servers = start(home), start(home)
    yield servers
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def films(starter_items: list[Item]) -> list[str]:
    return [item.item_id for item in starter_items[:SWIPES]]


def swipe(server: Server, user: str, film: str, direction: str, key: str | None = None) -> Any:  # noqa: ANN401
    body = {"user_id": user, "item_id": film, "direction": direction, "timestamp": NOON}
    headers = {"Idempotency-Key": key} if key else {}
    answer = httpx.post(f"{server.url}/swipe", json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.json()


def get(server: Server, path: str) -> Any:  # noqa: ANN401
    answer = httpx.get(f"{server.url}{path}", timeout=60)
    answer.raise_for_status()
    return answer.json()


def at_once(action: Callable[[int], Any], count: int) -> list[Any]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(action, range(count)))


def learned(profile: dict[str, Any]) -> dict[str, Any]:
    """A profile without whose and when it is, and what depends on the order of likes."""
    apart = {"user_id", "updated_at", "recent_likes", "transformer_metrics", "learned_weights"}
    rounded = {"preference_confidence": round(profile["preference_confidence"], 4)}
    return {name: value for name, value in (profile | rounded).items() if name not in apart}


def test_parallel_swipes_leave_what_the_same_swipes_one_by_one_leave(
    pair: Pair, films: Sequence[str], user_id: str
) -> None:
    said = list(zip(films, cycle(("like", "like", "dislike", "skip")), strict=False))
    at_once(lambda number: swipe(pair[number % 2], user_id, *said[number]), SWIPES)
    alone = f"alone-{user_id}"
    with httpx.Client(base_url=pair[0].url, timeout=60) as door:
        for film, direction in said:
            body = {"user_id": alone, "item_id": film, "direction": direction, "timestamp": NOON}
            door.post("/swipe", json=body).raise_for_status()
    profiles = [get(each, f"/user/{user}/profile") for each in pair for user in (user_id, alone)]
    counts = ("swipe_count", "like_count", "dislike_count", "skip_count")
    for profile in profiles:
        assert [profile[name] for name in counts] == [SWIPES, 100, 50, 50]
        assert learned(profile) == learned(profiles[0])


def test_no_profile_is_older_than_the_caller_s_own_last_swipe(
    pair: Pair, films: Sequence[str], user_id: str
) -> None:
    def act(number: int) -> None:
        me = f"{user_id}-{number}"
        for turn, film in enumerate(films[:12], 1):
            assert swipe(pair[turn % 2], me, film, "like")["swipe_count"] == turn
            assert get(pair[(turn + 1) % 2], f"/user/{me}/profile")["like_count"] == turn

    at_once(act, CLIENTS)


def test_parallel_replays_record_once_and_get_one_answer(
    pair: Pair, films: Sequence[str], user_id: str
) -> None:
    receipts = at_once(
        lambda number: swipe(pair[number % 2], user_id, films[0], "like", key="the-same"), 40
    )
    assert all(receipt == receipts[0] for receipt in receipts)
    assert len(get(pair[0], f"/user/{user_id}/export")["swipes"]) == 1


def test_parallel_uses_of_a_key_for_different_films_record_one_of_them(
    pair: Pair, films: Sequence[str], user_id: str
) -> None:
    def send(number: int) -> tuple[int, str]:
        body = {"user_id": user_id, "item_id": films[number], "direction": "like"}
        answer = httpx.post(
            f"{pair[number % 2].url}/swipe",
            json=body,
            headers={"Idempotency-Key": "one"},
            timeout=60,
        )
        return answer.status_code, films[number]

    answers = at_once(send, 16)
    recorded = [film for status, film in answers if status == 200]
    assert sorted({status for status, _ in answers}) == [200, 422]
    [event] = get(pair[0], f"/user/{user_id}/export")["swipes"]
    assert recorded == [event["item_id"]]


def test_one_goes_and_the_other_serves_on(
    pair: Pair, home: Path, films: Sequence[str], user_id: str
) -> None:
    """The last test of the pair: it ends both."""
    first, second = pair
    swipe(first, user_id, films[0], "like")
    assert first.stop() == 0
    assert get(second, f"/user/{user_id}/profile")["swipe_count"] == 1
    assert swipe(second, user_id, films[1], "like")["swipe_count"] == 2
    second.kill()
    third = start(home)
    assert get(third, f"/user/{user_id}/profile")["swipe_count"] == 2
    assert third.stop() == 0
    assert database_processes(home) == []
