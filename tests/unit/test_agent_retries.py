"""What is tried again in a turn, and that nothing is done or said twice."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from assistant.agent import MODEL_RETRIES, TOOL_RETRIES, build_agent
from assistant.planner import offline_planner
from fusion.fake import HashingEncoder
from prompts import phrase
from recommender import Recommender
from recommender.errors import StoreUnavailable, UnknownItem
from recommender.indexer import sync_index
from recommender.models import SwipeEvent
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import NewSwipe, Stores
from tests.unit.scripted_recommender import FILMS, ScriptedRecommender
from tools import ToolContext


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.agent.RETRY_SECONDS", 0)


class Scripted(GenericFakeChatModel):
    """A hosted model's stand-in: says what it was given, in order."""

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Scripted":  # noqa: ANN401, ARG002
        return self


def run(recommender: Recommender, *said: AIMessage) -> list[BaseMessage]:
    agent = build_agent(Scripted(messages=iter(said)))
    state = agent.invoke(
        {"messages": [("user", "hello")]},
        {"configurable": {"thread_id": "t"}},
        context=ToolContext(recommender, "ann"),
    )
    messages: list[BaseMessage] = state["messages"]
    return messages


def call(name: str, call_id: str = "1", **args: object) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": call_id}])


class Shaky(ScriptedRecommender):
    """A service whose store does not answer at first."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        super().__init__()
        self.failures = failures
        self.error = error or StoreUnavailable()

    def _note(self, *call: object) -> None:
        super()._note(*call)
        if self.failures:
            self.failures -= 1
            raise self.error


def test_a_read_is_tried_again_until_the_store_answers() -> None:
    service = Shaky(TOOL_RETRIES)
    *_, shown, _ = run(service, call("show_profile"), AIMessage("done"))
    assert isinstance(shown, ToolMessage)
    assert shown.status == "success"
    assert [each[0] for each in service.calls] == ["profile"] * (TOOL_RETRIES + 1)


def test_a_store_that_stays_away_is_told_to_the_model() -> None:
    service = Shaky(100)
    *_, shown, _ = run(service, call("show_profile"), AIMessage("sorry"))
    assert isinstance(shown, ToolMessage)
    assert shown.status == "error"
    assert shown.text.startswith("StoreUnavailable: ")
    assert len(service.calls) == TOOL_RETRIES + 1


@pytest.mark.parametrize("error", [UnknownItem("6"), RuntimeError("a bug")])
def test_what_would_fail_again_is_not_tried_again(error: Exception) -> None:
    service = Shaky(1, error)
    run(service, call("show_profile"), AIMessage("sorry"))
    assert len(service.calls) == 1


class LosingAnswers:
    """A log of swipes that records, and then loses the connection before it can say so."""

    def __init__(self, stores: Stores, losses: int) -> None:
        self._log = stores.swipes
        self.losses = losses

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._log, name)

    def append(self, swipe: NewSwipe) -> SwipeEvent:
        event = self._log.append(swipe)
        if self.losses:
            self.losses -= 1
            raise StoreUnavailable
        return event


def service_losing(losses: int) -> Recommender:
    stores = memory_stores()
    sync_index(FILMS, stores.items, HashingEncoder(), lambda *_: None, {})
    log: Any = LosingAnswers(stores, losses)
    settings = RecommenderSettings(search_variant="preference_vector")
    return Recommender(replace(stores, swipes=log), HashingEncoder(), settings)


def actions(service: Recommender) -> list[tuple[str, str]]:
    return [(event.item_id, event.action) for event in service.export_user("ann").swipes]


def test_a_swipe_whose_acknowledgement_was_lost_is_recorded_once() -> None:
    service = service_losing(TOOL_RETRIES)
    like = call("record_reaction", direction="like", title_or_id="id:6")
    *_, done, _ = run(service, like, AIMessage("done"))
    assert isinstance(done, ToolMessage)
    assert done.status == "success"
    assert done.artifact.swipe_count == 1
    assert actions(service) == [("6", "like")]


def test_an_undo_whose_acknowledgement_was_lost_takes_one_swipe_back() -> None:
    service = service_losing(0)
    first, second = (
        call("record_reaction", direction="like", title_or_id=f"id:{film}")
        for film in ("6", "1214")
    )
    run(service, first, second, AIMessage("done"))
    service._stores.swipes.losses = 1  # type: ignore[attr-defined]
    run(service, call("undo_reaction"), AIMessage("done"))
    assert actions(service) == [("6", "like"), ("1214", "like"), ("1214", "undo")]
    assert service.profile("ann").swipe_count == 1


def test_a_model_that_numbers_its_calls_anew_acts_each_time() -> None:
    service = service_losing(0)
    for film in ("6", "1214"):
        run(
            service,
            call("record_reaction", "call_1", direction="like", title_or_id=f"id:{film}"),
            AIMessage("done"),
        )
    assert actions(service) == [("6", "like"), ("1214", "like")]


class Faltering(BaseChatModel):
    """Says its words after ``failures``, each after having said as much as ``said_before``."""

    failures: list[Exception]
    said_before: str = ""
    asked: int = 0

    @property
    def _llm_type(self) -> str:
        return "faltering"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Faltering":  # noqa: ANN401, ARG002
        return self

    def _generate(self, *_: Any, **__: Any) -> ChatResult:  # noqa: ANN401
        raise NotImplementedError

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:  # noqa: ANN401
        self.asked += 1
        if self.failures:
            if self.said_before:
                yield ChatGenerationChunk(message=AIMessageChunk(content=self.said_before))
            raise self.failures.pop(0)
        yield ChatGenerationChunk(message=AIMessageChunk(content="Hello."))


async def hear(model: Faltering) -> str:
    agent = build_agent(model, offline_planner(HashingEncoder(), FILMS))
    stream: Any = agent.astream(
        {"messages": [("user", "hello")]},
        {"configurable": {"thread_id": "t"}},
        context=ToolContext(ScriptedRecommender(), "ann"),
        stream_mode="messages",
    )
    words = [message.text async for message, _ in stream]
    return "".join(words)


BEGINNINGS = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    ConnectionRefusedError(),
    ModelRateLimitError(),
]


@pytest.mark.parametrize("error", BEGINNINGS, ids=lambda error: type(error).__name__)
async def test_a_model_that_could_not_be_reached_is_asked_again(error: Exception) -> None:
    model = Faltering(failures=[error])
    assert await hear(model) == "Hello."
    assert model.asked == 2


async def test_the_planner_answers_when_the_model_stays_away() -> None:
    model = Faltering(failures=[httpx.ConnectError("refused")] * 9)
    assert phrase("note.model_failed") in await hear(model)
    assert model.asked == MODEL_RETRIES + 1


@pytest.mark.parametrize(
    "error", [httpx.RemoteProtocolError("broke off"), httpx.ReadTimeout("slow"), ValueError()]
)
async def test_an_answer_that_had_begun_is_not_begun_anew(error: Exception) -> None:
    model = Faltering(failures=[error], said_before="Films ")
    heard = await hear(model)
    assert heard.startswith("Films ")
    assert heard.count("Films ") == 1
    assert phrase("note.model_failed") in heard
    assert model.asked == 1
