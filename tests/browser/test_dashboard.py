"""The dashboard in a real browser, over real traffic."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.browser_chat import OpenChat, watch

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
Theme = Literal["light", "dark"]


@pytest.fixture
def open_dashboard(server: str, chromium: Browser) -> Iterator[OpenPage]:
    """Open the dashboard; at the end, nothing may have gone wrong on it."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def _open(width: int = 1280, theme: Theme = "light", figures: str | None = None) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, server, troubles)
        if figures is not None:

            def answer(route: Route) -> None:
                route.fulfill(body=figures, content_type="application/json")

            page.route("**/dashboard/figures", answer)
        page.goto(f"{server}/dashboard")
        expect(page.locator("#when")).to_contain_text("refreshed")
        expect(page.locator("#experiment")).to_contain_text("EXPERIMENT_NAME")
        return page

    yield _open
    for context in contexts:
        context.close()
    assert troubles == []


def traffic(server: str) -> None:
    """A survey, searches, and an opinion of what they showed."""
    with httpx.Client(base_url=server) as client:

        def post(path: str, **body: object) -> httpx.Response:
            return client.post(path, json={"user_id": "watched", **body}).raise_for_status()

        survey = post("/survey/start", survey_size=8).json()
        for number, movie in enumerate(survey["movies"]):
            direction = ("like", "dislike", "skip")[number % 3]
            session = {"session_id": survey["session_id"], "direction": direction}
            post("/swipe", item_id=movie["item_id"], **session)
        for query in ("a heist", "a sad robot", "a heist"):
            items = post("/search", query=query, k=5).json()["items"]
            post("/explain", item_id=items[0]["item_id"], query=query)
        post("/swipe", item_id=items[0]["item_id"], direction="like", session_id=None)
        client.delete("/user/watched").raise_for_status()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_it_shows_what_happened(
    server: str, open_dashboard: OpenPage, artifacts: Path, width: int, theme: Theme
) -> None:
    traffic(server)
    page = open_dashboard(width, theme)
    alarms = page.locator("#alarms li")
    expect(alarms).to_have_count(7)
    expect(alarms.filter(has_text="Search errors")).to_contain_text("0.0 %")
    row = page.get_by_role("row").filter(has_text="search, light, computed")
    expect(row).to_contain_text(" ms")
    expect(page.locator("#surveys")).to_contain_text("%")
    expect(page.locator("#swipes")).to_contain_text("not seen")
    page.screenshot(path=artifacts / f"dashboard-{theme}-{width}.png", full_page=True)
    overflow = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(overflow)
    violations = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in violations] == []


def test_a_turn_of_the_chat_appears_by_itself(
    open_dashboard: OpenPage, open_chat: OpenChat
) -> None:
    page = open_dashboard()
    turns = page.locator("#chat li").filter(has_text="answered by planner")
    before = int(turns.locator("span").nth(1).inner_text()) if turns.count() else 0
    chat = open_chat()
    chat.say("a western")
    chat.page.get_by_role("region", name="Recommendations").wait_for()
    expect(turns.locator("span").nth(1)).to_have_text(str(before + 1))


def test_an_alarm_that_sounds_is_told_in_words(server: str, open_dashboard: OpenPage) -> None:
    answer = httpx.get(f"{server}/dashboard/figures").json()
    alarm = answer["figures"]["alarms"][1] | {"value": 0.043, "events": 1234, "state": "sounding"}
    answer["figures"]["alarms"][1] = alarm
    page = open_dashboard(figures=json.dumps(answer))
    shown = page.locator("#alarms li").filter(has_text="Search errors")
    expect(shown.locator(".state")).to_have_text("sounding")
    expect(shown).to_contain_text("4.3 %")
    expect(shown).to_contain_text("1,234 counted")
    assert not Axe().run(page).response["violations"]


def test_figures_that_grow_old_are_said_to_be(open_dashboard: OpenPage) -> None:
    page = open_dashboard()
    page.route("**/dashboard/figures", lambda route: route.fulfill(status=204, body=""))
    expect(page.locator("#when")).to_have_text(re.compile("figures are old"))
