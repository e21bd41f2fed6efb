"""Bedrock on the wire: the real client and agent before a server that speaks its protocol."""

import json
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from assistant import models
from assistant.agent import agent_by_name, build_agent
from assistant.models import HostedOptions, chat_model
from assistant.planner import offline_planner
from assistant.refusal import ChatModelUnavailable
from fusion.encoder import TextEncoder
from prompts import phrase, system_prompt
from recommender import Recommender
from recommender.models import Item, SearchResult
from recommender.telemetry import FALLBACKS
from tests import bedrock
from tests.integration.test_agent import Chat
from tests.scripted_endpoint import (
    PATIENT,
    ScriptedEndpoint,
    aws_error,
    hang,
    reply,
    reset,
)
from tools import ALL_TOOLS, ToolContext

MODEL = "bedrock_converse:anthropic.claude-3-5-sonnet-20240620-v1:0"
SORRY = phrase("note.model_failed")
SEARCH = bedrock.calls("search_movies", {"query": "lonely robots", "k": 3})


@pytest.fixture
def chat(
    runtime: ScriptedEndpoint,  # noqa: ARG001
    encoder: TextEncoder,
    starter_items: list[Item],
    recommender: Recommender,
    user_id: str,
) -> Chat:
    agent = build_agent(chat_model(MODEL), offline_planner(encoder, starter_items), timeout=PATIENT)
    return Chat(agent, recommender, user_id)


def asked(runtime: ScriptedEndpoint) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in runtime.requests]


def counted() -> float:
    return float(FALLBACKS.labels("chat_model")._value.get())


async def test_words_stream_as_they_come(runtime: ScriptedEndpoint, chat: Chat) -> None:
    runtime.script.append(bedrock.stream(bedrock.says("Films ", "are ", "my world.")))
    turn = await chat.say("hello")
    assert turn.words == ["Films ", "are ", "my world."]
    (request,) = asked(runtime)
    assert request["system"][0]["text"] == system_prompt()
    assert runtime.requests[0].path.endswith("/converse-stream")


async def test_tools_are_called_and_their_answers_sent_back(
    runtime: ScriptedEndpoint, chat: Chat
) -> None:
    runtime.script.extend([bedrock.stream(SEARCH), bedrock.stream(bedrock.says("Here you go."))])
    turn = await chat.say("a film about lonely robots")
    (found,) = turn.artifacts
    assert isinstance(found, SearchResult)
    assert len(found.items) == 3
    assert turn.text == "Here you go."
    _, second = asked(runtime)
    (result,) = second["messages"][-1]["content"]
    assert result["toolResult"]["toolUseId"] == "tooluse_1"
    assert found.items[0].title in json.dumps(result, ensure_ascii=False)
    offered = {tool["toolSpec"]["name"] for tool in second["toolConfig"]["tools"]}
    assert offered == {tool.name for tool in ALL_TOOLS}


async def test_bedrock_is_told_neither_who_the_user_is_nor_what_only_the_door_reads(
    runtime: ScriptedEndpoint, chat: Chat, user_id: str
) -> None:
    show = bedrock.stream(bedrock.calls("show_profile", {}))
    runtime.script.extend([show, bedrock.stream(bedrock.says("Here you are."))])
    (profile,) = (await chat.say("what do you know about me?")).artifacts
    assert profile.user_id == user_id
    assert len(runtime.requests) == 2
    for request in runtime.requests:
        assert user_id not in request.body.decode()


async def test_throttling_is_waited_out(runtime: ScriptedEndpoint, chat: Chat) -> None:
    before = counted()
    runtime.script.extend(
        [aws_error(429, "ThrottlingException"), bedrock.stream(bedrock.says("Hello."))]
    )
    assert (await chat.say("hello")).text == "Hello."
    assert counted() == before


@pytest.mark.parametrize(
    "act",
    [
        aws_error(429, "ThrottlingException"),
        aws_error(403, "AccessDeniedException"),
        aws_error(400, "ValidationException"),
        aws_error(500, "InternalServerException"),
        reset,
        hang,
        bedrock.broken_off(bedrock.says("Films ", "are ")),
        bedrock.garbled(bedrock.says("Films ", "are ")),
        bedrock.lying_about_its_length(bedrock.says("Films ", "are ")),
        bedrock.failing(bedrock.says("Films ")[:2], "modelStreamErrorException"),
        bedrock.failing(bedrock.says("Films ")[:2], "throttlingException"),
        bedrock.failing([], "serviceUnavailableException"),
        bedrock.stream([]),
        bedrock.sending(b"<html>not a stream</html>"),
    ],
)
async def test_the_planner_goes_on_where_the_model_fails(
    runtime: ScriptedEndpoint,
    chat: Chat,
    act: Any,  # noqa: ANN401
) -> None:
    before = counted()
    runtime.script.append(act)
    turn = await chat.say("a film about lonely robots")
    (found,) = turn.artifacts
    assert isinstance(found, SearchResult)
    assert found.items
    assert SORRY in turn.text
    assert counted() == before + 1


async def test_a_failure_after_the_tools_keeps_what_they_found(
    runtime: ScriptedEndpoint, chat: Chat
) -> None:
    runtime.script.extend([bedrock.stream(SEARCH), aws_error(403, "AccessDeniedException")])
    turn = await chat.say("a film about lonely robots")
    assert len(turn.artifacts[0].items) == 3
    assert SORRY in turn.text


async def test_throttling_after_the_tools_is_waited_out(
    runtime: ScriptedEndpoint, chat: Chat
) -> None:
    before = counted()
    runtime.script.extend(
        [
            bedrock.stream(SEARCH),
            aws_error(429, "ThrottlingException"),
            bedrock.stream(bedrock.says("Here you go.")),
        ]
    )
    turn = await chat.say("a film about lonely robots")
    assert turn.text == "Here you go."
    assert len(turn.artifacts) == 1, "the tool ran once"
    assert counted() == before


@pytest.mark.parametrize("act", [aws_error(429, "ThrottlingException"), reset])
async def test_what_bedrocks_client_tried_again_is_not_tried_again_above_it(
    runtime: ScriptedEndpoint,
    chat: Chat,
    act: Any,  # noqa: ANN401
) -> None:
    runtime.script.append(act)
    assert SORRY in (await chat.say("hello")).text
    assert len(runtime.requests) == models.ATTEMPTS


async def test_an_answer_that_broke_off_is_not_said_twice(
    runtime: ScriptedEndpoint, chat: Chat
) -> None:
    runtime.script.extend(
        [
            bedrock.failing(bedrock.says("Films ")[:2], "modelStreamErrorException"),
            bedrock.stream(bedrock.says("Films ", "again.")),
        ]
    )
    turn = await chat.say("hello")
    assert turn.text.count("Films ") == 1
    assert SORRY in turn.text
    assert len(runtime.requests) == 1


async def test_tool_arguments_that_are_no_json_call_nothing(
    runtime: ScriptedEndpoint, chat: Chat, recommender: Recommender, user_id: str
) -> None:
    start, begun, *_, stopped, end, usage = bedrock.calls("record_reaction", {"x": 1})
    delta = {"contentBlockIndex": 0, "delta": {"toolUse": {"input": '{"direction": "like", '}}}
    broken: list[bedrock.Event] = [
        start, begun, ("contentBlockDelta", delta), stopped, end, usage
    ]  # fmt: skip
    runtime.script.extend([bedrock.stream(broken), bedrock.stream(bedrock.says("Sorry."))])
    turn = await chat.say("I loved Heat")
    assert turn.text.strip()
    assert recommender.profile(user_id).swipe_count == 0


# Without streaming.


async def answered(agent: Any, recommender: Recommender, user_id: str, text: str) -> Any:  # noqa: ANN401
    state = await agent.ainvoke(
        {"messages": [("user", text)]},
        {"configurable": {"thread_id": user_id}},
        context=ToolContext(recommender, user_id),
    )
    return state["messages"]


@pytest.fixture
def agent(
    runtime: ScriptedEndpoint,  # noqa: ARG001
    encoder: TextEncoder,
    starter_items: list[Item],
) -> Any:  # noqa: ANN401
    return build_agent(chat_model(MODEL), offline_planner(encoder, starter_items), timeout=PATIENT)


async def test_a_turn_that_does_not_stream(
    runtime: ScriptedEndpoint,
    agent: Any,  # noqa: ANN401
    recommender: Recommender,
    user_id: str,
) -> None:
    use = {
        "toolUseId": "tooluse_1",
        "name": "search_movies",
        "input": {"query": "lonely robots", "k": 3},
    }
    runtime.script.extend(
        [
            bedrock.whole({"text": "Let me look."}, {"toolUse": use}, reason="tool_use"),
            bedrock.whole({"text": "Here you go."}),
        ]
    )
    *_, found, answer = await answered(agent, recommender, user_id, "a film about lonely robots")
    assert len(found.artifact.items) == 3
    assert answer.text == "Here you go."
    assert [request.path.rsplit("/", 1)[1] for request in runtime.requests] == ["converse"] * 2
    (result,) = asked(runtime)[1]["messages"][-1]["content"]
    assert result["toolResult"]["toolUseId"] == "tooluse_1"


@pytest.mark.parametrize(
    "act",
    [
        aws_error(429, "ThrottlingException"),
        aws_error(403, "AccessDeniedException"),
        reply(200, b"<html>not JSON</html>"),
        reply(200, b"{}"),
        reset,
        hang,
    ],
)
async def test_the_planner_goes_on_where_a_turn_that_does_not_stream_fails(
    runtime: ScriptedEndpoint,
    agent: Any,  # noqa: ANN401
    recommender: Recommender,
    user_id: str,
    act: Any,  # noqa: ANN401
) -> None:
    before = counted()
    runtime.script.append(act)
    *_, found, answer = await answered(agent, recommender, user_id, "a film about lonely robots")
    assert found.artifact.items
    assert SORRY in answer.text
    assert counted() == before + 1


# Guardrails and prompt caching.


@pytest.fixture
def guarded(
    runtime: ScriptedEndpoint,  # noqa: ARG001
    encoder: TextEncoder,
    starter_items: list[Item],
    recommender: Recommender,
    user_id: str,
) -> Chat:
    """A conversation with every option set."""
    options = HostedOptions("gr-1a2b", "3", "1h")
    return Chat(agent_by_name(MODEL, encoder, starter_items, options), recommender, user_id)


POINT = {"cachePoint": {"type": "default", "ttl": "1h"}}


async def test_every_call_names_the_guardrail_and_what_is_to_be_kept(
    runtime: ScriptedEndpoint, guarded: Chat
) -> None:
    runtime.script.extend([bedrock.stream(SEARCH), bedrock.stream(bedrock.says("Here you go."))])
    assert (await guarded.say("a film about lonely robots")).text == "Here you go."
    for request in asked(runtime):
        guardrail = {"guardrailIdentifier": "gr-1a2b", "guardrailVersion": "3"}
        assert request["guardrailConfig"] == guardrail
        assert request["system"][-1] == POINT
        assert request["toolConfig"]["tools"][-1] == POINT
        assert request["messages"][-1]["content"][-1] == POINT
        assert json.dumps(request).count("cachePoint") <= 4


async def test_without_options_nothing_is_guarded_or_kept(
    runtime: ScriptedEndpoint, chat: Chat
) -> None:
    runtime.script.append(bedrock.stream(bedrock.says("Hello.")))
    await chat.say("hello")
    assert "guardrailConfig" not in asked(runtime)[0]
    assert "cachePoint" not in runtime.requests[0].body.decode()


async def test_what_a_guardrail_says_instead_is_the_answer(
    runtime: ScriptedEndpoint, guarded: Chat
) -> None:
    before = counted()
    *events, _, usage = bedrock.says("I cannot talk about that.")
    stop: bedrock.Event = ("messageStop", {"stopReason": "guardrail_intervened"})
    runtime.script.append(bedrock.stream([*events, stop, usage]))
    assert (await guarded.say("something bad")).text == "I cannot talk about that."
    assert counted() == before, "the planner does not answer in the model's place"


async def test_the_planner_stands_in_for_a_guarded_model_too(
    runtime: ScriptedEndpoint, guarded: Chat
) -> None:
    runtime.script.append(aws_error(400, "ValidationException"))
    turn = await guarded.say("a film about lonely robots")
    assert SORRY in turn.text
    assert turn.artifacts[0].items


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("ollama:llama3.1", HostedOptions("gr-1", "1"), "bedrock_converse:"),
        ("ollama:llama3.1", HostedOptions(prompt_cache="5m"), "BEDROCK_PROMPT_CACHE"),
        (MODEL, HostedOptions("gr-1"), "BEDROCK_GUARDRAIL_VERSION"),
        (MODEL, HostedOptions(None, "1"), "BEDROCK_GUARDRAIL_ID"),
    ],
)
def test_a_guardrail_that_would_not_guard_is_refused(
    name: str, options: HostedOptions, says: str
) -> None:
    with pytest.raises(ChatModelUnavailable, match=says):
        chat_model(name, options)


async def test_the_next_turn_asks_the_model_again(runtime: ScriptedEndpoint, chat: Chat) -> None:
    runtime.script.extend(
        [aws_error(403, "AccessDeniedException"), bedrock.stream(bedrock.says("Back again."))]
    )
    assert SORRY in (await chat.say("hello")).text
    assert (await chat.say("hello")).text == "Back again."


async def test_a_model_cannot_choose_whom_it_acts_for(
    runtime: ScriptedEndpoint, chat: Chat, recommender: Recommender, user_id: str
) -> None:
    args: dict[str, object] = {
        "direction": "like",
        "title_or_id": "Heat",
        "user_id": "somebody-else",
    }
    runtime.script.extend(
        [
            bedrock.stream(bedrock.calls("record_reaction", args)),
            bedrock.stream(bedrock.says("Done.")),
        ]
    )
    await chat.say("somebody-else likes Heat")
    assert recommender.profile("somebody-else").swipe_count == 0
    assert recommender.profile(user_id).swipe_count == 1


@given(
    kind=st.sampled_from(["messageStart", "contentBlockDelta"]),
    text=st.text(max_size=300),
)
def test_the_frames_are_those_that_boto_reads(kind: str, text: str) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(bedrock.frame(kind, {"text": text}))
    (event,) = list(buffer)
    assert event.headers[":event-type"] == kind
    assert json.loads(event.payload) == {"text": text}
