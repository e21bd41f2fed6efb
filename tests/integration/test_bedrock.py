"""Bedrock on the wire: the real client and agent before a server that speaks its protocol."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from assistant import models
from assistant.agent import build_agent
from assistant.models import chat_model
from assistant.planner import offline_planner
from fusion.encoder import TextEncoder
from prompts import phrase, system_prompt
from recommender import Recommender
from recommender.models import Item, SearchResult
from recommender.telemetry import FALLBACKS
from tests import bedrock
from tests.integration.test_agent import Chat
from tests.scripted_endpoint import ScriptedEndpoint, aws_error, hang, reset, scripted_endpoint
from tools import ALL_TOOLS

MODEL = "bedrock_converse:anthropic.claude-3-5-sonnet-20240620-v1:0"
SORRY = phrase("note.model_failed")
SEARCH = bedrock.calls("search_movies", {"query": "lonely robots", "k": 3})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEndpoint]:
    monkeypatch.setattr(models, "READ_SECONDS", 0.5)
    monkeypatch.setattr(models, "ATTEMPTS", 2)
    with scripted_endpoint() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield server


@pytest.fixture
def chat(
    server: ScriptedEndpoint,  # noqa: ARG001
    encoder: TextEncoder,
    starter_items: list[Item],
    recommender: Recommender,
    user_id: str,
) -> Chat:
    agent = build_agent(chat_model(MODEL), offline_planner(encoder, starter_items), timeout=5)
    return Chat(agent, recommender, user_id)


def asked(server: ScriptedEndpoint) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.requests]


def counted() -> float:
    return float(FALLBACKS.labels("chat_model")._value.get())


async def test_words_stream_as_they_come(server: ScriptedEndpoint, chat: Chat) -> None:
    server.script.append(bedrock.stream(bedrock.says("Films ", "are ", "my world.")))
    turn = await chat.say("hello")
    assert turn.words == ["Films ", "are ", "my world."]
    (request,) = asked(server)
    assert request["system"][0]["text"] == system_prompt()
    assert server.requests[0].path.endswith("/converse-stream")


async def test_tools_are_called_and_their_answers_sent_back(
    server: ScriptedEndpoint, chat: Chat
) -> None:
    server.script.extend([bedrock.stream(SEARCH), bedrock.stream(bedrock.says("Here you go."))])
    turn = await chat.say("a film about lonely robots")
    (found,) = turn.artifacts
    assert isinstance(found, SearchResult)
    assert len(found.items) == 3
    assert turn.text == "Here you go."
    _, second = asked(server)
    (result,) = second["messages"][-1]["content"]
    assert result["toolResult"]["toolUseId"] == "tooluse_1"
    assert found.items[0].title in json.dumps(result, ensure_ascii=False)
    offered = {tool["toolSpec"]["name"] for tool in second["toolConfig"]["tools"]}
    assert offered == {tool.name for tool in ALL_TOOLS}


async def test_throttling_is_waited_out(server: ScriptedEndpoint, chat: Chat) -> None:
    before = counted()
    server.script.extend(
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
        bedrock.failing(bedrock.says("Films ")[:2], "modelStreamErrorException"),
        bedrock.sending(b"<html>not a stream</html>"),
    ],
)
async def test_the_planner_goes_on_where_the_model_fails(
    server: ScriptedEndpoint,
    chat: Chat,
    act: Any,  # noqa: ANN401
) -> None:
    before = counted()
    server.script.append(act)
    turn = await chat.say("a film about lonely robots")
    (found,) = turn.artifacts
    assert isinstance(found, SearchResult)
    assert found.items
    assert SORRY in turn.text
    assert counted() == before + 1


async def test_a_failure_after_the_tools_keeps_what_they_found(
    server: ScriptedEndpoint, chat: Chat
) -> None:
    server.script.extend([bedrock.stream(SEARCH), aws_error(403, "AccessDeniedException")])
    turn = await chat.say("a film about lonely robots")
    assert len(turn.artifacts[0].items) == 3
    assert SORRY in turn.text


async def test_the_next_turn_asks_the_model_again(server: ScriptedEndpoint, chat: Chat) -> None:
    server.script.extend(
        [aws_error(403, "AccessDeniedException"), bedrock.stream(bedrock.says("Back again."))]
    )
    assert SORRY in (await chat.say("hello")).text
    assert (await chat.say("hello")).text == "Back again."


async def test_a_model_cannot_choose_whom_it_acts_for(
    server: ScriptedEndpoint, chat: Chat, recommender: Recommender, user_id: str
) -> None:
    args: dict[str, object] = {
        "direction": "like",
        "title_or_id": "Heat",
        "user_id": "somebody-else",
    }
    server.script.extend(
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
