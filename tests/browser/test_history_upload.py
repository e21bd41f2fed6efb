"""Somebody's history of another site, dropped into the chat."""

import io
import json
import zipfile
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Locator, Route, expect

from tests.browser.browser_chat import USER, Chat, OpenChat

pytestmark = pytest.mark.browser

RATINGS = """Date,Name,Year,Letterboxd URI,Rating
2025-06-01,Arrival,2016,https://boxd.it/a,5
2025-06-02,Blade Runner,1982,https://boxd.it/b,4.5
2025-06-03,Titanic,1997,https://boxd.it/d,1
2025-06-04,Heat,1995,https://boxd.it/e,3
2025-06-05,<img src=x onerror=alert(1)>,2024,https://boxd.it/f,5
"""


def csv(content: str = RATINGS, name: str = "ratings.csv") -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def zipped(**files: bytes) -> FilePayload:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return {"name": "own.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}


def drop(chat: Chat, file: FilePayload) -> None:
    """Choose a file and send it."""
    with chat.page.expect_response("**/project/file?**"):
        chat.page.locator("#upload-button-input").set_input_files(file)
    send = chat.page.locator("#chat-submit")
    expect(send).to_be_enabled()
    with chat.getting_an_address():
        send.click()


def preview(chat: Chat) -> Locator:
    return chat.page.get_by_role("region", name="Your history of Letterboxd")


def swipes(server: str) -> int:
    found: int = httpx.get(f"{server}/user/{USER}/profile").json()["swipe_count"]
    return found


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("name", "width"), [("desktop", 1280), ("phone", 390)])
def test_an_export_is_looked_at_recorded_and_taken_back(
    open_chat: OpenChat, server: str, artifacts: Path, name: str, width: int, theme: str
) -> None:
    chat = open_chat(width=width, theme=theme)
    drop(chat, csv())
    shown = preview(chat)
    for words in ("What would be recorded: 3 films", "Not found here: 1 film"):
        shown.get_by_text(words).click()
    expect(shown.get_by_label("What would be recorded").get_by_role("listitem")).to_have_count(3)
    expect(shown.get_by_text("<img src=x onerror=alert(1)> (2024)")).to_be_visible()
    chat.page.screenshot(path=artifacts / f"history-{name}-{theme}.png")
    assert swipes(server) == 0
    assert not chat.overflows()
    violations = Axe().run(chat.page, context=".rw-import").response["violations"]
    assert not [each["id"] for each in violations if each["impact"] in ("serious", "critical")]
    shown.get_by_role("button", name="Record 3 films").click()
    expect(shown.get_by_text("Recorded.")).to_be_visible()
    assert swipes(server) == 3
    shown.get_by_role("button", name="Undo").click()
    expect(shown.get_by_text("Taken back.")).to_be_visible()
    assert swipes(server) == 0


def test_what_is_cancelled_is_gone(chat: Chat, server: str) -> None:
    drop(chat, csv())
    preview(chat).get_by_role("button", name="Cancel").click()
    expect(preview(chat).get_by_text("Nothing was recorded.")).to_be_visible()
    assert swipes(server) == 0


def test_what_was_recorded_can_be_taken_back_after_a_refresh(chat: Chat, server: str) -> None:
    drop(chat, csv())
    preview(chat).get_by_role("button", name="Record 3 films").click()
    expect(preview(chat).get_by_text("Recorded.")).to_be_visible()
    chat.ended()
    chat.page.reload()
    expect(chat.page.get_by_text("ratings.csv", exact=True).last).to_be_visible()
    preview(chat).get_by_role("button", name="Undo").click()
    expect(preview(chat).get_by_text("Taken back.")).to_be_visible()
    assert swipes(server) == 0


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (csv("userId,movieId\n1,2\n"), "ratings.csv is no export that I know."),
        (csv(RATINGS + "2025-06-07,Alien,1979,x,50\n"), "Rating 50 is not between 0.5 and 5."),
        (zipped(**{"ratings.csv": RATINGS[:40].encode() + bytes(80 * 2**20)}), "unfold"),
        (zipped(**{"../ratings.csv": RATINGS.encode()}), "leads out of it"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_recorded(
    chat: Chat, server: str, file: FilePayload, said: str
) -> None:
    drop(chat, file)
    expect(chat.page.get_by_text(said)).to_be_visible()
    expect(chat.page.locator(".rw-import")).to_have_count(0)
    assert swipes(server) == 0


def test_another_kind_of_file_is_not_sent(chat: Chat) -> None:
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url))
    picture: FilePayload = {"name": "me.png", "mimeType": "image/png", "buffer": b"x"}
    chat.page.locator("#upload-button-input").set_input_files(picture)
    expect(chat.page.locator("[data-sonner-toast]")).to_be_visible()
    assert not [url for url in asked if "/project/file" in url]


@pytest.mark.parametrize(
    "forged", [{"file_id": "of-another"}, {"file_id": "../../auth-secret"}, {}]
)
def test_files_of_others_are_not_recorded(
    chat: Chat, server: str, forged: dict[str, object]
) -> None:
    def forge(route: Route) -> None:
        sent = json.loads(route.request.post_data or "")
        sent["action"]["payload"] = forged
        route.continue_(post_data=json.dumps(sent))

    drop(chat, csv())
    chat.page.route("**/project/action", forge)
    with chat.page.expect_response("**/project/action") as answered:
        preview(chat).get_by_role("button", name="Record 3 films").click()
    assert answered.value.json()["response"]["ok"] is False
    expect(preview(chat).get_by_role("alert")).to_be_visible()
    assert swipes(server) == 0
