"""Conversations are kept: after a refresh, and when one comes back to them."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.browser_chat import USER, Chat

pytestmark = pytest.mark.browser


def test_a_half_done_survey_goes_on_after_a_refresh(chat: Chat) -> None:
    chat.start_survey()
    chat.press("ArrowRight", "ArrowLeft", "ArrowDown")
    deck = chat.page.get_by_role("region", name="Taste survey")
    title = deck.get_by_role("heading", level=3)
    chat.ended()
    chat.page.reload()
    expect(deck.get_by_text("4 of 20", exact=True)).to_be_visible()
    expect(deck.locator(".rw-ticks .is-like")).to_have_count(1)
    expect(title).not_to_have_text("")
    expect(deck).to_be_focused()
    chat.press("Backspace")
    expect(deck.get_by_text("3 of 20", exact=True)).to_be_visible()


def test_a_conversation_goes_on_after_a_refresh(chat: Chat, artifacts: Path) -> None:
    chat.say("something like Arrival")
    cards = chat.page.get_by_role("region", name="Recommendations")
    first = cards.get_by_role("heading", level=3).first.inner_text()
    second = cards.get_by_role("heading", level=3).nth(1).inner_text()
    cards.get_by_role("button", name=f"Like: {first}").click()
    chat.answered()
    chat.ended()
    chat.page.reload()
    expect(cards.get_by_text("Liked", exact=True)).to_be_visible()
    chat.say("why the second one?")
    expect(chat.page.get_by_text(f"Why {second}")).to_be_visible()
    chat.say("older")
    expect(cards).to_have_count(2)
    expect(cards.last.get_by_role("button", name="Take back: older")).to_be_visible()
    chat.page.screenshot(path=artifacts / "resumed.png")


def test_old_conversations_are_listed_opened_and_forgotten(
    chat: Chat, server: str, artifacts: Path
) -> None:
    chat.say("a western")
    expect(chat.page.get_by_role("region", name="Recommendations")).to_be_visible()
    chat.ended()
    chat.page.goto(server)
    chat.page.get_by_role("button", name="Start swiping").wait_for()
    chat.page.locator("#header #sidebar-trigger-button").click()
    link = chat.page.get_by_role("link", name="a western")
    expect(link).to_be_visible()
    chat.page.screenshot(path=artifacts / "history.png")
    link.click()
    expect(chat.page.get_by_role("region", name="Recommendations")).to_be_visible()
    assert httpx.get(f"{server}/user/{USER}/export").json()["conversations"]
    httpx.delete(f"{server}/user/{USER}").raise_for_status()
    chat.page.goto(server)
    chat.page.get_by_role("button", name="Start swiping").wait_for()
    expect(chat.page.get_by_role("link", name="a western")).to_have_count(0)


def test_a_thumb_is_kept_with_its_message(chat: Chat, server: str) -> None:
    chat.say("a western")
    expect(chat.page.get_by_role("region", name="Recommendations")).to_be_visible()
    chat.ended()
    chat.page.locator(".negative-feedback-off").last.click()
    chat.page.locator("textarea").last.fill("Too old")
    with chat.page.expect_response(re.compile("/feedback")):
        chat.page.get_by_role("button", name="Submit feedback").click()
    (conversation,) = httpx.get(f"{server}/user/{USER}/export").json()["conversations"]
    counted = httpx.get(f"{server}/metrics").text
    assert re.search(r'^reelwise_chat_feedback_total{verdict="down"} [1-9]', counted, re.MULTILINE)
    (verdict,) = [r["body"] for r in conversation["records"] if r["kind"] == "feedback"]
    assert (verdict["value"], verdict["comment"]) == (0, "Too old")


def test_what_is_set_counts_and_stays(chat: Chat, server: str) -> None:
    chat.page.locator("#chat-settings-open-modal").click()
    chat.page.get_by_role("switch").click()
    chat.page.get_by_role("button", name="Confirm").click()
    chat.say("a western")
    cards = chat.page.get_by_role("region", name="Recommendations")
    expect(cards).to_be_visible()
    expect(cards.locator(".rw-reasons")).to_have_count(0)
    chat.ended()
    chat.page.goto(server)
    chat.page.get_by_role("button", name="Start swiping").wait_for()
    chat.page.locator("#chat-settings-open-modal").click()
    expect(chat.page.get_by_role("switch")).not_to_be_checked()
