"""Past what can be served at once, callers are told to come back, and soon can."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Barrier, BrokenBarrierError, Event, Semaphore
from typing import Any
from unittest.mock import NonCallableMagicMock, create_autospec

import pytest
from httpx import ASGITransport, AsyncClient, Response

from assistant.api import examples
from assistant.api.concurrency import UPLOADS, UPLOADS_RETRY_SECONDS
from recommender.errors import StoreUnavailable
from recommender.models import HistoryReceipt, HistoryUndone, SearchResult
from recommender.service import Recommender
from tests.integration.api_client import api, problem

PLACES = 2
JSON = {"Content-Type": "application/json"}
HISTORY = "/user/ada/history"
FOUND = SearchResult.model_validate(examples.SEARCH_RESULT)
TAKEN_OVER = HistoryReceipt.model_validate(examples.HISTORY_RECEIPT)
UNDONE = HistoryUndone.model_validate(examples.HISTORY_UNDONE)


class Held:
    """Calls stand still in the service until they are let go."""

    def __init__(self) -> None:
        self.inside = Semaphore(0)
        self.go = Event()

    def answering(self, answer: object) -> Callable[..., object]:
        def call(*_: object, **__: object) -> object:
            if not self.go.is_set():
                self.inside.release()
                assert self.go.wait(60)
            return answer

        return call


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def service(held: Held) -> NonCallableMagicMock:
    double: NonCallableMagicMock = create_autospec(Recommender, instance=True)
    double.search.side_effect = held.answering(FOUND)
    double.ready.return_value = {"store": True, "index": True, "encoder": True}
    return double


@pytest.fixture
async def client(service: NonCallableMagicMock) -> AsyncIterator[AsyncClient]:
    async with connected(service, limit_concurrency=PLACES, limit_burst=0) as client:
        yield client


@asynccontextmanager
async def connected(service: Recommender, **settings: int) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(api(service, **settings), client=("127.0.0.1", 1))
    async with AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


def search(client: AsyncClient, **options: Any) -> "asyncio.Task[Response]":  # noqa: ANN401
    options = {"json": examples.SEARCH} | options
    return asyncio.create_task(client.post("/search", **options))


def upload(client: AsyncClient) -> "asyncio.Task[Response]":
    return asyncio.create_task(client.post(HISTORY, json=examples.HISTORY))


@asynccontextmanager
async def rush(client: AsyncClient, held: Held) -> AsyncIterator[list["asyncio.Task[Response]"]]:
    """While it lasts, all places are taken; whatever fails, no thread stays behind."""
    try:
        served = [search(client) for _ in range(PLACES)]
        for _ in served:
            assert await asyncio.to_thread(held.inside.acquire, timeout=60)
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


async def test_a_burst_is_let_in_and_served_though_late(
    service: NonCallableMagicMock, held: Held
) -> None:
    burst = PLACES + 3
    limits = {"limit_concurrency": PLACES, "limit_burst": burst, "worker_threads": burst}
    async with connected(service, **limits) as client, rush(client, held) as served:
        late = [search(client) for _ in range(PLACES, burst)]
        for _ in late:
            assert await asyncio.to_thread(held.inside.acquire, timeout=60)
        problem(await search(client), 503, "overloaded")
        held.go.set()
        assert [(await each).status_code for each in (*served, *late)] == [200] * burst


async def test_no_more_are_worked_on_at_the_same_time_than_there_are_threads(
    service: NonCallableMagicMock,
) -> None:
    together = Barrier(2)

    def alone(_request: object) -> SearchResult:
        with pytest.raises(BrokenBarrierError):
            together.wait(0.2)
        return FOUND

    service.search.side_effect = alone
    async with connected(service, worker_threads=1) as client:
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


@asynccontextmanager
async def uploading(
    service: NonCallableMagicMock,
) -> AsyncIterator[tuple[AsyncClient, set["asyncio.Task[Response]"], Response]]:
    """A client of a server with one place and thread, the uploads it works on, and one it refused.

    While it lasts, none of them comes to its end.
    """
    held = Held()
    service.import_history.side_effect = held.answering(TAKEN_OVER)
    service.undo_history.side_effect = held.answering(UNDONE)
    service.search.side_effect = None
    service.search.return_value = FOUND
    async with connected(service, limit_concurrency=1, limit_burst=0, worker_threads=1) as client:
        sent = [upload(client) for _ in range(UPLOADS + 1)]
        try:
            (refused,), let_in = await asyncio.wait(
                sent, timeout=60, return_when=asyncio.FIRST_COMPLETED
            )
            assert await asyncio.to_thread(held.inside.acquire, timeout=60)
            yield client, let_in, await refused
        finally:
            held.go.set()
            await asyncio.wait(sent)


async def test_uploads_leave_the_others_their_threads_and_places(
    service: NonCallableMagicMock,
) -> None:
    async with uploading(service) as (client, _, _), asyncio.timeout(30):
        assert (await search(client)).status_code == 200


async def test_uploads_are_worked_on_one_by_one_and_past_their_places_told_to_come_back(
    service: NonCallableMagicMock,
) -> None:
    async with uploading(service) as (_, let_in, refused):
        problem(refused, 503, "overloaded")
        assert int(refused.headers["retry-after"]) == UPLOADS_RETRY_SECONDS
        assert service.import_history.call_count == 1
    assert [(await each).status_code for each in let_in] == [200] * UPLOADS
    assert service.import_history.call_count == UPLOADS


async def test_taking_an_upload_back_takes_as_long_and_has_the_same_places(
    service: NonCallableMagicMock,
) -> None:
    undo = f"{HISTORY}/{examples.HISTORY_RECEIPT['session_id']}"
    async with uploading(service) as (client, _, _):
        problem(await client.delete(undo), 503, "overloaded")
