"""What one open conversation remembers, besides the agent's own messages."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

import chainlit as cl

from recommender.models import SearchResult, SurveySession


@dataclass
class Memory:
    """The survey in progress, the films last shown, and the words each film was found by.

    ``turn`` is held while the agent speaks: buttons can send words before it has finished.
    """

    survey_id: str | None = None
    shown: tuple[str, ...] = ()
    queries: dict[str, str] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    def current(cls) -> Self:
        """The memory of the conversation that is being served."""
        memory = cl.user_session.get("memory")
        if not isinstance(memory, cls):
            memory = cls()
            cl.user_session.set("memory", memory)
        return memory

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
