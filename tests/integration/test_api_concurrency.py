"""Past what can be served at once, callers are told to come back, and soon can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Barrier, BrokenBarrierError, Event
from typing import Any
from unittest.mock import NonCallableMagicMock, create_autospec

import pytest
from httpx import ASGITransport, AsyncClient, Response

from assistant.api import examples
from recommender.errors import StoreUnavailable
from recommender.models import SearchResult
from recommender.service import Recommender
from tests.integration.api_client import api, problem

PLACES = 2
JSON = {"Content-Type": "application/json"}


class Held:
    """Searches stand still in the service until they are let go."""

    def __init__(self) -> None:
        self.inside = [Event() for _ in range(PLACES)]
        self.go = Event()
        self._waiting = iter(self.inside)

    def search(self, _request: object) -> SearchResult:
        if not self.go.is_set():
            next(self._waiting).set()
            assert self.go.wait(60)
        return SearchResult.model_validate(examples.SEARCH_RESULT)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def service(held: Held) -> NonCallableMagicMock:
    double: NonCallableMagicMock = create_autospec(Recommender, instance=True)
    double.search.side_effect = held.search
    double.ready.return_value = {"store": True, "index": True, "encoder": True}
    return double


@pytest.fixture
async def client(service: NonCallableMagicMock) -> AsyncIterator[AsyncClient]:
    app = api(service, limit_concurrency=PLACES)
    transport = ASGITransport(app, client=("127.0.0.1", 1))
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


def search(client: AsyncClient, **options: Any) -> "asyncio.Task[Response]":  # noqa: ANN401
    options = {"json": examples.SEARCH} | options
    return asyncio.create_task(client.post("/search", **options))


@asynccontextmanager
async def rush(client: AsyncClient, held: Held) -> AsyncIterator[list["asyncio.Task[Response]"]]:
    """While it lasts, all places are taken; whatever fails, no thread stays behind."""
    try:
        served = [search(client) for _ in range(PLACES)]
        for inside in held.inside:
            await asyncio.to_thread(inside.wait, 60)
        yield served
    finally:
        held.go.set()


async def test_who_finds_no_place_is_told_when_to_come_back_and_the_others_are_served(
    client: AsyncClient, held: Held, service: NonCallableMagicMock
) -> None:
    async with rush(client, held) as served:
        refused = await search(client)
        problem(refused, 503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        problem(await client.get("/items/1"), 503, "overloaded")
        assert service.search.call_count == PLACES
    assert [(await each).status_code for each in served] == [200] * PLACES
    assert (await search(client)).status_code == 200


async def test_no_more_are_worked_on_at_the_same_time_than_there_are_threads(
    service: NonCallableMagicMock,
) -> None:
    together = Barrier(2)

    def alone(_request: object) -> SearchResult:
        with pytest.raises(BrokenBarrierError):
            together.wait(0.2)
        return SearchResult.model_validate(examples.SEARCH_RESULT)

    service.search.side_effect = alone
    transport = ASGITransport(api(service, worker_threads=1), client=("127.0.0.1", 1))
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        answers = await asyncio.gather(*(search(client) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"])
async def test_who_looks_after_the_server_always_finds_a_place(
    client: AsyncClient, held: Held, path: str
) -> None:
    async with rush(client, held) as served:
        assert (await client.get(path)).status_code == 200
    await asyncio.gather(*served)


async def test_who_sends_a_body_slowly_takes_no_place(client: AsyncClient, held: Held) -> None:
    begun, rest = asyncio.Barrier(PLACES + 1), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'{"user_id": "ada",'
        await begun.wait()
        await rest.wait()
        yield b' "query": "heist"}'

    held.go.set()
    async with AsyncExitStack() as stack:
        stack.callback(rest.set)
        slow = [search(client, json=None, content=slowly(), headers=JSON) for _ in range(PLACES)]
        await begun.wait()
        assert (await search(client)).status_code == 200
    assert {(await each).status_code for each in slow} == {200}


async def test_a_request_that_fails_gives_its_place_back(
    client: AsyncClient, service: NonCallableMagicMock
) -> None:
    service.search.side_effect = StoreUnavailable()
    for _ in range(PLACES + 1):
        problem(await search(client), 503, "store-unavailable")
    service.search.side_effect = RuntimeError
    for _ in range(PLACES + 1):
        problem(await search(client), 500, "internal-error")
    problem(await search(client, json={"user_id": "ada", "k": "many"}), 422, "invalid-request")
