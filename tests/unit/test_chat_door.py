"""Turns and buttons of the chat, without a browser: what is said, shown and remembered."""

import asyncio
import os
import re
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch
from uuid import uuid4

import pytest
from fastapi import FastAPI
from langchain.messages import AIMessage, AIMessageChunk, ToolMessage
from langchain_core.messages import BaseMessage

from assistant.chat import elements
from assistant.chat.mount import auth_secret, mount_chat
from assistant.chat.settings import ChatSettings
from recommender.errors import ReelwiseError, StoreUnavailable
from recommender.models import Direction, SearchRequest
from recommender.stores.ports import ThreadRecord
from tests.unit.scripted_recommender import ScriptedRecommender
from tools.context import SearchDefaults, ToolContext

if TYPE_CHECKING:
    from assistant.chat.handlers import Agent

# Importing Chainlit imports libraries that use what Pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Part = tuple[str, Any]


def words(text: str, message_id: str = "m1", node: str = "model") -> Part:
    """A streamed piece of what a model says."""
    return "messages", (AIMessageChunk(content=text, id=message_id), {"langgraph_node": node})


def asked(**queries: str) -> Part:
    """A finished step of the model: one search for each query, by the ids of the tool calls."""
    calls = [
        {"name": "search_movies", "args": {"query": query}, "id": call_id}
        for call_id, query in queries.items()
    ]
    return "updates", {"model": {"messages": [AIMessage("", tool_calls=calls)]}}


def found(artifact: object, call_id: str = "call") -> Part:
    """A finished step of the tools."""
    message = ToolMessage("facts", tool_call_id=call_id, artifact=artifact)
    return "updates", {"tools": {"messages": [message]}}


class ScriptedAgent:
    """Streams the given parts, then fails if told to; notes the context of every turn."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.said: list[list[BaseMessage]] = []
        self.failure: Exception | None = None
        self.contexts: list[ToolContext] = []
        self.speaking = False

    async def astream(
        self,
        state: dict[str, list[BaseMessage]],
        _config: object,
        *,
        context: ToolContext,
        stream_mode: list[str],
        durability: str,
    ) -> AsyncIterator[Part]:
        """Play the script."""
        assert durability == "exit"
        assert stream_mode == ["messages", "updates", "custom"]
        told = [m if m.id else m.model_copy(update={"id": str(uuid4())}) for m in state["messages"]]
        self.said.append(told)
        self.contexts.append(context)
        assert not self.speaking, "two turns of one conversation at once"
        self.speaking = True
        for part in self.parts:
            await asyncio.sleep(0)
            yield part
        self.speaking = False
        if self.failure:
            raise self.failure

    @property
    def checkpointer(self) -> SimpleNamespace:
        """Where all that was said to it is kept."""
        return SimpleNamespace(
            said=lambda _: [m for turn in self.said for m in turn],
            delete_thread=lambda _: self.said.clear(),
        )


class Talk:
    """A conversation with a mounted chat."""

    def __init__(self, home: Path, *, markdown: bool = False) -> None:
        self.service = ScriptedRecommender()
        self.agent = ScriptedAgent()
        agent = cast("Agent", self.agent)
        settings = ChatSettings(home=home, user_id="ann", markdown=markdown)
        mount_chat(FastAPI(), self.service, agent, settings)
        from chainlit.config import config
        from chainlit.context import init_http_context
        from chainlit.user import PersistedUser

        self.code = config.code
        user = PersistedUser(id="ann", createdAt="", identifier="ann")
        self.session = init_http_context(user=user).session

    async def say(self, text: str) -> SimpleNamespace:
        """Send a message; return the reply's content and the names of its elements."""
        import chainlit as cl

        assert self.code.on_message
        await self.code.on_message(cl.Message(content=text))
        return self.last()

    def restart(self) -> None:
        """The process ends; another one takes over, of which nobody was told anything yet."""
        import chainlit as cl

        self.agent.said.clear()
        cl.user_session.set("memory", None)

    async def resume(self) -> Any:  # noqa: ANN401 - a Chainlit dictionary
        """Open the conversation again; what the page is given."""
        from chainlit.data import get_data_layer

        layer = get_data_layer()
        assert layer
        assert self.code.on_chat_resume
        thread = await layer.get_thread(self.session.thread_id)
        await self.code.on_chat_resume(thread)
        return thread

    async def press(self, name: str, payload: dict[str, object]) -> Any:  # noqa: ANN401
        """Press a card's button; return what the page is answered."""
        import chainlit as cl

        callback: Callable[[cl.Action], Awaitable[Any]] = self.code.action_callbacks[name]
        return await callback(cl.Action(name=name, payload=payload))

    def write(self, step_id: str, output: str) -> asyncio.Task[None]:
        """Have a message kept that somebody has sent in this conversation."""
        from chainlit.data import get_data_layer

        layer = get_data_layer()
        assert layer
        self.session.has_first_interaction = True
        step: Any = {"id": step_id, "threadId": self.session.thread_id, "output": output}
        return asyncio.create_task(layer.create_step(step))

    def last(self) -> SimpleNamespace:
        """The newest message."""
        import chainlit as cl
        from chainlit.chat_context import chat_context

        message = [each for each in chat_context.get() if isinstance(each, cl.Message)][-1]
        names = [element.name for element in message.elements]
        return SimpleNamespace(content=message.content, elements=names)


@pytest.fixture
async def talk(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """A fresh conversation."""
    return Talk(tmp_path_factory.mktemp("home"))


async def test_the_words_of_two_model_messages_are_kept_apart(talk: Talk) -> None:
    talk.agent.parts = [words("Let me "), words("look."), words("Here.", "m2")]
    assert (await talk.say("hi")).content == "Let me look.\n\nHere."


async def test_only_the_agents_own_model_speaks(talk: Talk) -> None:
    talk.agent.parts = [words("secret summary", node="summary"), words("Hello.")]
    assert (await talk.say("hi")).content == "Hello."


async def test_messages_sent_at_once_are_answered_one_after_the_other(talk: Talk) -> None:
    talk.agent.parts = [words("One"), words(" word.")]
    replies = await asyncio.gather(talk.say("first"), talk.say("second"))
    assert [reply.content for reply in replies] == ["One word.", "One word."]


async def test_a_silent_turn_still_gets_an_answer(talk: Talk) -> None:
    assert "Ask me for a film" in (await talk.say("…")).content


async def test_a_failing_store_is_said_in_a_sentence(talk: Talk) -> None:
    talk.agent.parts = [words("One moment.")]
    talk.agent.failure = StoreUnavailable()
    reply = await talk.say("hi")
    assert reply.content == f"One moment.\n\n{elements.plain(str(StoreUnavailable()))}"


async def test_an_unforeseen_failure_is_logged_and_not_quoted(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    talk.agent.failure = ValueError("password=hunter2")
    reply = await talk.say("hi")
    assert "went wrong" in reply.content
    assert "hunter2" not in reply.content
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(
    ("answer", "element"),
    [
        (lambda service: service.start_survey("ann"), "SwipeDeck"),
        (lambda service: service.search(SearchRequest(user_id="ann")), "MovieCards"),
        (lambda service: service.explain("ann", "6"), "Evidence"),
        (lambda service: service.profile("ann"), "TasteProfile"),
        (lambda service: service.record_swipe("ann", "6", Direction.LIKE), "Reaction"),
    ],
)
async def test_what_a_tool_found_becomes_its_element(
    talk: Talk, answer: Callable[[ScriptedRecommender], object], element: str
) -> None:
    talk.agent.parts = [found(answer(talk.service)), words("There.")]
    assert (await talk.say("hi")).elements == [element]


async def test_cards_stand_in_the_order_of_the_calls_whichever_tool_ends_first(talk: Talk) -> None:
    explained = talk.service.explain("ann", "1214", "")
    profile = talk.service.profile("ann")
    talk.agent.parts = [asked(one="", two=""), found(explained, "two"), found(profile, "one")]
    assert (await talk.say("both")).elements == ["TasteProfile", "Evidence"]


async def test_an_empty_search_shows_no_cards(talk: Talk) -> None:
    talk.service.found = []
    talk.agent.parts = [found(talk.service.search(SearchRequest(user_id="ann"))), words("None.")]
    assert (await talk.say("hi")).elements == []


async def test_the_next_turn_knows_the_user_the_survey_and_the_films_shown(talk: Talk) -> None:
    survey = talk.service.start_survey("ann")
    answer = talk.service.search(SearchRequest(user_id="ann", k=3))
    talk.agent.parts = [found(survey), found(answer), words("Here.")]
    await talk.say("something tense")
    await talk.say("why the second?")
    context = talk.agent.contexts[1]
    assert (context.user_id, context.session_id) == ("ann", survey.session_id)
    assert context.shown == tuple(item.item_id for item in answer.items)


async def test_why_this_one_asks_with_the_query_that_found_the_film(talk: Talk) -> None:
    heat, alien = talk.service.search(SearchRequest(user_id="ann", k=2)).items
    answer = talk.service.search(SearchRequest(user_id="ann"))
    talk.agent.parts = [
        asked(one="something like Heat but funnier", two="space horror"),
        found(answer.model_copy(update={"items": (alien,)}), "two"),
        found(answer.model_copy(update={"items": (heat,)}), "one"),
        words("Here."),
    ]
    await talk.say("but funnier, or space horror")
    for film, query in ((heat, "something like Heat but funnier"), (alien, "space horror")):
        assert (await talk.press("explain", {"item_id": film.item_id}))["ok"]
        assert talk.service.calls[-1] == ("explain", "ann", film.item_id, query)
        assert talk.last().elements == ["Evidence"]


async def test_why_this_one_is_told_as_it_is_written(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chainlit import Message

    streamed: list[str] = []
    stream_token = Message.stream_token

    async def noting(message: Message, token: str, is_sequence: bool = False) -> None:
        streamed.append(token)
        await stream_token(message, token, is_sequence)

    monkeypatch.setattr(Message, "stream_token", noting)
    talk.service.written = ["You liked M*A*S*H.", "It is close."]
    assert (await talk.press("explain", {"item_id": "6"}))["ok"]
    assert streamed == [r"You liked M\*A\*S\*H. ", "It is close. "]
    whole = talk.service.explain("ann", "6").explanation
    assert talk.last().content == elements.plain(whole), "what is returned replaces it"
    assert talk.last().elements == ["Evidence"]


async def test_why_this_one_fails_in_a_sentence(talk: Talk) -> None:
    talk.service.failure = StoreUnavailable()
    answer = await talk.press("explain", {"item_id": "6"})
    assert not answer["ok"]
    assert "database" in answer["message"]


@pytest.mark.parametrize("said", ["You like heists. Others do too.", "Because of heists.", ""])
async def test_an_explanation_is_streamed_while_it_is_written(talk: Talk, said: str) -> None:
    """Then the agent has the last word: the same again is not said twice."""
    drafts: Sequence[Part] = [("custom", "You like heists."), ("custom", "Others do too.")]
    talk.agent.parts = [*drafts, *map(words, re.findall(r"\S+\s*", said))]
    shown: list[str] = []

    async def note(message: Any, token: str, is_sequence: bool = False) -> None:  # noqa: ANN401
        message.content = token if is_sequence else message.content + token
        shown.append(message.content.replace("\\", ""))

    with patch("chainlit.Message.stream_token", note):
        reply = await talk.say("why Heat?")
    assert shown[:2] == ["You like heists. ", "You like heists. Others do too. "]
    final = said or "You like heists. Others do too. "
    assert reply.content.replace("\\", "") == final
    if said.startswith("You"):
        assert shown[2:] == [said]


async def test_titles_in_plain_replies_read_as_they_are(talk: Talk) -> None:
    talk.agent.parts = [words("Why M*A"), words("*S*H_(1970)? [REC] <i>")]
    assert (await talk.say("why?")).content == r"Why M\*A\*S\*H\_\(1970\)? \[REC\] \<i\>"


async def test_the_markdown_of_a_hosted_model_is_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    talk = Talk(tmp_path_factory.mktemp("home"), markdown=True)
    talk.agent.parts = [words("Try **Heat**.")]
    assert (await talk.say("hi")).content == "Try **Heat**."


async def test_a_swipe_is_recorded_for_the_person_of_the_session(talk: Talk) -> None:
    payload: dict[str, object] = {"item_id": "6", "direction": "like", "session_id": "s1"}
    answer = await talk.press("swipe", payload)
    assert answer["direction"] == "like"
    assert answer["taste"]["swipes"] == 7
    assert ("record_swipe", "ann", "6", "like", "s1", None, None) in talk.service.calls
    assert ("next_card", "ann", "s1") in talk.service.calls
    assert answer["next"]["title"] == "Alien"
    assert not answer["settled"]


async def test_a_swipe_of_no_survey_deals_no_card(talk: Talk) -> None:
    answer = await talk.press("swipe", {"item_id": "6", "direction": "like"})
    assert answer["ok"]
    assert "next" not in answer


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"item_id": "6", "direction": "love"},
        {"item_id": "", "direction": "like"},
        {"item_id": "6", "direction": "like", "user_id": "somebody else"},
    ],
)
async def test_a_malformed_swipe_is_refused_and_not_recorded(
    talk: Talk, payload: dict[str, object]
) -> None:
    assert not (await talk.press("swipe", payload))["ok"]
    assert talk.service.calls == []


@pytest.mark.parametrize("failure", [None, StoreUnavailable()])
async def test_an_action_that_fails_says_why(talk: Talk, failure: ReelwiseError | None) -> None:
    talk.service.failure = failure
    answer = await talk.press("undo", {"item_id": "6"})
    assert not answer["ok"]
    assert answer["message"] == (
        str(failure) if failure else "There is no swipe left to take back."
    )


async def test_somebody_known_is_greeted_as_such(talk: Talk) -> None:
    assert talk.code.on_chat_start
    await talk.code.on_chat_start()
    assert "your 7 swipes" in talk.last().content
    assert talk.last().elements == ["Welcome"]


async def test_the_greeting_survives_a_failing_store(talk: Talk) -> None:
    talk.service.failure = StoreUnavailable()
    assert talk.code.on_chat_start
    await talk.code.on_chat_start()
    assert str(StoreUnavailable()) in talk.last().content


@pytest.mark.usefixtures("talk")
async def test_chainlit_writes_into_the_data_folder_only() -> None:
    from chainlit import config

    assert not Path(config.APP_ROOT).is_relative_to(Path.cwd())
    assert Path(config.config_file).is_relative_to(config.APP_ROOT)
    assert config.FILES_DIRECTORY.is_relative_to(config.APP_ROOT)


async def test_a_second_server_on_the_folder_touches_only_what_is_old(tmp_path: Path) -> None:
    chat = tmp_path / "chat"
    Talk(tmp_path)
    kept, changed, stale = (
        chat / "public" / name for name in ("theme.json", "reelwise.css", "elements/Old.jsx")
    )
    changed.write_text("of an older release")
    stale.write_text("of an older release")
    in_use, left_behind = chat / ".files" / "in-use", chat / ".files" / "left-behind"
    for folder in (in_use, left_behind):
        folder.mkdir(parents=True)
        (folder / "ratings.csv").write_text("private")
    os.utime(left_behind, (0, 0))
    before = kept.stat().st_ino
    Talk(tmp_path)
    assert kept.stat().st_ino == before
    assert changed.read_text() != "of an older release"
    assert not stale.exists()
    assert (in_use.exists(), left_behind.exists()) == (True, False)
    assert (chat / "chainlit_en-US.md").read_text() == (chat / "chainlit.md").read_text()


async def test_searches_go_by_what_the_person_set(talk: Talk) -> None:
    talk.session.chat_settings = {"k": 7, "taste": 0.5, "variant": "generic", "explain": False}
    talk.agent.parts = [words("Here.")]
    await talk.say("a heist")
    assert talk.agent.contexts[-1].defaults == SearchDefaults(7, 0.5, "generic")


@pytest.mark.parametrize(
    "forged", [{"k": 10**9}, {"taste": "<b>"}, {"variant": "'; DROP"}, {"k": None}, {"x": 1}]
)
async def test_settings_that_cannot_be_are_not_gone_by(talk: Talk, forged: dict[str, Any]) -> None:
    talk.session.chat_settings = forged
    talk.agent.parts = [words("Here.")]
    await talk.say("a heist")
    assert talk.agent.contexts[-1].defaults == SearchDefaults()


async def test_a_new_conversation_is_set_as_the_latest_was(talk: Talk) -> None:
    talk.service.kept.name("earlier", "ann", metadata={"chat_settings": {"k": 5, "taste": 2}})
    talk.service.kept.name("another's", "bob", metadata={"chat_settings": {"k": 3}})
    assert talk.code.on_chat_start
    await talk.code.on_chat_start()
    assert talk.session.chat_settings["k"] == 5
    assert talk.session.chat_settings["taste"] == 2


async def test_a_conversation_goes_on_after_a_restart(talk: Talk) -> None:
    answer = talk.service.search(SearchRequest(user_id="ann", k=3))
    talk.agent.parts = [asked(call="something tense"), found(answer), words("Here.")]
    await talk.say("something tense")
    talk.restart()
    await talk.resume()
    await talk.say("why the second?")
    said = [message.text for message in talk.agent.said[-1]]
    assert said == ["something tense", "why the second?"]
    assert talk.agent.contexts[-1].shown == tuple(item.item_id for item in answer.items)
    assert (await talk.press("explain", {"item_id": answer.items[0].item_id}))["ok"]
    assert talk.service.calls[-1][-1] == "something tense"


async def test_each_turn_is_kept_once_and_the_latest_are_recalled(talk: Talk) -> None:
    first = talk.service.search(SearchRequest(user_id="ann", k=3))
    talk.agent.parts = [asked(call="something tense"), found(first), words("Here.")]
    await talk.say("something tense")
    for said in ("older", "shorter"):
        talk.agent.parts = [words("Well.")]
        await talk.say(said)
        talk.restart()
        await talk.resume()
    await talk.say("and now?")
    heard = [message.text for message in talk.agent.said[-1]]
    assert heard == ["something tense", "older", "shorter", "and now?"]
    assert talk.agent.contexts[-1].shown == tuple(item.item_id for item in first.items)
    (thread,) = talk.service.kept.threads("ann")
    parts = [r.body for r in talk.service.kept.records(thread.thread_id) if r.kind == "memory"]
    assert [len(part["messages"]) for part in parts] == [1, 1, 1, 1]
    assert [bool(part["queries"]) for part in parts] == [True, False, False, False]


async def test_cards_come_back_as_the_swipes_are_now(talk: Talk) -> None:
    survey = talk.service.start_survey("ann")
    answer = talk.service.search(SearchRequest(user_id="ann"))
    receipt = talk.service.record_swipe("ann", "1214", Direction.LIKE)
    talk.agent.parts = [found(survey), found(answer), found(receipt), words("Here.")]
    await talk.say("something tense")
    talk.service.swipes = [("6", Direction.DISLIKE)]
    deck, cards, note = (await talk.resume())["elements"]
    assert [movie["reaction"] for movie in deck["props"]["movies"]][:2] == ["dislike", None]
    assert deck["props"]["movies"][0]["item_id"] == "6"
    by_id = {movie["item_id"]: movie["reaction"] for movie in cards["props"]["movies"]}
    assert (by_id["6"], by_id["1214"]) == ("dislike", None)
    assert note["props"]["direction"] is None


async def test_what_was_said_is_kept_for_whoever_said_it(talk: Talk) -> None:
    talk.agent.parts = [words("Hel\x00lo \ud800there.")]
    await talk.say("hi")
    (thread,) = talk.service.kept.threads("ann")
    records = talk.service.kept.records(thread.thread_id)
    assert "Hello there." in [each.body.get("output") for each in records]
    assert not talk.service.kept.threads("bob")


async def test_a_turn_ends_when_what_was_said_is_kept(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, begun, go = talk.service.kept.put, Event(), Event()

    def held(user_id: str, record: ThreadRecord, begin: bool) -> None:
        begun.set()
        assert go.wait(60)
        put(user_id, record, begin)

    monkeypatch.setattr(talk.service.kept, "put", held)
    talk.agent.parts = [words("Here.")]
    turn = asyncio.create_task(talk.say("hi"))
    try:
        assert await asyncio.to_thread(begun.wait, 60)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not turn.done()
    finally:
        go.set()
    await turn
    (thread,) = talk.service.kept.threads("ann")
    said = [each.body.get("output") for each in talk.service.kept.records(thread.thread_id)]
    assert "Here." in said


async def test_what_changes_while_another_is_kept_is_kept_as_it_was_last(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, go = list[object](), Event()

    def held(_user_id: str, record: ThreadRecord, **_: bool) -> None:
        kept.append(record.body["output"])
        assert go.wait(60)

    monkeypatch.setattr(talk.service.kept, "put", held)
    writes = [talk.write("1", "a question"), talk.write("2", "an"), talk.write("2", "an answer")]
    for _ in range(100):
        await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*writes)
    assert kept == ["a question", "an answer"]


async def test_what_could_not_be_kept_is_told_and_holds_nothing_up(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = talk.service.kept.put

    def fail(user_id: str, record: ThreadRecord, begin: bool) -> None:
        if record.record_id != "3":
            raise StoreUnavailable("no connection")
        put(user_id, record, begin)

    monkeypatch.setattr(talk.service.kept, "put", fail)
    writes = [talk.write(each, "words") for each in "123"]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    (thread,) = talk.service.kept.threads("ann")
    assert [each.record_id for each in talk.service.kept.records(thread.thread_id)] == ["3"]


def test_one_secret_is_made_for_a_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAINLIT_AUTH_SECRET", raising=False)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: auth_secret(tmp_path), range(8)))
    assert len(made) == 1
    (file,) = tmp_path.iterdir()
    assert len(file.read_text()) >= 48
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("CHAINLIT_AUTH_SECRET", "given")
    assert auth_secret(tmp_path) == "given"


def test_chainlit_is_imported_without_its_kit_for_tracing(tmp_path: Path) -> None:
    code = (
        "import sys; from assistant.chat.mount import _leave_out_traceloop as leave_out; "
        "leave_out(); import chainlit; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    modules = done.stdout.split()
    assert "literalai.client" in modules  # which is what imports it
    assert not [name for name in modules if name.startswith("traceloop.sdk.")]
