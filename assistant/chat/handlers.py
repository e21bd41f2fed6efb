"""The conversation: a greeting, then one turn of the agent for every message."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import chainlit as cl
from chainlit import data
from chainlit.types import ThreadDict
from chainlit.utils import utc_now
from langchain.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from assistant.chat import elements
from assistant.chat.actions import CardActions, sentence
from assistant.chat.choices import Choices
from assistant.chat.history import ChatHistory
from assistant.chat.memory import Memory
from assistant.chat.settings import ChatSettings
from assistant.chat.sign_in import register_sign_in, signed_in
from assistant.chat.steps import ToolSteps
from assistant.chat.uploads import Upload
from assistant.conversations import RecentConversations
from assistant.turns import chat_turn, current_turn
from recommender.errors import ReelwiseError, UnknownItem
from recommender.models import (
    MAX_QUERY_CHARS,
    Explanation,
    Profile,
    SearchRequest,
    SearchResult,
    SurveySession,
    SwipeReceipt,
)
from recommender.service import Recommender
from tools import ToolContext
from tools.search import wish

_POSTERS_AT_THE_DOOR = 3
_HELLO = (
    "Hi, I'm **Reelwise**. Tell me what you're in the mood for, "
    "or swipe a few cards and I'll learn what you like."
)
_STUMBLED = "Something went wrong on my side; your swipes are safe. Please say that again."
_SPEECHLESS = "I have no answer to that. Ask me for a film, a mood, an actor or a decade."

Asked = dict[str, Any]
Agent = CompiledStateGraph[Any, ToolContext, Any, Any]

log = logging.getLogger(__name__)


class ChatDoor:
    """Everything Chainlit calls."""

    def __init__(self, recommender: Recommender, agent: Agent, settings: ChatSettings) -> None:
        self._recommender = recommender
        self._agent = agent
        self._settings = settings
        self._history = ChatHistory(recommender.conversations)

    def register(self) -> None:
        """Become the process's chat. Raises InvalidRequest for a sign-in that is not set up."""
        register_sign_in(self._settings)
        # Not by its decorator: what that names is asked for once a process.
        data._data_layer, data._data_layer_initialized = self._history, True
        cl.on_chat_start(self.greet)
        cl.on_chat_resume(self.resume)
        cl.on_message(self.answer)
        CardActions(self._recommender).register()

    async def greet(self) -> None:
        """Say hello, and offer the survey, a recommendation and the profile."""
        user_id = signed_in()
        await self._forget()
        try:
            await (await self._choices_before(user_id)).offer()
            profile = await asyncio.to_thread(self._recommender.profile, user_id)
            request = SearchRequest(user_id=user_id, k=_POSTERS_AT_THE_DOOR)
            picks = await asyncio.to_thread(self._recommender.search, request)
        except ReelwiseError as error:
            await cl.Message(content=f"{_HELLO}\n\n{sentence(error)}").send()
            return
        doors = cl.CustomElement(name="Welcome", props=elements.welcome(profile, picks))
        await cl.Message(content=_greeting(profile), elements=[doors]).send()

    async def resume(self, thread: ThreadDict) -> None:
        """Take a conversation up where it was left, its cards as the person's swipes are now."""
        user_id = signed_in()
        memory = Memory.restored(await self._history.recall(thread["id"]))
        self._forget_former(memory.recalled)
        await Choices.current().offer()
        profile = await asyncio.to_thread(self._recommender.profile, user_id)
        reactions = await asyncio.to_thread(self._recommender.reactions, user_id)
        for element in thread["elements"] or []:
            element["props"] = elements.renewed(element["props"] or {}, profile, reactions)

    async def answer(self, message: cl.Message) -> None:
        """Run the agent on a message: stream its words, then add what its tools found.

        One that brings a file is answered with what the file tells; its words say no more. The turn
        ends when all of it is kept: a page that is loaded again then goes on from there.
        """
        async with Memory.current().turn:
            if message.elements:
                await self._take_in(message)
            else:
                with chat_turn(signed_in()):
                    await self._answer(message.content[:MAX_QUERY_CHARS])
                await self._remember()
            await self._history.kept(cl.context.session.thread_id)

    async def _take_in(self, message: cl.Message) -> None:
        uploads = [Upload.of_session(file.id) for file in message.elements]
        await _name_after(message, uploads)
        for upload in uploads:
            await self._look_into(upload)

    async def _look_into(self, upload: Upload) -> None:
        """Show what an export would record."""
        try:
            receipt = await upload.taken_over(self._recommender, signed_in(), confirm=False)
        except ReelwiseError as error:
            upload.delete()
            await cl.Message(content=elements.plain(sentence(error))).send()
            return
        found = _element("HistoryImport", elements.history_import(receipt, upload.file_id))
        words = elements.plain(f"I have read {upload.name}. Nothing is recorded yet.")
        await cl.Message(content=words, elements=[found]).send()

    async def _answer(self, words: str) -> None:
        reply = cl.Message(content="")
        found: list[tuple[int, cl.CustomElement]] = []
        try:
            async for place, asked, artifact in self._turn(words, reply):
                found += [(place, card) for card in await self._elements(asked, artifact)]
        except ReelwiseError as error:
            current_turn().outcome = "refused"
            await _append(reply, elements.plain(sentence(error)))
        except Exception:
            current_turn().outcome = "failed"
            log.exception("A chat turn failed")
            await _append(reply, _STUMBLED)
        if not reply.content and not found:
            reply.content = _SPEECHLESS
        cards = _that_count([card for _, card in sorted(found, key=itemgetter(0))])
        reply.elements = cards[:1]
        await reply.send()
        for card in cards[1:]:  # sent at once, they would come in any order
            await card.send(for_id=reply.id)
        reply.elements = cards

    async def _turn(
        self, words: str, reply: cl.Message
    ) -> AsyncIterator[tuple[int, Asked, object]]:
        """Stream the agent's words into ``reply``; yield what its tools return.

        With each come the place of the call and its arguments: a query may hold more than
        ``words``.
        """
        memory = Memory.current()
        context = ToolContext(
            self._recommender,
            signed_in(),
            memory.survey_id,
            memory.shown,
            Choices.current().defaults,
        )
        said, memory.recalled = [*memory.recalled, HumanMessage(words)], []
        speech = _Speech(reply)
        steps = ToolSteps()
        mode: str
        part: Any
        async for mode, part in self._agent.astream(
            {"messages": said},
            _config(),
            context=context,
            stream_mode=["messages", "updates", "custom"],
            durability="exit",  # nobody takes up a turn at one of its steps
        ):
            if mode == "custom":
                await speech.draft(elements.plain(f"{part} "))
            elif mode == "updates":
                for message in _messages(part):
                    if isinstance(message, AIMessage):
                        await steps.begin(message)
                    elif isinstance(message, ToolMessage):
                        yield steps.place(message), await steps.end(message), message.artifact
            elif text := _spoken(*part):
                await speech.add(part[0].id, self._formatted(text))
        await speech.end()

    async def _elements(self, asked: Asked, artifact: object) -> list[cl.CustomElement]:
        match artifact:
            case SurveySession():
                Memory.current().note_survey(artifact)
                profile = await asyncio.to_thread(self._recommender.profile, signed_in())
                return [_element("SwipeDeck", elements.swipe_deck(artifact, profile))]
            case SearchResult(items=(_, *_)):
                refinements = asked.get("refinements") or ()
                Memory.current().note_answer(wish(asked.get("query", ""), refinements), artifact)
                titles = dict(self._known_titles(artifact.understood.similar_to))
                cards = elements.movie_cards(
                    artifact, titles, refinements, Choices.current().explain
                )
                return [_element("MovieCards", cards)]
            case Profile():
                return [_element("TasteProfile", elements.taste_profile(artifact))]
            case Explanation():
                return [_element("Evidence", elements.evidence(artifact))]
            case SwipeReceipt():
                item = self._recommender.item(artifact.item_id)
                said = await asyncio.to_thread(self._recommender.reactions, signed_in())
                counts = said.get(item.item_id)
                return [_element("Reaction", elements.reaction(artifact, item, counts))]
        return []

    def _formatted(self, text: str) -> str:
        return text if self._settings.markdown else elements.plain(text)

    async def _choices_before(self, user_id: str) -> Choices:
        """What the person had set in their latest conversation."""
        latest = await asyncio.to_thread(self._recommender.conversations.threads, user_id, 1)
        return Choices.of(latest[0].metadata.get("chat_settings") or {}) if latest else Choices()

    async def _forget(self) -> None:
        """Begin without a past, once nobody speaks any more.

        There may be one: a page can come to the address of a conversation that was deleted.
        """
        async with Memory.current().turn:
            self._checkpointer.delete_thread(_conversation())
            Memory.restored(())

    def _forget_former(self, recalled: Sequence[BaseMessage]) -> None:
        """Let nothing come back of a conversation that was deleted and then spoken in again.

        What the agent has begins with what is kept, or else it is of the one before.
        """
        kept = {message.id for message in recalled}
        said = self._checkpointer.said(_conversation())
        if kept and said and said[0].id not in kept:
            self._checkpointer.delete_thread(_conversation())

    async def _remember(self) -> None:
        """Keep what the next process needs to go on with this conversation."""
        memory, thread_id = Memory.current(), cl.context.session.thread_id
        messages = self._checkpointer.said(_conversation())
        await self._history.remember(thread_id, memory.part(messages))
        memory.note_kept(messages)

    @property
    def _checkpointer(self) -> RecentConversations:
        """What the agent itself has of conversations."""
        return cast("RecentConversations", self._agent.checkpointer)

    def _known_titles(self, item_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        for item_id in item_ids:
            try:
                yield item_id, self._recommender.item(item_id).title
            except UnknownItem:
                continue


async def _name_after(message: cl.Message, uploads: Sequence[Upload]) -> None:
    """Let a message that brings files say their names, also once they are gone."""
    if message.content:
        return
    message.content = ", ".join(upload.name for upload in uploads)
    await message.update()
    said = [each for each in cl.chat_context.get() if each.type == "user_message"]
    if said == [message]:
        await cl.context.emitter.init_thread(message.content)


def _greeting(profile: Profile) -> str:
    if not profile.swipe_count:
        return _HELLO
    swipes = "one swipe" if profile.swipe_count == 1 else f"{profile.swipe_count} swipes"
    return f"Welcome back. I remember your {swipes}. What are we watching?"


@dataclass
class _Speech:
    """What the agent says in one turn, be it in one message or more.

    The sentences of an explanation stand there as a draft while they are written. Once the agent
    says something else than these, that takes their place.
    """

    reply: cl.Message
    speaking: str | None = None
    drafted: str = ""
    said: str = ""

    async def draft(self, sentence: str) -> None:
        """Stream a sentence that a tool has just found."""
        self._begin()
        self.drafted += sentence
        await self.reply.stream_token(sentence)

    async def add(self, message_id: str | None, text: str) -> None:
        """Stream a piece of one of its messages."""
        self._begin()
        if self.speaking not in (None, message_id):
            await self._say("\n\n")
        self.speaking = message_id
        await self._say(text)

    def _begin(self) -> None:
        if self.speaking is None and not self.drafted:
            self.reply.created_at = utc_now()  # it stands below the steps that led to it

    async def end(self) -> None:
        """Let nothing stand that was only drafted, where the agent said something."""
        if self.drafted and self.said:
            await self._replace_draft()

    async def _say(self, text: str) -> None:
        if not self.drafted:
            await self.reply.stream_token(text)
            return
        self.said += text
        if not self.drafted.startswith(self.said):
            await self._replace_draft()

    async def _replace_draft(self) -> None:
        said, self.drafted, self.said = self.said, "", ""
        await self.reply.stream_token(said, is_sequence=True)


def _conversation() -> str:
    """The conversation that is being served, as the agent knows it: by the person as well.

    A client names the thread, and may name what was another's.
    """
    return json.dumps([signed_in(), cl.context.session.thread_id])


def _config() -> RunnableConfig:
    return {"configurable": {"thread_id": _conversation()}}


def _element(name: str, props: elements.Props) -> cl.CustomElement:
    return cl.CustomElement(name=name, props=elements.drawn(props))


def _that_count(cards: Sequence[cl.CustomElement]) -> list[Any]:
    """Of two reactions to one film the later, which takes the place of the other; all else."""
    later = {c.props["movie"]["item_id"]: c for c in cards if c.name == "Reaction"}
    return [c for c in cards if c.name != "Reaction" or c in later.values()]


def _spoken(message: BaseMessage, metadata: dict[str, Any]) -> str:
    """The words in a streamed part, if the agent's own model said it to the user."""
    if isinstance(message, AIMessage) and metadata.get("langgraph_node") == "model":
        return str(message.text)
    return ""


def _messages(update: dict[str, Any]) -> Iterator[BaseMessage]:
    """What a graph step added to the conversation."""
    for state in update.values():
        messages = state.get("messages", ()) if isinstance(state, dict) else ()
        yield from messages if isinstance(messages, list) else ()


async def _append(reply: cl.Message, text: str) -> None:
    await reply.stream_token(f"\n\n{text}" if reply.content else text)
