"""What the planner knows of a conversation: read from its messages, nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from assistant.planner.intents import Intent
from tools.content import FilmLine, read

SEARCH, REACT, UNDO = "search_movies", "record_reaction", "undo_reaction"
DESCRIBE = "describe_movie"


@dataclass(frozen=True)
class Conversation:
    """A conversation up to now; ``before`` ends where ``now``, the current turn, begins."""

    before: Sequence[BaseMessage]
    now: Sequence[BaseMessage]

    @classmethod
    def of(cls, messages: Sequence[BaseMessage]) -> "Conversation":
        """Split messages at the latest one from the person."""
        turns = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
        start = turns[-1] if turns else len(messages)
        return cls(messages[:start], messages[start:])

    @property
    def said(self) -> str:
        """The person's latest message."""
        return str(self.now[0].text).strip() if self.now else ""

    @property
    def said_before(self) -> str:
        """The person's message before the latest."""
        said = [message for message in self.before if isinstance(message, HumanMessage)]
        return str(said[-1].text).strip() if said else ""

    @property
    def rounds(self) -> int:
        """How many rounds of tool calls this turn has had."""
        return sum(isinstance(m, AIMessage) and bool(m.tool_calls) for m in self.now)

    @property
    def results(self) -> list[ToolMessage]:
        """What the tools answered in this turn."""
        return [message for message in self.now if isinstance(message, ToolMessage)]

    @property
    def last_intent(self) -> str:
        """The intent the planner answered last, or an empty string."""
        said = [message for message in self.before if isinstance(message, AIMessage)]
        return str(said[-1].response_metadata.get("intent", "")) if said else ""

    @cached_property
    def shown(self) -> tuple[FilmLine, ...]:
        """The films of the latest search before this turn that found any, best first."""
        searches = [message for message in self._past_results if message.name == SEARCH]
        found = (read(message.text).films for message in reversed(searches))
        return next((films for films in found if films), ())

    @cached_property
    def people(self) -> Sequence[str]:
        """Whose films the latest search before this turn was for."""
        searches = [message for message in self._past_results if message.name == SEARCH]
        return read(searches[-1].text).values("people") if searches else ()

    @cached_property
    def last_search(self) -> dict[str, object]:
        """The arguments of the latest search before this turn; empty when there was none."""
        return self.searches[-1][1] if self.searches else {}

    @cached_property
    def searches(self) -> list[tuple[str, dict[str, object]]]:
        """What was said, and the arguments, of each search since the last fresh start."""
        found: list[tuple[str, dict[str, object]]] = []
        said = ""
        for message in self.before:
            if isinstance(message, HumanMessage):
                said = str(message.text)
            elif isinstance(message, AIMessage):
                calls = (call for call in message.tool_calls if call["name"] == SEARCH)
                found += [(said, dict(call["args"])) for call in calls]
                if message.response_metadata.get("intent") == Intent.RESTART:
                    found = []
        return found

    @property
    def refinements(self) -> tuple[str, ...]:
        """How the latest search had changed the wish that it began with."""
        changed = self.last_search.get("refinements")
        return tuple(map(str, changed)) if isinstance(changed, list | tuple) else ()

    @cached_property
    def reacted(self) -> tuple[str, ...]:
        """The ids of the films that the turn before this one recorded reactions to."""
        turns = [n for n, m in enumerate(self.before) if isinstance(m, HumanMessage)]
        last = self.before[turns[-1] :] if turns else ()
        recorded = [m for m in last if isinstance(m, ToolMessage) and m.name == REACT]
        ids = (read(m.text).fields.get("film id", "") for m in recorded if m.status != "error")
        return tuple(filter(None, ids))

    @cached_property
    def focus(self) -> FilmLine | None:
        """The one film that was talked about last, if it is clear which."""
        last = self._past_results[-1] if self._past_results else None
        if last is None:
            return None
        content = read(last.text)
        if film_id := content.fields.get("film id"):
            return FilmLine(film_id, content.fields.get("film", film_id), None)
        one = len(content.films) == 1 or (content.films and content.fields.get("looked up"))
        return content.films[0] if last.name == SEARCH and one else None

    @cached_property
    def _past_results(self) -> list[ToolMessage]:
        return [m for m in self.before if isinstance(m, ToolMessage) and m.status != "error"]
