"""What the agent knows of a conversation, over the chat: whose it is, and what is over is over."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult

from assistant.agent import build_agent
from assistant.chat.mount import mount_chat
from assistant.chat.settings import ChatSettings
from assistant.planner import offline_planner
from fusion.fake import HashingEncoder
from recommender.models import SearchRequest, SearchResult
from tests.unit.scripted_recommender import FILMS, ScriptedRecommender

# Importing Chainlit imports libraries that use what Pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PATIENT = 60.0
PRIVATE = "a film about my divorce"


class Listening(GenericFakeChatModel):
    """A hosted model's stand-in: says what it was given, in order, and notes what it is asked."""

    heard: list[list[BaseMessage]] = []
    disable_streaming: bool = True

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "Listening":  # noqa: ANN401, ARG002
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:  # noqa: ANN401
        self.heard.append(messages[1:])  # behind the system's prompt
        return super()._generate(messages)


class SlowRecommender(ScriptedRecommender):
    """A service whose searches, once told to, last until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = Event(), Event()
        self.go.set()

    def search(self, request: SearchRequest) -> SearchResult:
        self.begun.set()
        assert self.go.wait(PATIENT)
        return super().search(request)


class House:
    """A process's chat, to which people come; make it within a running loop."""

    def __init__(
        self,
        home: Path,
        service: SlowRecommender | None = None,
        model: BaseChatModel | None = None,
    ) -> None:
        self.home = home
        self.service = service or SlowRecommender()
        self.model = Listening(messages=iter(()))
        agent = build_agent(model or self.model, offline_planner(HashingEncoder(), FILMS))
        mount_chat(FastAPI(), self.service, agent, ChatSettings(home=home))
        from chainlit.config import config

        self.code = config.code

    async def enter(self, user_id: str, thread_id: str = "x") -> None:
        """Come to a conversation's address: it is resumed if it is there, or else begun."""
        from chainlit.data import get_data_layer

        self.open(user_id, thread_id)
        layer = get_data_layer()
        assert layer
        await self.arrive(await layer.get_thread(thread_id))

    def open(self, user_id: str, thread_id: str) -> None:
        """Open a session."""
        from chainlit.context import init_http_context
        from chainlit.user import PersistedUser

        init_http_context(thread_id, PersistedUser(id="", createdAt="", identifier=user_id))

    async def arrive(self, thread: Any) -> None:  # noqa: ANN401 - a Chainlit dictionary
        """What Chainlit calls at the beginning of a session, and when its line was down."""
        assert self.code.on_chat_resume
        assert self.code.on_chat_start
        await (self.code.on_chat_resume(thread) if thread else self.code.on_chat_start())
        await self.settle()

    async def say(self, words: str, *answers: AIMessage) -> list[str]:
        """Say something, to which the model has these answers; what it was told at last."""
        self.model.messages = iter(answers or [AIMessage("Well.")])
        await self.send(words)
        return [message.text for message in self.model.heard[-1]]

    async def send(self, words: str) -> None:
        """Say something, as the page does."""
        import chainlit as cl

        assert self.code.on_message
        message = cl.Message(content=words, type="user_message")
        await message.send()
        await self.code.on_message(message)
        await self.settle()

    async def settle(self) -> None:
        """Wait until what Chainlit has kept beside the turn is kept: a test may delete it next."""
        from chainlit.context import context
        from chainlit.data import get_data_layer

        layer: Any = get_data_layer()
        await asyncio.sleep(0)  # it begins
        await layer.kept(context.session.thread_id)

    async def stop(self, words: str, *answers: AIMessage) -> None:
        """Say something, and press "Stop" while the tool that was called runs."""
        async with self.in_mid_turn(words, *answers) as turn:
            turn.cancel()
            with suppress(asyncio.CancelledError):
                await turn

    @asynccontextmanager
    async def in_mid_turn(
        self, words: str, *answers: AIMessage
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Say something; the search that answers it lasts as long as this."""
        self.model.messages = iter(answers)
        self.service.begun.clear()
        self.service.go.clear()
        turn = asyncio.create_task(self.send(words))
        try:
            assert await asyncio.to_thread(self.service.begun.wait, PATIENT)
            yield turn
        finally:
            self.service.go.set()

    def kept(self, thread_id: str = "x") -> str:
        """All that is stored of a conversation."""
        return str(self.service.kept.records(thread_id))


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


def searching(*queries: str) -> AIMessage:
    calls = [
        {"name": "search_movies", "args": {"query": query}, "id": f"call_{n}"}
        for n, query in enumerate(queries)
    ]
    return AIMessage("", tool_calls=calls)


async def test_a_conversation_goes_on_where_it_was_left(house: House) -> None:
    await house.enter("bob")
    await house.say("one")
    assert await house.say("two") == ["one", "Well.", "two"]
    await house.enter("bob")
    assert await house.say("three") == ["one", "Well.", "two", "Well.", "three"]


async def test_a_second_page_of_a_conversation_takes_nothing_from_the_first(house: House) -> None:
    from chainlit.context import context_var

    await house.enter("bob")
    await house.say("one")
    first = context_var.get()
    await house.enter("bob")
    context_var.set(first)
    assert await house.say("two") == ["one", "Well.", "two"]


@pytest.mark.parametrize("user", ["bob", "ann"])
async def test_a_deleted_conversation_is_forgotten_by_whoever_comes_to_its_address(
    house: House, user: str
) -> None:
    await house.enter("bob")
    await house.say(PRIVATE)
    house.service.kept.remove_thread("x")
    await house.enter(user)
    assert await house.say("hello") == ["hello"]
    assert "hello" in house.kept()
    assert PRIVATE not in house.kept()


@pytest.mark.parametrize(
    ("bobs", "anns"),
    [
        (("bob", "x"), ("ann", "x")),
        (("a", "b/c"), ("a/b", "c")),
        (('a", "b', "c"), ("a", 'b", "c')),
    ],
)
async def test_nobody_gets_what_another_said(
    house: House, bobs: tuple[str, str], anns: tuple[str, str]
) -> None:
    """Also where nobody was greeted, and names that follow each other make the same words."""
    await house.enter(*bobs)
    await house.say(PRIVATE)
    house.service.kept.remove_thread(bobs[1])
    house.open(*anns)
    assert await house.say("hello") == ["hello"]


async def test_a_session_that_comes_back_to_a_deleted_conversation_begins_anew(
    house: House,
) -> None:
    """Its page was open all the while: the films and the survey are gone with the words."""
    from assistant.chat.memory import Memory

    await house.enter("bob")
    await house.say(PRIVATE, searching(PRIVATE), AIMessage("Here."))
    assert Memory.current().queries
    house.service.kept.erase("bob")
    await house.arrive(None)
    assert await house.say("hello") == ["hello"]
    assert Memory.current().shown == ()
    assert not Memory.current().queries
    assert PRIVATE not in house.kept()


async def test_a_turn_that_outlives_its_conversation_is_forgotten_too(house: House) -> None:
    await house.enter("bob")
    async with house.in_mid_turn(PRIVATE, searching(""), AIMessage("Here.")) as turn:
        house.service.kept.erase("bob")
        greeting = asyncio.create_task(house.arrive(None))
        for _ in range(100):
            await asyncio.sleep(0)
    await asyncio.gather(turn, greeting)
    assert await house.say("hello") == ["hello"]


async def test_a_deleted_conversation_does_not_come_back_with_what_was_said_since(
    house: House,
) -> None:
    """A page that stood open went on with it; then it was loaded again."""
    await house.enter("bob")
    await house.say(PRIVATE)
    house.service.kept.remove_thread("x")
    await house.say("go on")
    await house.enter("bob")
    assert await house.say("hello") == ["go on", "Well.", "hello"]
    assert PRIVATE not in house.kept()


async def test_a_line_that_was_down_loses_nothing(house: House) -> None:
    """Neither what is kept, nor a turn that was stopped and is not kept yet."""
    from chainlit.data import get_data_layer

    await house.enter("bob")
    await house.say("one")
    await house.stop("two", searching(""))
    layer = get_data_layer()
    assert layer
    await house.arrive(await layer.get_thread("x"))
    assert await house.say("three") == ["one", "Well.", "two", "three"]


async def test_a_page_that_is_loaded_again_in_mid_turn_loses_nothing(house: House) -> None:
    await house.enter("bob")
    await house.say("one")
    async with house.in_mid_turn("two", searching(""), AIMessage("Here.")) as turn:
        await house.enter("bob")
    await turn
    told = await house.say("three")
    assert [told[0], told[2], *told[-2:]] == ["one", "two", "Here.", "three"]


@pytest.mark.parametrize("queries", [("",), ("", "")])
async def test_a_model_is_not_told_of_tools_that_a_stopped_turn_left_unanswered(
    house: House, queries: Sequence[str]
) -> None:
    await house.enter("bob")
    await house.stop("one", searching(*queries))
    assert await house.say("two") == ["one", "two"]


async def test_nor_is_another_process_that_takes_the_conversation_over(house: House) -> None:
    await house.enter("bob")
    await house.stop("one", searching(""))
    await house.say("two")
    successor = House(house.home, house.service)
    await successor.enter("bob")
    assert await successor.say("three") == ["one", "two", "Well.", "three"]


async def test_tools_that_answered_stay_though_a_later_call_goes_by_the_same_number(
    house: House,
) -> None:
    await house.enter("bob")
    await house.stop("one", searching(""))
    await house.say("two", searching(""), AIMessage("Here."))
    one, two, call, found, here, three = await house.say("three")
    assert (one, two, call, here, three) == ("one", "two", "", "Here.", "three")
    assert "Heat" in found


async def test_the_planner_changes_the_search_that_was_stopped(tmp_path: Path) -> None:
    house = House(tmp_path, model=offline_planner(HashingEncoder(), FILMS))
    await house.enter("bob")
    await house.stop("something like Heat")
    await house.send("but funnier")
    searched = [call[1] for call in house.service.calls if call[0] == "search"]
    wishes = [request.query for request in searched if isinstance(request, SearchRequest)]
    assert "something like Heat; but funnier" in wishes
