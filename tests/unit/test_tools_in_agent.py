"""The agent loop on a scripted service: identity, errors, limits, memory of a conversation."""

from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph

import prompts
from assistant.agent import agent_by_name, build_agent
from assistant.conversations import MOST_MESSAGES, RecentConversations
from assistant.refusal import ChatModelUnavailable
from fusion.fake import HashingEncoder
from recommender.errors import StoreUnavailable
from recommender.models import SearchResult
from tests.unit.scripted_recommender import FILMS, ScriptedRecommender
from tools import ToolContext

Say = Callable[..., list[BaseMessage]]
Agent = CompiledStateGraph[Any, ToolContext, Any, Any]


class ScriptedModel(GenericFakeChatModel):
    """A hosted model's stand-in: says what it was given, in order."""

    def bind_tools(self, tools: Sequence[BaseTool | Any], **_: Any) -> "ScriptedModel":  # noqa: ANN401, ARG002
        return self


@pytest.fixture(autouse=True)
def _patient_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.agent.RETRY_SECONDS", 0)


@pytest.fixture
def service() -> ScriptedRecommender:
    return ScriptedRecommender()


@pytest.fixture
def agent() -> Agent:
    return agent_by_name(None, HashingEncoder(), FILMS)


@pytest.fixture
def say(agent: Agent, service: ScriptedRecommender) -> Say:
    """Say something to the offline agent; gives the messages that the turn added."""

    def turn(text: str, thread: str = "t", user_id: str = "ann") -> list[BaseMessage]:
        config: RunnableConfig = {"configurable": {"thread_id": thread}}
        state = agent.invoke(
            {"messages": [("user", text)]}, config, context=ToolContext(service, user_id)
        )
        messages: list[BaseMessage] = state["messages"]
        asked = max(n for n, message in enumerate(messages) if message.type == "human")
        return messages[asked + 1 :]

    return turn


def run(service: ScriptedRecommender, *said: AIMessage) -> list[BaseMessage]:
    agent = build_agent(ScriptedModel(messages=iter(said)))
    state = agent.invoke(
        {"messages": [("user", "hello")]},
        {"configurable": {"thread_id": "t"}},
        context=ToolContext(service, "ann"),
    )
    messages: list[BaseMessage] = state["messages"]
    return messages


def call(name: str, n: int = 1, **args: object) -> dict[str, object]:
    return {"name": name, "args": args, "id": f"call_{n}"}


async def test_the_sentences_of_an_explanation_are_streamed_as_they_are_written(
    agent: Agent, service: ScriptedRecommender
) -> None:
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}
    service.written = ["It is a crime film.", "You liked three of those."]
    asked = {"messages": [("user", "why Heat?")]}
    context = ToolContext(service, "ann")
    stream = agent.astream(asked, config, context=context, stream_mode="custom")
    assert [sentence async for sentence in stream] == service.written


def test_a_turn_with_a_tool(say: Say) -> None:
    asked, found, answer = say("a crime film")
    assert isinstance(asked, AIMessage)
    assert isinstance(found, ToolMessage)
    assert isinstance(found.artifact, SearchResult)
    assert found.artifact.user_id == "ann"
    assert "9 films" in answer.text


def test_the_conversation_is_remembered_and_kept_apart(
    service: ScriptedRecommender, say: Say
) -> None:
    say("a crime film")
    say("why the second one?")
    assert service.calls[-1] == ("explain", "ann", "1214", "a crime film")
    *_, answer = say("why the second one?", thread="another")
    assert "No film has been shown" in answer.text


def test_several_reactions_in_one_sentence(service: ScriptedRecommender, say: Say) -> None:
    *_, answer = say("I loved Alien and Heat, hated 300")
    assert sorted(service.swipes) == [("1214", "like"), ("51662", "dislike"), ("6", "like")]
    assert "you liked Alien (1979) and Heat (1995)" in answer.text


def test_a_hosted_model_cannot_act_for_another_user(service: ScriptedRecommender) -> None:
    messages = run(
        service,
        AIMessage("", tool_calls=[call("show_profile", user_id="bob", runtime="x")]),
        AIMessage("done"),
    )
    assert service.calls == [("profile", "ann")]
    assert messages[-1].text == "done"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (StoreUnavailable(), "StoreUnavailable: The database does not answer."),
        (RuntimeError("secret detail"), "InternalError: the service could not do that just now."),
    ],
)
def test_a_failed_tool_is_a_sentence(
    service: ScriptedRecommender, failure: Exception, told: str
) -> None:
    service.failure = failure
    messages = run(
        service, AIMessage("", tool_calls=[call("show_profile")]), AIMessage("I am sorry.")
    )
    failed = messages[-2]
    assert isinstance(failed, ToolMessage)
    assert failed.status == "error"
    assert failed.text.startswith(told)


def test_offline_failures_are_told_to_the_person(service: ScriptedRecommender, say: Say) -> None:
    assert say("undo that")[-1].text == prompts.phrase("error.NothingToUndo")
    service.failure = StoreUnavailable()
    assert say("I loved Alien")[-1].text == prompts.phrase("error.StoreUnavailable")


def test_wrong_arguments_are_told_to_the_model(service: ScriptedRecommender) -> None:
    wrong = AIMessage("", tool_calls=[call("record_reaction", direction="adore", title_or_id="6")])
    messages = run(service, wrong, AIMessage("Sorry."))
    assert isinstance(messages[-2], ToolMessage)
    assert messages[-2].status == "error"
    assert not service.swipes


def test_a_model_that_never_stops_is_stopped(service: ScriptedRecommender) -> None:
    endless = [AIMessage("", tool_calls=[call("show_profile", n)]) for n in range(50)]
    messages = run(service, *endless)
    assert len(service.calls) < 20
    assert messages[-1].text == prompts.phrase("error.CallLimit")


def test_more_tools_than_a_turn_may_call_are_refused(service: ScriptedRecommender) -> None:
    many = AIMessage("", tool_calls=[call("show_profile", n) for n in range(20)])
    messages = run(service, many, AIMessage("So much."))
    answers = [message for message in messages if isinstance(message, ToolMessage)]
    assert [answer.status for answer in answers] == ["success"] * 16 + ["error"] * 4
    assert len(service.calls) == 16
    assert "limit exceeded" in answers[-1].text


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_the_planner_speaks(name: str | None, service: ScriptedRecommender) -> None:
    agent = agent_by_name(name, HashingEncoder(), FILMS)
    answer = agent.invoke(
        {"messages": [("user", "hello")]},
        {"configurable": {"thread_id": "t"}},
        context=ToolContext(service, "ann", None, ()),
    )
    assert answer["messages"][-1].response_metadata["model_name"] == "offline-planner"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("groq:llama", "langchain-groq"),
        ("nowhere:x", "Supported providers"),
        ("x", "ASSISTANT_MODEL"),
    ],
)
def test_a_model_that_cannot_be_had_names_the_remedy(name: str, remedy: str) -> None:
    with pytest.raises(ChatModelUnavailable, match=remedy):
        agent_by_name(name, HashingEncoder(), FILMS)


def test_only_the_latest_state_of_a_conversation_is_kept(say: Say, agent: Agent) -> None:
    for _ in range(5):
        say("a crime film")
    saver = agent.checkpointer
    assert isinstance(saver, RecentConversations)
    assert len(saver.storage["t"][""]) == 1
    versions = {key[2] for key in saver.blobs}
    assert len(saver.blobs) == len(versions)
    assert {key[2] for key in saver.writes} <= set(saver.storage["t"][""])


def test_what_tools_found_is_kept_for_its_turn_only(say: Say, agent: Agent) -> None:
    said = say("a crime film")
    kept = agent.get_state({"configurable": {"thread_id": "t"}}).values["messages"][1:]
    assert [message.text for message in kept] == [message.text for message in said]
    found, left = ([getattr(m, "artifact", None) for m in each] for each in (said, kept))
    assert any(found)
    assert not any(left)


def test_the_oldest_conversation_gives_way(say: Say, agent: Agent) -> None:
    saver = agent.checkpointer
    assert isinstance(saver, RecentConversations)
    saver._most = 2
    for thread in ("a", "b", "a", "c"):
        say("hello", thread)
    assert set(saver.storage) == {"a", "c"} == {key[0] for key in saver.blobs}


def test_old_turns_are_forgotten_whole(say: Say, agent: Agent) -> None:
    for _ in range(MOST_MESSAGES // 4 + 5):
        say("a crime film")
    kept = agent.get_state({"configurable": {"thread_id": "t"}}).values["messages"]
    assert MOST_MESSAGES - 4 <= len(kept) <= MOST_MESSAGES + 4
    assert kept[0].type == "human"


@pytest.mark.parametrize("traced", [False, True])
async def test_spans_change_threads_only_where_somebody_traces(
    agent: Agent, service: ScriptedRecommender, traced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = []

    async def in_thread(
        context: Context, step: Callable[..., Any], *args: object, **kwargs: object
    ) -> object:
        changes.append(step)
        return context.run(step, *args, **kwargs)

    monkeypatch.setattr("langsmith._internal._aiter._default_aio_to_thread", in_thread)
    monkeypatch.setattr("assistant.agent.tracing_is_enabled", lambda: traced)
    await agent.ainvoke(
        {"messages": [("user", "what do you know about me?")]},
        {"configurable": {"thread_id": "t"}},
        context=ToolContext(service, "ann"),
    )
    assert bool(changes) == traced
