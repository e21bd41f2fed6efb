"""Nothing keeps the event loop of the real server from serving the others."""

import asyncio
import base64
import csv
import io
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import thread_time

import pytest
import uvicorn
from aiohttp import ClientSession, CookieJar
from fastapi import FastAPI
from sqlalchemy import text

from assistant.server import create_app
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.models import Item
from recommender.stores.postgres import Database
from tests.load.chatters import USER_HEADER, Chatter
from tests.load.people import Person
from tests.loop_watch import LoopWatch, watching

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
JSON = {"Content-Type": "application/json"}
LONGEST_SECONDS = 0.05
PAGES = ("/", "/docs", "/openapi.json", "/metrics", "/dashboard", "/dashboard/figures")
SAID = ("a heist", "older", "why the second one?", "let's swipe", "what do you know about me?")


@contextmanager
def running(app: FastAPI, watch: LoopWatch) -> Iterator[str]:
    """The URL of a server on a thread of its own, whose loop is watched."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, loop="asyncio", http="h11", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    watch.thread = thread.ident
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopWatch]:
    with watching(monkeypatch) as watch:
        yield watch


@pytest.fixture
async def client(
    recommender: Recommender, encoder: TextEncoder, watch: LoopWatch, tmp_path: Path
) -> AsyncIterator[ClientSession]:
    async with visiting(recommender, encoder, watch, tmp_path) as client:
        await warm_up(client)
        watch.slowest.clear()
        yield client


@asynccontextmanager
async def visiting(
    recommender: Recommender, encoder: TextEncoder, watch: LoopWatch, home: Path
) -> AsyncIterator[ClientSession]:
    """A browser at a server that tells people apart by a header."""
    settings = Settings(reelwise_home=home, chat_auth="header", chat_auth_header=USER_HEADER)
    app = create_app(recommender, encoder, settings)
    with running(app, watch) as url:
        async with ClientSession(url, cookie_jar=CookieJar(unsafe=True)) as client:
            yield client


async def warm_up(client: ClientSession) -> None:
    """What is imported and compiled once, by the first visitor, takes the longer the slower the
    machine is, and says nothing of those who come after.
    """
    chatter = Chatter(client, "first", ["1"], [""])
    await chatter.connect(str(client._base_url))
    await chatter.say(SAID[0])
    await chatter.swipe()
    await chatter.leave()
    for page in PAGES:
        await get(client, page)


async def get(client: ClientSession, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == 200, await response.text()
        await response.read()


async def import_history(
    client: ClientSession, user_id: str, films: list[Item], confirm: bool = False
) -> None:
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["Date", "Name", "Year", "Letterboxd URI", "Rating"])
    for film in films:
        rows.writerow(["2025-06-01", film.title, film.year, f"https://boxd.it/{film.item_id}", 5])
    body = {
        "site": "letterboxd",
        "name": "ratings.csv",
        "content": base64.b64encode(table.getvalue().encode()).decode(),
        "confirm": confirm,
    }
    async with client.post(f"/user/{user_id}/history", json=body) as response:
        assert response.status == 200, await response.text()


def test_the_watch_sees_what_computes_on_the_loop_and_what_asks_the_database(
    watch: LoopWatch, database: Database
) -> None:
    async def compute() -> None:
        end = thread_time() + 2 * LONGEST_SECONDS
        while thread_time() < end:
            pass

    async def ask() -> None:
        with database.connect() as connection:
            connection.execute(text("SELECT 1"))

    watch.thread = threading.get_ident()
    asyncio.run(compute())
    assert len(watch.longer_than(LONGEST_SECONDS)) == 1
    asyncio.run(ask())
    assert len(watch.statements) == 1


async def test_no_action_keeps_the_loop_from_the_others(
    client: ClientSession, watch: LoopWatch, user_id: str, starter_items: list[Item]
) -> None:
    films = [item.item_id for item in starter_items]
    person = Person(client, user_id, films, ["90s heist with a twist", "like Heat but funnier", ""])
    for _ in range(30):
        await person.swipe()
    for _ in range(6):
        await person.search()
        await person.explain()
    await person.profile()
    async with client.post("/survey/start", json={"user_id": user_id}) as response:
        survey = await response.json()
    await get(client, f"/survey/{survey['session_id']}/next")
    await get(client, f"/user/{user_id}/export")
    await import_history(client, user_id, starter_items)
    for page in PAGES:
        await get(client, page)

    chatter = Chatter(client, user_id, films, ["something like Heat but funnier"])
    await chatter.connect(str(client._base_url))
    for words in SAID:
        await chatter.say(words)
        await chatter.swipe()
    await chatter.leave()

    assert watch.statements == []
    assert watch.longer_than(LONGEST_SECONDS) == []


async def test_nor_does_the_largest_request(
    client: ClientSession, watch: LoopWatch, user_id: str, starter_items: list[Item]
) -> None:
    await import_history(client, user_id, starter_items, confirm=True)
    await get(client, f"/user/{user_id}/export")
    await get(client, f"/user/{user_id}/profile")
    wide = {"user_id": user_id, "query": "", "k": 100, "explain": True}
    wide |= {"filters": {"exclude_seen": False}}
    async with client.post("/search", json=wide) as response:
        assert len((await response.json())["items"]) == wide["k"]
    content = base64.b64encode(bytes(8 * 2**20)).decode()
    body = json.dumps({"site": "letterboxd", "name": "ratings.csv", "content": content})
    sent = io.BytesIO(body.encode())
    async with client.post(f"/user/{user_id}/history", data=sent, headers=JSON) as response:
        assert response.status == 422
    assert watch.statements == []
    assert watch.longer_than(LONGEST_SECONDS) == []
