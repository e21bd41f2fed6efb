"""Signing in by password, by a proxy's header and with a provider, against real servers."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.chat.passwords import Passwords
from assistant.chat.settings import passwords_file
from tests.browser.browser_chat import Chat
from tests.processes import serving

pytestmark = pytest.mark.browser

TRIES = 10  # a minute
PASSWORDS = {"amy": "correct horse", "ben": "battery staple"}


@pytest.fixture(scope="module")
def by_password(tmp_path_factory: pytest.TempPathFactory, indexed_url: str) -> Iterator[str]:
    home = tmp_path_factory.mktemp("passwords")
    for name, password in PASSWORDS.items():
        Passwords(passwords_file(home)).set(name, password)
    with serving(home, DATABASE_URL=indexed_url, CHAT_AUTH="password") as server:
        yield server.url


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    page.goto(url)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign In").click()


def test_people_have_conversations_of_their_own(
    chromium: Browser, by_password: str, artifacts: Path
) -> None:
    for name, other in (("amy", "a western"), ("ben", "a musical")):
        page = chromium.new_context().new_page()
        sign_in(page, by_password, name, PASSWORDS[name])
        page.get_by_role("button", name="Start swiping").wait_for()
        Chat(page).say(other)
        expect(page.get_by_role("region", name="Recommendations")).to_be_visible()
        page.locator("#header #sidebar-trigger-button").click()
        expect(page.get_by_role("link", name=other)).to_be_visible()
        expect(page.locator("a[href^='/thread/']")).to_have_count(1)
        page.context.close()
    said = [
        httpx.get(f"{by_password}/user/{name}/export").json()["conversations"][0]["name"]
        for name in PASSWORDS
    ]
    assert said == ["a western", "a musical"]
    page = chromium.new_context().new_page()
    page.goto(by_password)
    page.get_by_role("button", name="Sign In").wait_for()
    page.screenshot(path=artifacts / "sign-in.png")


def test_another_persons_conversation_stays_closed(by_password: str) -> None:
    (thread,) = httpx.get(f"{by_password}/user/amy/export").json()["conversations"]
    path = f"{by_password}/project/thread/{thread['thread_id']}"
    assert httpx.get(path).status_code == 401
    with httpx.Client(base_url=by_password) as ben:
        answer = ben.post("/login", data={"username": "ben", "password": PASSWORDS["ben"]})
        assert answer.is_success
        assert ben.get("/user").json()["identifier"] == "ben"
        assert ben.get(path).status_code == 401
        renamed = ben.put("/project/thread", json={"threadId": thread["thread_id"], "name": "x"})
        deleted = ben.request("DELETE", "/project/thread", json={"threadId": thread["thread_id"]})
        assert (renamed.status_code, deleted.status_code) == (401, 401)
        forged = {"pagination": {"first": 9}, "filter": {"userId": "amy"}}
        listed = ben.post("/project/threads", json=forged).json()["data"]
        assert {each["userId"] for each in listed} == {"ben"}


def test_a_wrong_password_is_refused_and_cannot_be_tried_for_long(
    chromium: Browser, by_password: str
) -> None:
    page = chromium.new_context().new_page()
    sign_in(page, by_password, "amy", PASSWORDS["ben"])
    expect(page.get_by_role("alert")).to_contain_text("Unable to sign in")
    codes = []
    for name in ["amy", "nobody", "../x", "*"] * TRIES:
        wrong = {"username": name, "password": "x" * 10_000}
        answer = httpx.post(f"{by_password}/login", data=wrong)
        codes.append(answer.status_code)
        if answer.is_success or answer.status_code == 429:
            break
    # Whenever the minute began that they are counted in, at most two of them are begun.
    assert codes == [401] * (len(codes) - 1) + [429]
    assert len(codes) <= 2 * TRIES
    assert answer.headers["Retry-After"]


def test_a_proxy_names_the_person(
    tmp_path_factory: pytest.TempPathFactory, indexed_url: str
) -> None:
    home = tmp_path_factory.mktemp("proxy")
    settings = {"CHAT_AUTH": "header", "CHAT_AUTH_HEADER": "X-Who"}
    with serving(home, DATABASE_URL=indexed_url, **settings) as server, httpx.Client() as browser:
        url = server.url
        assert browser.get(url).is_success
        assert browser.get(f"{url}/user").status_code == 401
        for name in ("amy", "ben"):
            assert browser.get(url, headers={"X-Who": name}).is_success
            assert browser.get(f"{url}/user").json()["identifier"] == name
        browser.get(url)
        assert browser.get(f"{url}/user").status_code == 401


class Provider(BaseHTTPRequestHandler):
    """An OAuth provider that knows one person and agrees to everything."""

    def do_GET(self) -> None:
        """Agree, or say who it is."""
        asked = urlsplit(self.path)
        if asked.path == "/authorize":
            given = parse_qs(asked.query)
            # The state is made of any characters, "%" and "&" among them.
            answer = urlencode({"code": "agreed", "state": given["state"][0]})
            self.send_response(302)
            self.send_header("Location", f"{given['redirect_uri'][0]}?{answer}")
            self.end_headers()
        else:
            assert self.headers["Authorization"] == "Bearer token"
            self._answer({"email": "ann@example.org"})

    def do_POST(self) -> None:
        """Give a token for the code."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        assert parse_qs(body)["code"] == ["agreed"]
        self._answer({"access_token": "token"})

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_a_provider_names_the_person(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory, indexed_url: str
) -> None:
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=provider.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{provider.server_port}"
    settings = {
        "CHAT_AUTH": "oauth",
        "OAUTH_GENERIC_NAME": "example",
        "OAUTH_GENERIC_CLIENT_ID": "reelwise",
        "OAUTH_GENERIC_CLIENT_SECRET": "secret",
        "OAUTH_GENERIC_AUTH_URL": f"{there}/authorize",
        "OAUTH_GENERIC_TOKEN_URL": f"{there}/token",
        "OAUTH_GENERIC_USER_INFO_URL": f"{there}/who",
        "OAUTH_GENERIC_SCOPES": "openid email",
    }
    home = tmp_path_factory.mktemp("provider")
    with serving(home, DATABASE_URL=indexed_url, **settings) as server:
        url = server.url
        page = chromium.new_context().new_page()
        page.goto(url)
        page.get_by_role("button", name="example").click()
        page.get_by_role("button", name="Start swiping").wait_for()
        assert page.request.get(f"{url}/user").json()["identifier"] == "ann@example.org"
        refused = page.request.get(f"{url}/auth/oauth/example/callback?error=access_denied")
        forged = page.request.get(f"{url}/auth/oauth/example/callback?code=agreed&state=mine")
        for answer in (refused, forged):
            assert urlsplit(answer.url).path == "/login"
            assert "error" in parse_qs(urlsplit(answer.url).query)
    provider.shutdown()
    provider.server_close()
