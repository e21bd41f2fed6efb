"""What the server says at the chat's addresses, without a browser."""

from collections.abc import Iterator

import httpx
import pytest

pytestmark = pytest.mark.browser


def test_the_page_loads_nothing_from_elsewhere(server: str) -> None:
    answer = httpx.get(server)
    assert answer.status_code == 200
    assert 'href="http' not in answer.text
    assert 'src="http' not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


@pytest.mark.parametrize(
    "path",
    ["/nosuch", "/survey/x/y/z", "/copilot/index.js", "/mcp", "/project/file",
     "/project/share/x", "/auth/jwt", "/avatars/..%2f..%2fx", "/avatars/x/y", "/avatars/",
     "/ws/socket.iox"],
)  # fmt: skip
def test_unknown_addresses_are_not_pages_of_the_chat(server: str, path: str) -> None:
    answer = httpx.get(server + path)
    assert answer.status_code == 404
    assert "html" not in answer.headers["Content-Type"]


def test_props_of_elements_cannot_be_rewritten_by_a_client(server: str) -> None:
    assert httpx.put(f"{server}/project/element", json={}).status_code == 404


def test_files_come_from_conversations_alone_and_are_not_too_large(server: str) -> None:
    def sent(content: bytes | Iterator[bytes]) -> int:
        address, headers = f"{server}/project/file", {"Content-Type": "text/csv"}
        return httpx.post(address, content=content, headers=headers).status_code

    stranger = {"session_id": "x"}
    file = {"file": ("ratings.csv", b"x", "text/csv")}
    answer = httpx.post(f"{server}/project/file", params=stranger, files=file)
    assert answer.status_code in (401, 404)
    assert sent(bytes(12 * 2**20 + 1)) == 413
    assert sent(iter([b"x"])) == 411
    assert httpx.get(f"{server}/project/file/x", params=stranger).status_code == 404


@pytest.mark.parametrize(("origin", "welcome"), [(None, True), ("https://elsewhere.test", False)])
def test_other_sites_cannot_open_the_socket(server: str, origin: str | None, welcome: bool) -> None:
    answer = httpx.get(
        f"{server}/ws/socket.io/",
        params={"EIO": "4", "transport": "polling"},
        headers={"Origin": origin or server},
    )
    assert answer.is_success is welcome


@pytest.mark.parametrize("path", ["/favicon", "/logo?theme=dark", "/avatars/Reelwise"])
def test_the_look_is_our_own(server: str, path: str) -> None:
    answer = httpx.get(server + path)
    assert answer.headers["Content-Type"].startswith("image/svg")
    assert "Reelwise" in answer.text


def test_the_rest_routes_are_not_hidden_by_the_chat(server: str) -> None:
    assert httpx.get(f"{server}/healthz").headers["Content-Type"].startswith("application/json")
    assert httpx.get(f"{server}/openapi.json").json()["info"]["title"]
