"""Posters of the catalogue: shown from the host that is allowed, drawn where none comes."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path

import httpx
import pytest
import trustme
from playwright.sync_api import Browser, Page, expect

from recommender.models import Item
from tests.browser.browser_chat import Chat
from tests.conftest import new_database
from tests.processes import serving

pytestmark = pytest.mark.browser

POSTER = b"""<svg xmlns="http://www.w3.org/2000/svg" width="342" height="513">
<rect width="342" height="513" fill="#f7f3e8"/><circle cx="171" cy="210" r="130" fill="#0b6e4f"/>
<circle cx="171" cy="210" r="84" fill="#f4b942"/><rect x="40" y="420" width="262" height="44"/>
</svg>"""
ELSEWHERE = "https://elsewhere.test"
REFUSED = """url => new Promise(done => {
  addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
  new Image().src = url;
})"""


@dataclass
class Pictures:
    """A server of posters, and what it was asked for: path and referrer."""

    url: str
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    """Has every poster but those below ``/gone``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, self.headers["Referer"]))
            gone = self.path.startswith("/gone")
            self.send_response(404 if gone else 200)
            self.send_header("Content-Type", "image/svg+xml")
            self.end_headers()
            self.wfile.write(b"" if gone else POSTER)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        served = Pictures(f"https://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield served
        server.shutdown()


@pytest.fixture(scope="module")
def films(starter_items: list[Item], pictures: Pictures) -> list[Item]:
    """Well known ones: with a poster, one that is gone, one elsewhere, none, and so on."""
    folders = cycle((f"{pictures.url}/there", f"{pictures.url}/gone", ELSEWHERE, None))
    known = sorted(starter_items, key=lambda item: -item.rating_count)[:40]
    return [
        film.model_copy(update={"poster": folder and f"{folder}/{film.item_id}.svg"})
        for film, folder in zip(known, folders, strict=False)
    ]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_url: str,
    pictures: Pictures,
    films: list[Item],
) -> Iterator[str]:
    """The real server over these films, which allows one host."""
    folder = tmp_path_factory.mktemp("posters")
    catalogue = folder / "films.jsonl"
    catalogue.write_text("\n".join(film.model_dump_json() for film in films), encoding="utf-8")
    with (
        new_database(postgres_url) as url,
        serving(
            folder / "home",
            DATABASE_URL=url,
            CATALOGUE=str(catalogue),
            POSTER_HOSTS=pictures.url.removeprefix("https://"),
        ) as server,
    ):
        yield server.url


def opened(chromium: Browser, server: str, width: int, theme: str) -> Page:
    """The chat in a window of its own, which believes any certificate."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        ignore_https_errors=True,
    )
    context.add_init_script(f"localStorage.setItem('vite-ui-theme', '{theme}')")
    page = context.new_page()
    page.goto(server)
    page.get_by_role("button", name="Start swiping").wait_for()
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("name", "width"), [("desktop", 1280), ("phone", 390)])
def test_posters_are_shown_where_they_come_and_drawn_where_not(
    chromium: Browser,
    server: str,
    pictures: Pictures,
    films: list[Item],
    artifacts: Path,
    name: str,
    width: int,
    theme: str,
) -> None:
    page = opened(chromium, server, width, theme)
    Chat(page).say("Recommend something")
    cards = page.get_by_role("region", name="Recommendations")
    cards.get_by_role("button", name="Show 3 more").click()
    expect(cards.get_by_role("listitem").locator(".rw-poster")).to_have_count(10)
    for card in cards.locator("li[data-item]").all():
        [film] = [each for each in films if each.item_id == card.get_attribute("data-item")]
        photo = card.locator(".rw-poster img")
        if film.poster is None or film.poster.startswith(ELSEWHERE):
            expect(photo).to_have_count(0)
            continue
        expect(photo).to_have_attribute("src", film.poster)
        expect(photo).to_have_js_property("complete", True)
        there = "/there/" in film.poster
        expect(photo).to_have_css("opacity", "1" if there else "0")
        expect(photo).to_have_js_property("naturalWidth", 342 if there else 0)
    cards.locator("li").first.scroll_into_view_if_needed()
    page.screenshot(path=artifacts / f"posters-{name}-{theme}.png")
    assert {referrer for _, referrer in pictures.asked} == {None}
    page.context.close()


def test_a_card_that_is_swiped_can_be_dragged_by_its_poster(
    chromium: Browser, server: str, artifacts: Path
) -> None:
    page = opened(chromium, server, 1280, "dark")
    chat = Chat(page)
    chat.start_survey()
    page.screenshot(path=artifacts / "posters-survey-dark.png")
    chat.drag_card(160)
    chat.answered()
    expect(page.get_by_text("2 of ", exact=False).first).to_be_visible()
    page.context.close()


def test_nothing_is_fetched_from_another_host(chromium: Browser, server: str) -> None:
    page = opened(chromium, server, 1280, "dark")
    assert page.evaluate(REFUSED, f"{ELSEWHERE}/1.svg") == "img-src"
    page.context.close()


def test_rest_gives_posters_as_they_are(server: str, films: list[Item]) -> None:
    by_id = {film.item_id: film.poster for film in films}
    for item_id, poster in by_id.items():
        assert httpx.get(f"{server}/items/{item_id}").json()["poster"] == poster
    found = httpx.post(f"{server}/search", json={"user_id": "ada", "query": "crime"}).json()
    assert found["items"]
    assert all(by_id[item["item_id"]] == item["poster"] for item in found["items"])
