"""What the whole server, chat and REST, says to browsers, and how much it lets clients send."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from assistant.api.middleware import SECURITY_HEADERS
from assistant.server import create_app
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from tests.integration.api_client import ApiClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PAGES = ("/", "/login", "/docs", "/dashboard")
OTHERS = (
    "/openapi.json",
    "/healthz",
    "/metrics",
    "/items/541",
    "/public/reelwise.css",
    "/project/translations",
    "/nosuch",
    "/ws/socket.io/?EIO=4&transport=polling",
)


@pytest.fixture(scope="module")
def app(
    recommender: Recommender, encoder: TextEncoder, tmp_path_factory: pytest.TempPathFactory
) -> FastAPI:
    home: Path = tmp_path_factory.mktemp("home")
    return create_app(recommender, encoder, Settings(reelwise_home=home))


@pytest.fixture
def client(app: FastAPI) -> Iterator[ApiClient]:
    with ApiClient(app, base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", PAGES + OTHERS)
def test_every_answer_keeps_browsers_from_guessing_framing_and_leaking(
    client: ApiClient, path: str
) -> None:
    headers = client.get(path).headers
    for name in SECURITY_HEADERS:
        assert headers[name]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_policy_that_names_nobody_else(client: ApiClient, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert directives["default-src"] in ("'self'", "'none'")
    assert not [word for words in directives.values() for word in words.split() if "." in word]
    if directives["default-src"] == "'self'":
        assert directives["object-src"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert directives["form-action"] in ("'self'", "'none'")
    assert directives["frame-ancestors"] in ("'self'", "'none'")


def test_over_https_browsers_are_told_to_stay_there(app: FastAPI) -> None:
    with ApiClient(app, base_url="https://localhost") as client:
        assert "max-age" in client.get("/healthz").headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/search", "/swipe", "/project/action", "/login", "/user"])
def test_no_other_site_may_read_or_ask(client: ApiClient, path: str) -> None:
    asked = {
        "Origin": "https://elsewhere.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    for answer in (
        client.options(path, headers=asked),
        client.post(path, json={}, headers={"Origin": asked["Origin"]}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-allow-or")]


@pytest.mark.parametrize("path", ["/login", "/project/action", "/feedback", "/set-session-cookie"])
def test_what_the_chat_is_sent_is_bounded(app: FastAPI, client: ApiClient, path: str) -> None:
    most, method = app.state.max_body_bytes, "PUT" if path == "/feedback" else "POST"
    form = {"Content-Type": "application/x-www-form-urlencoded"} if path == "/login" else {}
    for content in (b"x" * (most + 1), iter([b"x" * most, b"x"])):
        answer = client.request(method, path, content=content, headers=form)
        assert answer.status_code == 413
