"""nginx as shipped: what it sends where, before servers that only tell what reached them."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from assistant.api.settings import ApiSettings
from tests.nginx import STICKY, balancing, needs_nginx

pytestmark = needs_nginx
SOCKET = "/ws/socket.io/?EIO=4&transport=polling"
KEY = {"Idempotency-Key": "one"}


class Telling(BaseHTTPRequestHandler):
    """Answers with its server's port and the request's headers, or hangs up before it does."""

    protocol_version = "HTTP/1.1"
    server: "Scripted"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append(f"{self.command} {self.path}")
        if self.server.hangs_up:
            self.close_connection = True
            return
        told = {"port": self.server.server_port, "headers": dict(self.headers)}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Scripted(ThreadingHTTPServer):
    """A server of ours as far as nginx can see."""

    def __init__(self, hangs_up: bool = False, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Telling)
        self.hangs_up = hangs_up
        self.received: list[str] = []
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def gone(self) -> None:
        self.shutdown()
        self.server_close()


Pair = tuple[Scripted, Scripted]


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two servers; parametrised with True they hang up on everybody."""
    servers = [Scripted(getattr(request, "param", False)) for _ in range(2)]
    yield servers[0], servers[1]
    for server in servers:
        server.gone()


@pytest.fixture
def browser(pair: Pair, tmp_path: Path) -> Iterator[httpx.Client]:
    ports = [server.server_port for server in pair]
    with balancing(tmp_path / "nginx", ports) as nginx, httpx.Client(base_url=nginx.url) as client:
        yield client


def answered_by(answer: httpx.Response) -> int:
    return int(answer.raise_for_status().json()["port"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/swipe"),
        ("POST", "/search"),
        ("GET", "/survey/one/next"),
        ("GET", "/user/ada/profile"),
        ("GET", "/items/541"),
        ("GET", "/"),
    ],
)
def test_rest_goes_to_both_and_so_does_a_chat_that_begins(
    browser: httpx.Client, method: str, path: str
) -> None:
    answers = [browser.request(method, path) for _ in range(4)]
    assert len({answered_by(answer) for answer in answers}) == 2
    assert not browser.cookies


@pytest.mark.parametrize("pair", [True], indirect=True)
@pytest.mark.parametrize(
    ("method", "path", "headers", "times"),
    [
        ("POST", "/swipe", {}, 1),
        ("POST", "/swipe", KEY, 2),
        ("POST", "/swipe/undo", {}, 1),
        ("POST", "/swipe/undo", KEY, 2),
        ("POST", "/survey/start", {}, 1),
        ("POST", "/survey/start", KEY, 2),
        ("POST", "/user/ada/history", {}, 1),
        ("POST", "/user/ada/history", KEY, 2),
        ("POST", "/search", {}, 2),
        ("POST", "/explain", {}, 2),
        ("GET", "/user/ada/profile", {}, 2),
        ("DELETE", "/user/ada", {}, 2),
        ("POST", "/project/action", {}, 1),
        ("POST", "/project/action", KEY, 1),
    ],
)
def test_of_what_a_server_left_unanswered_the_other_gets_what_may_be_done_twice(
    browser: httpx.Client,
    pair: Pair,
    method: str,
    path: str,
    headers: dict[str, str],
    times: int,
) -> None:
    assert browser.request(method, path, headers=headers).status_code == 502
    received = [request for server in pair for request in server.received]
    assert received == [f"{method} {path}"] * times


@pytest.mark.parametrize("path", ["/swipe", "/search", "/login"])
def test_where_a_server_is_gone_the_other_gets_everything(
    browser: httpx.Client, pair: Pair, path: str
) -> None:
    gone, there = pair
    gone.gone()
    answers = [browser.post(path, json={}) for _ in range(4)]
    assert {answered_by(answer) for answer in answers} == {there.server_port}


def test_a_browser_stays_with_the_server_that_its_socket_reached(browser: httpx.Client) -> None:
    first = answered_by(browser.get(SOCKET))
    assert browser.cookies[STICKY] == str(first)
    for method, path in [("GET", "/"), ("POST", "/project/action"), ("GET", SOCKET)] * 2:
        answer = browser.request(method, path)
        assert answered_by(answer) == first
        assert "set-cookie" not in answer.headers


def test_the_cookie_is_for_nobody_s_eyes(browser: httpx.Client) -> None:
    answer = browser.get(SOCKET)
    given = answer.headers["set-cookie"]
    assert given == f"{STICKY}={answered_by(answer)}; Path=/; HttpOnly; SameSite=Lax"


def test_a_browser_goes_to_the_server_that_is_left_and_stays_there(
    browser: httpx.Client, pair: Pair
) -> None:
    first = answered_by(browser.get(SOCKET))
    gone, other = pair if pair[0].server_port == first else pair[::-1]
    gone.gone()
    assert answered_by(browser.get("/")) == other.server_port
    assert answered_by(browser.get(SOCKET)) == other.server_port
    assert browser.cookies[STICKY] == str(other.server_port)
    back = Scripted(port=first)
    assert {answered_by(browser.post("/project/action")) for _ in range(4)} == {other.server_port}
    other.gone()
    assert answered_by(browser.get(SOCKET)) == first
    assert answered_by(browser.get(SOCKET)) == first
    back.gone()


def test_as_many_servers_as_a_load_test_wants(tmp_path: Path) -> None:
    servers = {server.server_port: server for server in (Scripted() for _ in range(4))}
    with balancing(tmp_path / "nginx", list(servers)) as nginx:
        for _ in servers:
            with httpx.Client(base_url=nginx.url) as browser:
                held_by = answered_by(browser.get(SOCKET))
                assert {answered_by(browser.get("/")) for _ in servers} == {held_by}
    for server in servers.values():
        assert server.received.count(f"GET {SOCKET}") == 1
        server.gone()


@pytest.mark.parametrize("made_up", ["1", "22", "127.0.0.1:22", "reelwise", "8001; x", "../"])
def test_a_cookie_leads_to_no_other_place(browser: httpx.Client, pair: Pair, made_up: str) -> None:
    known = {server.server_port for server in pair}
    answer = browser.get(SOCKET, headers={"Cookie": f"{STICKY}={made_up}"})
    assert answered_by(answer) in known
    assert answer.cookies[STICKY] == str(answered_by(answer))


@pytest.mark.parametrize("path", ["/swipe", "/search", "/", SOCKET])
def test_servers_are_told_who_asks_and_nothing_that_the_client_made_up(
    browser: httpx.Client, path: str
) -> None:
    forged = {
        "Host": "films.test:8443",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "elsewhere.test",
        "X-Forwarded-User": "ada",
    }
    told = browser.post(path, headers=forged | KEY).json()["headers"]
    assert told["Host"] == "films.test:8443"
    assert told["X-Forwarded-For"] == "127.0.0.1"
    assert told["X-Forwarded-Proto"] == "http"
    assert not {"X-Forwarded-Host", "X-Forwarded-User"} & set(told)
    assert told["Idempotency-Key"] == "one"


def test_the_largest_upload_passes_and_nothing_larger(browser: httpx.Client, pair: Pair) -> None:
    most = ApiSettings().max_upload_bytes
    assert browser.post("/user/ada/history", content=b"x" * most).status_code == 200
    assert browser.post("/user/ada/history", content=b"x" * (most + 1)).status_code == 413
    assert sum(len(server.received) for server in pair) == 1


@pytest.mark.parametrize("path", ["/metrics", "/dashboard", "/dashboard/figures", "/%6detrics"])
def test_figures_of_one_process_are_not_for_everybody(
    browser: httpx.Client, pair: Pair, path: str
) -> None:
    assert browser.get(path).status_code == 404
    assert not [request for server in pair for request in server.received]
