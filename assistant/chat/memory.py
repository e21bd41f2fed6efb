"""What one conversation remembers, besides the agent's own messages while the process runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import chainlit as cl
from langchain_core.messages import (
    BaseMessage,
    messages_from_dict,
    messages_to_dict,
)

from recommender.models import SearchResult, SurveySession


@dataclass
class Memory:
    """The survey in progress, the films last shown, and the words each film was found by.

    ``recalled`` are messages of a conversation that is taken up again, until the agent is told.
    ``turn`` is held while the agent speaks: buttons can send words before it has finished.
    """

    survey_id: str | None = None
    shown: tuple[str, ...] = ()
    queries: dict[str, str] = field(default_factory=dict)
    recalled: list[BaseMessage] = field(default_factory=list)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def current(cls) -> Self:
        """The memory of the conversation that is being served."""
        memory = cl.user_session.get("memory")
        if not isinstance(memory, cls):
            memory = cls()
            cl.user_session.set("memory", memory)
        return memory

    @classmethod
    def restored(cls, kept: Mapping[str, Any]) -> Self:
        """The memory that ``kept`` was made of, as that of the conversation being served."""
        memory = cls(
            survey_id=kept.get("survey_id"),
            shown=tuple(kept.get("shown", ())),
            queries=dict(kept.get("queries", {})),
            recalled=messages_from_dict(kept.get("messages", [])),
        )
        cl.user_session.set("memory", memory)
        return memory

    def kept(self, messages: list[BaseMessage]) -> dict[str, Any]:
        """What to keep, with the agent's messages, as JSON."""
        return {
            "survey_id": self.survey_id,
            "shown": list(self.shown),
            "queries": self.queries,
            "messages": messages_to_dict(messages),
        }

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
