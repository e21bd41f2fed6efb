"""A chat through nginx, before two servers that are killed in turn."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.browser_chat import USER, Chat
from tests.nginx import STICKY, balancing, needs_nginx
from tests.processes import Server, no_process_left, start

pytestmark = [pytest.mark.browser, needs_nginx]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("balanced") / "home"
    with no_process_left(folder):
        yield folder


@pytest.fixture(scope="module")
def pair(home: Path) -> Iterator[dict[str, Server]]:
    """Two servers on one data folder, by their ports."""
    servers = {str(server.port): server for server in (start(home), start(home))}
    yield servers
    for server in servers.values():
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def server(pair: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of nginx before them: whoever opens the chat comes through it."""
    folder = tmp_path_factory.mktemp("nginx") / "prefix"
    with balancing(folder, [server.port for server in pair.values()]) as nginx:
        yield nginx.url


# What the page hears by its socket, it parses: by whichever transport it came.
COUNT_RESUMPTIONS = """() => {
  const parse = JSON.parse;
  window.resumptions = 0;
  JSON.parse = (...given) => {
    const heard = parse(...given);
    if (Array.isArray(heard) && heard[0] === 'resume_thread') window.resumptions += 1;
    return heard;
  };
}"""


def taken_up(chat: Chat, times: int) -> None:
    """Wait until some server has taken the conversation up so often."""
    chat.page.wait_for_function("times => window.resumptions === times", arg=times)


def server_of(chat: Chat, pair: dict[str, Server]) -> tuple[str, str]:
    """The port of the server that the chat is with, and the other's."""
    (port,) = [each["value"] for each in chat.page.context.cookies() if each["name"] == STICKY]
    (other,) = set(pair) - {port}
    return port, other


def test_a_conversation_goes_on_with_the_server_that_is_left(
    chat: Chat, server: str, pair: dict[str, Server], home: Path
) -> None:
    chat.page.evaluate(COUNT_RESUMPTIONS)
    chat.start_survey()
    chat.press("ArrowRight", "ArrowLeft", "ArrowDown")
    chat.ended()
    first, second = server_of(chat, pair)

    pair[first].kill()
    taken_up(chat, 1)
    assert server_of(chat, pair) == (second, first)
    pair[first] = start(home, PORT=first)
    chat.press("ArrowRight")  # not for the first, which knows nothing of this socket
    deck = chat.page.get_by_role("region", name="Taste survey")
    expect(deck.get_by_text("5 of 20", exact=True)).to_be_visible()
    chat.say("a western")
    cards = chat.page.get_by_role("region", name="Recommendations")
    expect(cards).to_be_visible()
    chat.ended()

    pair[second].kill()
    taken_up(chat, 2)
    assert server_of(chat, pair) == (first, second)
    chat.say("older")
    expect(cards).to_have_count(2)
    expect(cards.last.get_by_role("button", name="Take back: older")).to_be_visible()
    cards.last.get_by_role("button", name=re.compile("^Like: ")).first.click()
    chat.answered()
    expect(cards.last.get_by_text("Liked", exact=True)).to_be_visible()
    profile = httpx.get(f"{server}/user/{USER}/profile").json()
    assert (profile["swipe_count"], profile["like_count"]) == (5, 3)
