"""What one conversation remembers, besides the agent's own messages while the process runs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import chainlit as cl
from langchain_core.messages import (
    BaseMessage,
    messages_from_dict,
    messages_to_dict,
)

from assistant.conversations import recent_turns
from recommender.models import SearchResult, SurveySession


@dataclass
class Memory:
    """The survey in progress, the films last shown, and the words each film was found by.

    ``recalled`` are messages of a conversation that is taken up again, until the agent is told.
    ``turn`` is held while the agent speaks: buttons can send words before it has finished.
    ``kept_messages`` and ``kept_queries`` name, by id, what need not be kept once more.
    """

    survey_id: str | None = None
    shown: tuple[str, ...] = ()
    queries: dict[str, str] = field(default_factory=dict)
    recalled: list[BaseMessage] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    kept_messages: set[str | None] = field(default_factory=set)
    kept_queries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def current(cls) -> Self:
        """The memory of the conversation that is being served."""
        memory = cl.user_session.get("memory")
        if not isinstance(memory, cls):
            memory = cls()
            cl.user_session.set("memory", memory)
        return memory

    @classmethod
    def restored(cls, parts: Sequence[Mapping[str, Any]]) -> Self:
        """The memory that ``parts`` were kept of, as that of the conversation being served."""
        memory = cls()
        for part in parts:
            memory.survey_id = part.get("survey_id")
            memory.shown = tuple(part.get("shown", ()))
            memory.queries |= part.get("queries", {})
            memory.recalled += messages_from_dict(part.get("messages", []))
        memory.recalled = recent_turns(memory.recalled)
        memory.note_kept(memory.recalled)
        cl.user_session.set("memory", memory)
        return memory

    def part(self, messages: Sequence[BaseMessage]) -> dict[str, Any]:
        """What to keep, as JSON: the agent's ``messages`` and the words that are not kept yet."""
        kept = self.kept_queries
        return {
            "survey_id": self.survey_id,
            "shown": list(self.shown),
            "queries": {i: query for i, query in self.queries.items() if kept.get(i) != query},
            "messages": messages_to_dict([m for m in messages if m.id not in self.kept_messages]),
        }

    def note_kept(self, messages: Sequence[BaseMessage]) -> None:
        """The part with these messages is kept."""
        self.kept_messages = {message.id for message in messages if message.id}
        self.kept_queries = dict(self.queries)

    def note_survey(self, session: SurveySession) -> None:
        """Remember the survey whose cards are on the table."""
        self.survey_id = session.session_id

    def note_answer(self, query: str, result: SearchResult) -> None:
        """Remember which films were shown for which words."""
        self.shown = tuple(item.item_id for item in result.items)
        self.queries.update(dict.fromkeys(self.shown, query))

    def query_of(self, item_id: str) -> str:
        """The words that a film was shown for; empty when it was shown for none."""
        return self.queries.get(item_id, "")
