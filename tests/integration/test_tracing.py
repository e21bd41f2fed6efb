"""One trace from the door to the database and the encoder, whichever threads it goes through."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import text

from assistant.agent import agent_by_name
from assistant.context import TRACE
from assistant.tracing import tracing
from fusion.encoder import TextEncoder
from recommender import Recommender, telemetry
from recommender.errors import StoreUnavailable
from recommender.models import Item, SearchRequest
from recommender.stores.postgres import Database
from tests.integration.api_client import ApiClient, api
from tests.integration.chat_door import ChatDoor

# Importing Chainlit imports libraries that use what Pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Trace:
    """The spans that ended so far."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self.exporter.get_finished_spans()

    def paths(self) -> set[str]:
        """Each span by its name and those of the spans around it, outermost first."""
        by_id = {span.context.span_id: span for span in self.spans}

        def path(span: ReadableSpan) -> str:
            around = by_id.get(span.parent.span_id) if span.parent else None
            return f"{path(around)} > {span.name}" if around else span.name

        return {path(span) for span in self.spans}

    def one(self, name: str) -> ReadableSpan:
        """The span of this name."""
        (span,) = (each for each in self.spans if each.name == name)
        return span


@pytest.fixture
def trace() -> Iterator[Trace]:
    trace = Trace()
    with tracing(SimpleSpanProcessor(trace.exporter)):
        yield trace


async def test_a_chat_turn_is_one_trace_down_to_database_and_encoder(
    tmp_path: Path,
    trace: Trace,
    recommender: Recommender,
    encoder: TextEncoder,
    starter_items: list[Item],
    user_id: str,
) -> None:
    agent = agent_by_name(None, encoder, starter_items)
    chat = ChatDoor(tmp_path, recommender, agent, user_id)
    assert "films" in await chat.say(f"something funny with {user_id[:13]}")
    kept = (
        "INSERT thread",
        "SELECT thread",
        "WITH thread",
    )  # the history, which is written beside the turn
    roots = [span.name for span in trace.spans if span.parent is None]
    assert [name for name in roots if not name.startswith(kept)] == ["chat turn"]
    search = "chat turn > tool search_movies > Recommender.search"
    assert trace.paths() >= {
        "chat turn > model",
        f"{search} > search",
        f"{search} > search > fuse",
        f"{search} > search > retrieve > SELECT items",
        f"{search} > search > SELECT search_cache",
        f"{search} > search > INSERT search_cache",
        f"{search} > SELECT swipe_events",
    }
    turn = trace.one("chat turn")
    assert turn.attributes == {"model": "planner", "outcome": "answered"}
    assert trace.one("Recommender.search").attributes == {"strategy": "generic", "cached": False}


def test_a_rest_request_is_one_trace(trace: Trace, recommender: Recommender, user_id: str) -> None:
    client = ApiClient(api(recommender))
    client.ok("POST", "/search", {"user_id": user_id, "query": f"q {user_id}"})
    assert len({span.context.trace_id for span in trace.spans}) == 1
    search = "POST /search > Recommender.search > search"
    assert trace.paths() >= {f"{search} > fuse", f"{search} > retrieve > SELECT items"}
    assert trace.one("POST /search").attributes == {"http.response.status_code": 200}


def test_a_caller_that_traces_is_joined(
    trace: Trace, recommender: Recommender, user_id: str
) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    ApiClient(api(recommender)).ok("GET", f"/user/{user_id}/profile", traceparent=caller)
    span = trace.one("GET /user/{user_id}/profile")
    assert f"{span.context.trace_id:032x}" == caller.split("-")[1]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == caller.split("-")[2]


def test_a_trace_holds_nobodys_words(
    trace: Trace, recommender: Recommender, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable(f"wombat {user_id}")

    client = ApiClient(api(recommender))
    asked = {"user_id": user_id, "query": "a wombat in space"}
    client.ok("POST", "/search", asked)
    monkeypatch.setattr(recommender._experiment, "search", fail)
    assert client.post("/search", json=asked).status_code == 503
    told = " ".join(span.to_json() for span in trace.spans)
    assert "wombat" not in told
    assert user_id not in told
    failed = [span for span in trace.spans if span.status.status_code is StatusCode.ERROR]
    assert [(span.name, span.status.description) for span in failed] == [
        ("Recommender.search", "StoreUnavailable")
    ]


def test_a_statement_that_fails_ends_its_span(trace: Trace, database: Database) -> None:
    with pytest.raises(StoreUnavailable), database.connect() as connection:
        connection.execute(text("SELECT 1 FROM nowhere"))
    span = trace.one("SELECT nowhere")
    assert span.status.description == "UndefinedTable"
    assert (span.attributes or {})["db.query.text"] == "SELECT 1 FROM nowhere"


async def test_spans_follow_a_request_into_its_threads(trace: Trace) -> None:
    def work(name: str) -> str | None:
        with telemetry.timed(name):
            return TRACE.get()

    with telemetry.span("request"), ThreadPoolExecutor() as pool:
        whole = TRACE.get()
        assert await asyncio.to_thread(work, "to_thread") == whole
        assert pool.submit(copy_context().run, work, "executor").result() == whole
    assert trace.paths() == {"request", "request > to_thread", "request > executor"}
    assert TRACE.get() is None


def test_untraced_work_opens_no_spans(recommender: Recommender, user_id: str) -> None:
    trace = Trace()
    with tracing(SimpleSpanProcessor(trace.exporter)):
        pass
    recommender.search(SearchRequest(user_id=user_id, query="x"))
    assert trace.spans == ()
    assert telemetry.span("a") is telemetry.span("b")
