"""The conversation: a greeting, then one turn of the agent for every message."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

import chainlit as cl
from chainlit.data.base import BaseDataLayer
from langchain.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph

from assistant.chat import elements
from assistant.chat.actions import CardActions, sentence
from assistant.chat.memory import Memory
from assistant.chat.settings import ChatSettings
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
from tools import ToolContext, search_movies
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
    """Everything Chainlit calls. One person talks here: ``settings.user_id``."""

    def __init__(self, recommender: Recommender, agent: Agent, settings: ChatSettings) -> None:
        self._recommender = recommender
        self._agent = agent
        self._user_id = settings.user_id
        self._markdown = settings.markdown

    def register(self) -> None:
        """Become the process's chat."""
        # Chainlit would otherwise keep conversations in whatever DATABASE_URL names: our store.
        cl.data_layer(cast("Callable[[], BaseDataLayer]", lambda: None))
        cl.on_chat_start(self.greet)
        cl.on_message(self.answer)
        CardActions(self._recommender, self._user_id).register()

    async def greet(self) -> None:
        """Say hello, and offer the survey, a recommendation and the profile."""
        try:
            profile = await asyncio.to_thread(self._recommender.profile, self._user_id)
            request = SearchRequest(user_id=self._user_id, k=_POSTERS_AT_THE_DOOR)
            picks = await asyncio.to_thread(self._recommender.search, request)
        except ReelwiseError as error:
            await cl.Message(content=f"{_HELLO}\n\n{sentence(error)}").send()
            return
        doors = cl.CustomElement(name="Welcome", props=elements.welcome(profile, picks))
        await cl.Message(content=_greeting(profile), elements=[doors]).send()

    async def answer(self, message: cl.Message) -> None:
        """Run the agent on a message: stream its words, then add what its tools found."""
        async with Memory.current().turn:
            await self._answer(message.content[:MAX_QUERY_CHARS])

    async def _answer(self, words: str) -> None:
        reply = cl.Message(content="")
        cards: list[Any] = []
        try:
            async for asked, artifact in self._turn(words, reply):
                cards += await self._elements(asked, artifact)
        except ReelwiseError as error:
            await _append(reply, elements.plain(sentence(error)))
        except Exception:
            log.exception("A chat turn failed")
            await _append(reply, _STUMBLED)
        if not reply.content and not cards:
            reply.content = _SPEECHLESS
        reply.elements = cards
        await reply.send()

    async def _turn(self, words: str, reply: cl.Message) -> AsyncIterator[tuple[Asked, object]]:
        """Stream the agent's words into ``reply``; yield what its tools return.

        With each come the arguments of its search, whose query may hold more than ``words``.
        """
        memory = Memory.current()
        context = ToolContext(self._recommender, self._user_id, memory.survey_id, memory.shown)
        config: RunnableConfig = {"configurable": {"thread_id": cl.context.session.thread_id}}
        speaking: str | None = None
        searches: dict[str, Asked] = {}
        mode: str
        part: Any
        async for mode, part in self._agent.astream(
            {"messages": [HumanMessage(words)]},
            config,
            context=context,
            stream_mode=["messages", "updates"],
        ):
            if mode == "updates":
                for message in _messages(part):
                    if isinstance(message, AIMessage):
                        searches |= _searches(message)
                    elif isinstance(message, ToolMessage):
                        yield searches.get(message.tool_call_id, {}), message.artifact
            elif text := _spoken(*part):
                if speaking not in (None, part[0].id):
                    await reply.stream_token("\n\n")
                speaking = part[0].id
                await reply.stream_token(text if self._markdown else elements.plain(text))

    async def _elements(self, asked: Asked, artifact: object) -> list[cl.CustomElement]:
        match artifact:
            case SurveySession():
                Memory.current().note_survey(artifact)
                profile = await asyncio.to_thread(self._recommender.profile, self._user_id)
                return [_element("SwipeDeck", elements.swipe_deck(artifact, profile))]
            case SearchResult(items=(_, *_)):
                refinements = asked.get("refinements") or ()
                Memory.current().note_answer(wish(asked.get("query", ""), refinements), artifact)
                titles = await self._titles(artifact.understood.similar_to)
                cards = elements.movie_cards(artifact, titles, refinements)
                return [_element("MovieCards", cards)]
            case Profile():
                return [_element("TasteProfile", elements.taste_profile(artifact))]
            case Explanation():
                return [_element("Evidence", elements.evidence(artifact))]
            case SwipeReceipt():
                item = await asyncio.to_thread(self._recommender.item, artifact.item_id)
                return [_element("Reaction", elements.reaction(artifact, item))]
        return []

    async def _titles(self, item_ids: Iterable[str]) -> dict[str, str]:
        return await asyncio.to_thread(lambda: dict(self._known_titles(item_ids)))

    def _known_titles(self, item_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        for item_id in item_ids:
            try:
                yield item_id, self._recommender.item(item_id).title
            except UnknownItem:
                continue


def _greeting(profile: Profile) -> str:
    if not profile.swipe_count:
        return _HELLO
    swipes = "one swipe" if profile.swipe_count == 1 else f"{profile.swipe_count} swipes"
    return f"Welcome back. I remember your {swipes}. What are we watching?"


def _element(name: str, props: elements.Props) -> cl.CustomElement:
    return cl.CustomElement(name=name, props=props)


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


def _searches(message: AIMessage) -> dict[str, Asked]:
    """The arguments that a model searches by, by the ids of its tool calls."""
    calls = [call for call in message.tool_calls if call["name"] == search_movies.name]
    return {call["id"] or "": call["args"] for call in calls}


async def _append(reply: cl.Message, text: str) -> None:
    await reply.stream_token(f"\n\n{text}" if reply.content else text)
