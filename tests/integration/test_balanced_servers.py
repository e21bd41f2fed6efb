"""Two real servers on one data folder behind nginx as shipped: REST, chats, quotas, origins."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import httpx
import pytest
from aiohttp import TCPConnector

from recommender.models import Item
from tests.load.chatters import Chatter, client
from tests.nginx import STICKY, balancing, needs_nginx
from tests.processes import Server, serving

pytestmark = needs_nginx

SOCKET = "/ws/socket.io/?EIO=4&transport=polling"
ELSEWHERE = "127.0.0.2"
"""Another address of this machine, which servers do not take for a proxy's."""


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, indexed_url: str
) -> Iterator[Sequence[Server]]:
    home = tmp_path_factory.mktemp("balanced") / "home"
    with (
        serving(home, DATABASE_URL=indexed_url) as one,
        serving(home, DATABASE_URL=indexed_url) as other,
    ):
        yield one, other


@pytest.fixture(scope="module")
def nginx(servers: Sequence[Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("nginx") / "prefix"
    with balancing(folder, [server.port for server in servers]) as nginx:
        yield nginx


@pytest.fixture
def browser(nginx: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=nginx.url) as client:
        yield client


def answers(server: Server, route: str) -> float:
    """How many requests of a route a server has answered."""
    figures = httpx.get(f"{server.url}/metrics").text
    counted = rf'^reelwise_http_requests_total{{.*route="{re.escape(route)}".*}} (\S+)$'
    return sum(map(float, re.findall(counted, figures, re.MULTILINE)))


def swipes(server: Server, user: str) -> int:
    return int(httpx.get(f"{server.url}/user/{user}/profile").json()["swipe_count"])


def swipe(browser: httpx.Client, user: str, film: str) -> None:
    body = {"user_id": user, "item_id": film, "direction": "like"}
    browser.post("/swipe", json=body).raise_for_status()


def test_what_either_acknowledged_both_know(
    browser: httpx.Client, servers: Sequence[Server], starter_items: list[Item], user_id: str
) -> None:
    before = [answers(server, "/swipe") for server in servers]
    for count, film in enumerate(starter_items[:10], 1):
        swipe(browser, user_id, film.item_id)
        assert [swipes(server, user_id) for server in servers] == [count, count]
    took = [answers(server, "/swipe") - had for server, had in zip(servers, before, strict=True)]
    assert sum(took) == 10
    assert min(took) > 0


async def test_a_chat_has_its_page_its_socket_and_its_buttons_from_one_server(
    nginx: Server, servers: Sequence[Server], starter_items: list[Item]
) -> None:
    films = [item.item_id for item in starter_items[:20]]
    connector = TCPConnector()
    async with connector, AsyncExitStack() as stack:
        chats: list[tuple[Chatter, str]] = []
        for number in range(6):
            http = await stack.enter_async_context(client(nginx.url, connector))
            chatter = Chatter(http, f"chat-{number}", films, ["a western"])
            await chatter.connect(nginx.url)
            stack.push_async_callback(chatter.leave)
            (held_by,) = [each.value for each in http.cookie_jar if each.key == STICKY]
            chats.append((chatter, held_by))
        for chatter, _ in chats:
            await chatter.say("a western")
            await chatter.swipe()  # would fail where nobody knows of the socket
            await chatter.say("older")
    assert {held_by for _, held_by in chats} == {str(server.port) for server in servers}


def remaining(answer: httpx.Response) -> int:
    """What is left of the quota of whoever asked."""
    (left,) = re.findall(r'"address";r=(\d+)', answer.raise_for_status().headers["RateLimit"])
    return int(left)


def test_quotas_are_of_the_client_s_address_and_of_no_other_that_it_names(nginx: Server) -> None:
    from_elsewhere = httpx.HTTPTransport(local_address=ELSEWHERE)
    with (
        httpx.Client(base_url=nginx.url) as here,
        httpx.Client(base_url=nginx.url, transport=from_elsewhere) as elsewhere,
    ):
        left_here = [remaining(here.get("/items/541")) for _ in range(6)]
        left = [
            remaining(elsewhere.get("/items/541", headers={"X-Forwarded-For": f"192.0.2.{n}"}))
            for n in range(6)
        ]
    assert max(left) > min(left_here)
    assert min(left) < max(left)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://elsewhere.test"}, 400),
        ({"Origin": "http://elsewhere.test", "X-Forwarded-Host": "elsewhere.test"}, 400),
        ({"Host": "elsewhere.test", "Origin": "http://elsewhere.test"}, 421),
    ],
)
def test_a_socket_is_for_the_page_s_own_origin(
    browser: httpx.Client, headers: dict[str, str], status: int
) -> None:
    assert browser.get(SOCKET, headers=headers).status_code == status
    own = {"Origin": str(browser.base_url).rstrip("/")}
    assert browser.get(SOCKET, headers=own).status_code == 200


def test_nobody_makes_a_server_believe_that_he_came_by_https(browser: httpx.Client) -> None:
    answer = browser.get("/healthz", headers={"X-Forwarded-Proto": "https"}).raise_for_status()
    assert "strict-transport-security" not in answer.headers


def test_one_is_killed_and_rest_goes_on(
    browser: httpx.Client, servers: Sequence[Server], starter_items: list[Item], user_id: str
) -> None:
    """The last test of the pair: it ends one."""
    gone, left = servers
    films = [item.item_id for item in starter_items[:20]]
    for film in films[:10]:
        swipe(browser, user_id, film)
    gone.kill()
    for film in films[10:]:
        swipe(browser, user_id, film)
    assert swipes(left, user_id) == len(films)
