"""Steering in the chat, and what disturbs it: other tabs, lost connections, forgeries."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Route, WebSocketRoute, expect

from tests.browser.browser_chat import USER, Chat, OpenChat

pytestmark = pytest.mark.browser


def answer(chat: Chat, number: int) -> Locator:
    """The cards of the answer of that number, from 0."""
    return chat.page.get_by_role("region", name="Recommendations").nth(number)


def titles(cards: Locator) -> list[str]:
    cards.wait_for()
    return cards.locator("h3").all_inner_texts()


def test_a_change_is_a_chip_that_can_be_taken_back(chat: Chat, artifacts: Path) -> None:
    chat.say("Something like Arrival")
    before = titles(answer(chat, 0))
    chat.say("older")
    titles(answer(chat, 1))
    chat.say("less sad")
    refined = answer(chat, 2)
    changes = refined.get_by_role("group", name="What you changed")
    expect(changes.get_by_role("button")).to_have_count(2)
    chat.page.screenshot(path=artifacts / "changes-desktop-dark.png")
    changes.get_by_role("button", name="Take back: older").click()
    left = answer(chat, 3).get_by_role("group", name="What you changed")
    expect(left.get_by_role("button", name="Take back: less sad")).to_be_visible()
    expect(left.get_by_role("button")).to_have_count(1)
    left.get_by_role("button").click()
    assert titles(answer(chat, 4)) == before


def test_taste_told_in_words_counts_in_the_same_answer(chat: Chat, server: str) -> None:
    chat.say("I loved Alien and Heat, hated La La Land, something with a twist")
    titles(answer(chat, 0))
    expect(chat.page.get_by_text("Noted, you liked Alien")).to_be_visible()
    profile = httpx.get(f"{server}/user/{USER}/profile").json()
    assert (profile["like_count"], profile["dislike_count"]) == (2, 1)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_serious_accessibility_findings(open_chat: OpenChat, theme: str) -> None:
    chat = open_chat(theme=theme)
    chat.start_survey()
    chat.press("ArrowRight", "ArrowLeft", "ArrowDown")
    chat.say("Something like Heat")
    titles(answer(chat, 0))
    chat.say("funnier")
    titles(answer(chat, 1))
    chat.page.get_by_role("button", name="Why this one?").nth(1).click()
    chat.page.get_by_role("region", name="What this rests on").wait_for()
    chat.say("What do you know about me?")
    chat.page.get_by_role("region", name="Your taste").wait_for()
    found = Axe().run(chat.page, context=".rw").response["violations"]
    serious = [_finding(each) for each in found if each["impact"] in ("serious", "critical")]
    assert not serious


def _finding(violation: dict[str, Any]) -> tuple[str, str, list[str]]:
    return violation["id"], violation["help"], [node["html"][:160] for node in violation["nodes"]]


def test_two_tabs_share_the_person_and_not_the_talk(open_chat: OpenChat) -> None:
    one, other = open_chat(), open_chat()
    one.say("I loved Alien")
    expect(one.page.get_by_text("Noted, you liked Alien")).to_be_visible()
    other.say("What do you know about me?")
    expect(other.page.get_by_text("Your taste, from 1 film")).to_be_visible()
    other.say("a western")
    titles(answer(other, 0))
    one.say("a musical")
    titles(answer(one, 0))
    one.say("older")
    expect(answer(one, 1).get_by_text("Musical", exact=True).first).to_be_visible()
    expect(one.page.get_by_text("a western")).to_have_count(0)


def test_a_lost_connection_comes_back(chat: Chat) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    chat.page.route_web_socket(re.compile("socket.io"), through)
    chat.page.reload()
    chat.page.get_by_role("button", name="Start swiping").wait_for()
    chat.say("a western")
    titles(answer(chat, 0))
    chat.ended()
    opened = len(sockets)
    with chat.page.expect_event("websocket"):
        sockets[-1].close(code=1012, reason="restarted")
    chat.say("a musical")
    assert titles(answer(chat, 1))
    assert len(sockets) > opened


@pytest.mark.parametrize(
    "forged",
    [
        {"item_id": "6", "direction": "like", "user_id": "bob"},
        {"item_id": "6", "direction": "adore"},
        {"item_id": ["6"], "direction": "like"},
        {"item_id": "no-film", "direction": "like"},
        {"item_id": "6", "direction": "like", "session_id": "x" * 500},
        {},
    ],
)
def test_forged_actions_are_refused(chat: Chat, server: str, forged: dict[str, object]) -> None:
    def forge(route: Route) -> None:
        sent = json.loads(route.request.post_data or "")
        sent["action"]["payload"] = forged
        route.continue_(post_data=json.dumps(sent))

    chat.start_survey()
    chat.page.route("**/project/action", forge)
    with chat.page.expect_response(re.compile("/project/action")) as answered:
        chat.page.get_by_role("button", name="Like", exact=True).click()
    assert answered.value.json()["response"]["ok"] is False
    assert httpx.get(f"{server}/user/{USER}/profile").json()["swipe_count"] == 0
    assert httpx.get(f"{server}/user/bob/export").status_code == 404
