"""The real server in its own process, and a real Chromium to look at it."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.browser_chat import USER, Chat, OpenChat, watch
from tests.conftest import new_database
from tests.processes import serving

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def indexed_url(postgres_url: str, indexed_template: str) -> Iterator[str]:
    """The indexed starter catalogue for the browser's servers alone.

    Their people have plain names, which other tests in the same process use as well.
    """
    with new_database(postgres_url, indexed_template) as url:
        yield url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, indexed_url: str) -> Iterator[str]:
    """The URL of the real server over the indexed starter catalogue."""
    with serving(tmp_path_factory.mktemp("home"), DATABASE_URL=indexed_url) as server:
        yield server.url


# Not for the whole session: while Playwright runs, asyncio tests elsewhere cannot.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def _hold_the_line(page: Page) -> None:
    """Let all that a page asks for pass through here from the start.

    A test that answers in the server's place would have Chromium do so in the middle of things,
    and for a moment its requests may still go the other way.
    """
    page.route("**/project/action", lambda route: route.continue_())


@pytest.fixture
def open_chat(server: str, chromium: Browser) -> Iterator[OpenChat]:
    """Open the chat in a window of its own; at the end, nothing may have gone wrong in any.

    Whoever opens it is new: what earlier tests swiped is forgotten.
    """
    httpx.delete(f"{server}/user/{USER}").raise_for_status()
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def _open(width: int = 1280, height: int = 800, theme: str = "dark") -> Chat:
        phone = width < 500
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            has_touch=phone,
            is_mobile=phone,
            device_scale_factor=2 if phone else 1,
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('vite-ui-theme', '{theme}')")
        page = context.new_page()
        watch(page, server, troubles)
        _hold_the_line(page)
        page.goto(server)
        page.get_by_role("button", name="Start swiping").wait_for()
        return Chat(page)

    yield _open
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def chat(open_chat: OpenChat) -> Chat:
    """The chat on a desktop, opened by somebody new."""
    return open_chat()
