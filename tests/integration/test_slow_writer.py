"""A writer of explanations on another machine that hangs holds up explanations alone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Semaphore

import pytest
from httpx import ASGITransport, AsyncClient

from assistant.server import THREADS_THAT_WAIT, create_app
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.explanation import Brief, ExplanationWriter
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALIEN, QUERY = "1214", "a scary film in space"


class HangingWriter(ExplanationWriter):
    """Says nothing until it is let go."""

    def __init__(self) -> None:
        self.asked = Semaphore(0)
        self.go = Event()

    @property
    def model(self) -> str:
        """A name."""
        return "hanging"

    def write(self, brief: Brief) -> Iterator[str]:  # noqa: ARG002
        """At last, nothing that stands."""
        self.asked.release()
        assert self.go.wait(60)
        yield "It is what it is."


@pytest.fixture
def writer() -> HangingWriter:
    return HangingWriter()


@pytest.fixture
async def client(
    writer: HangingWriter, stores: Stores, encoder: TextEncoder, tmp_path: Path
) -> AsyncIterator[AsyncClient]:
    settings = RecommenderSettings(search_variant="preference_vector")
    service = Recommender(stores, encoder, settings, writer=writer)
    app = create_app(
        service, encoder, Settings(reelwise_home=tmp_path, explanation_model="hosted:hanging")
    )
    transport = ASGITransport(app, client=("127.0.0.1", 1))
    async with AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@asynccontextmanager
async def hanging(client: AsyncClient, writer: HangingWriter, user_id: str) -> AsyncIterator[None]:
    """While it lasts, as many explanations hang as are worked on at the same time."""
    body = {"user_id": user_id, "item_id": ALIEN, "query": QUERY}
    async with asyncio.TaskGroup() as asked:
        try:
            for _ in range(THREADS_THAT_WAIT):
                asked.create_task(client.post("/explain", json=body))
                assert await asyncio.to_thread(writer.asked.acquire, timeout=60)
            yield
        finally:
            writer.go.set()


async def test_searches_and_swipes_are_served_while_explanations_hang(
    client: AsyncClient, writer: HangingWriter, user_id: str
) -> None:
    async with hanging(client, writer, user_id), asyncio.timeout(30):
        found = await client.post("/search", json={"user_id": user_id, "query": QUERY})
        swipe = {"user_id": user_id, "item_id": ALIEN, "direction": "like"}
        swiped = await client.post("/swipe", json=swipe)
        assert (found.status_code, swiped.status_code) == (200, 200)
