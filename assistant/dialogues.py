"""How well the offline planner understands written dialogues: intents, slots and references."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig

from assistant.agent import agent_by_name
from assistant.composition import load_encoder
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.indexer import STARTER, STARTER_VECTORS, read_items, read_vectors, sync_index
from recommender.models import Explanation, Item, SearchResult, SwipeReceipt
from recommender.service import Recommender
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.text import bare_title
from tools import ToolContext

REFERENCES = frozenset({"place", "film", "react"})
"""The slots that say which films are meant; all others are slots of a search."""
_TURN = re.compile(r"(?P<said>.+?) => (?P<intent>\w+)(?P<slots>(?:;.*)?)")
_REACTION = re.compile(r"(like|dislike|skip) (.+)")


@dataclass(frozen=True)
class Turn:
    """What is said, and what is to be understood."""

    said: str
    intent: str
    slots: dict[str, str]


@dataclass(frozen=True)
class Dialogue:
    """A written conversation of one category."""

    category: str
    turns: tuple[Turn, ...]


@dataclass
class Outcome:
    """What came of one turn: the intent found, and of each slot whether it was right."""

    turn: Turn
    category: str
    found: str
    slots: dict[str, bool] = field(default_factory=dict)


def measure_dialogues(path: Path) -> str:
    """Hold the dialogues of a file over the starter catalogue; what came of it, as Markdown."""
    encoder, stores = load_encoder(Settings()), memory_stores()
    known = read_vectors(STARTER_VECTORS)
    sync_index(read_items(STARTER), stores.items, encoder, lambda *_: None, known)
    # How films are ranked plays no part, so no fusion is loaded.
    settings = RecommenderSettings(search_variant="preference_vector")
    outcomes = list(hold(read_dialogues(path), Recommender(stores, encoder, settings), encoder))
    return "\n".join([report(outcomes), "", *misunderstood(outcomes)])


def read_dialogues(path: Path) -> list[Dialogue]:
    """Read a file of dialogues. Raises InvalidRequest naming the line that is none."""
    dialogues: list[Dialogue] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("["):
            dialogues.append(Dialogue(line.strip("[] "), ()))
        elif line.strip() and not line.startswith("#"):
            turn = _turn(line)
            if turn is None or not dialogues:
                raise InvalidRequest(f"{path} line {number} is no turn: say => intent; slot: value")
            last = dialogues[-1]
            dialogues[-1] = Dialogue(last.category, (*last.turns, turn))
    return dialogues


def hold(
    dialogues: Sequence[Dialogue], recommender: Recommender, encoder: TextEncoder
) -> Iterator[Outcome]:
    """Hold the dialogues, each as a person of its own whom nothing is known of."""
    agent = agent_by_name(None, encoder, recommender.films())
    for number, dialogue in enumerate(dialogues):
        user_id = f"dialogue-{number}"
        shown: tuple[str, ...] = ()
        for turn in dialogue.turns:
            config: RunnableConfig = {"configurable": {"thread_id": user_id}}
            context = ToolContext(recommender, user_id, None, shown)
            said = {"messages": [HumanMessage(turn.said)]}
            messages = agent.invoke(said, config, context=context)["messages"]
            answer = _Answer(_latest(messages), shown, recommender)
            yield Outcome(turn, dialogue.category, answer.intent, answer.judge(turn.slots))
            shown = answer.now_shown


def accuracies(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Right and all: of intents, slots, references, and of whole turns by category."""
    counts: dict[str, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        right = outcome.found == outcome.turn.intent
        counts["intents"].append(right)
        for slot, held in outcome.slots.items():
            counts["references" if slot in REFERENCES else "slots"].append(held)
        counts[f"turns: {outcome.category}"].append(right and all(outcome.slots.values()))
    return {name: (sum(held), len(held)) for name, held in sorted(counts.items())}


def report(outcomes: Sequence[Outcome]) -> str:
    """Accuracies and the confusions as Markdown."""
    lines = ["| of | right | all | share |", "| --- | --- | --- | --- |"]
    for name, (right, count) in accuracies(outcomes).items():
        lines.append(f"| {name} | {right} | {count} | {right / count:.1%} |")
    confused = Counter((o.turn.intent, o.found) for o in outcomes if o.turn.intent != o.found)
    if confused:
        lines += ["", "| meant | taken for | times |", "| --- | --- | --- |"]
    lines += [f"| {meant} | {found} | {n} |" for (meant, found), n in confused.most_common()]
    return "\n".join(lines)


def misunderstood(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """One line for each turn that was not wholly understood."""
    for outcome in outcomes:
        wrong = [slot for slot, held in outcome.slots.items() if not held]
        if outcome.found != outcome.turn.intent or wrong:
            yield f"{outcome.turn.said!r}: {outcome.turn.intent}, found {outcome.found} {wrong}"


class _Answer:
    """What the agent did in one turn."""

    def __init__(
        self, messages: Sequence[Any], shown: tuple[str, ...], recommender: Recommender
    ) -> None:
        self._shown = shown
        self._recommender = recommender
        spoken = [message for message in messages if isinstance(message, AIMessage)]
        self.intent = str(spoken[-1].response_metadata.get("intent", ""))
        self._calls = [call for message in spoken for call in message.tool_calls]
        results = [message for message in messages if isinstance(message, ToolMessage)]
        self._artifacts = [message.artifact for message in results]

    @property
    def now_shown(self) -> tuple[str, ...]:
        """The films that "the second one" means from now on."""
        found = [each for each in self._artifacts if isinstance(each, SearchResult) and each.items]
        return tuple(item.item_id for item in found[-1].items) if found else self._shown

    def judge(self, slots: dict[str, str]) -> dict[str, bool]:
        """Whether each slot was understood."""
        return {name: self._holds(name, wanted) for name, wanted in slots.items()}

    def _holds(self, name: str, wanted: str) -> bool:
        values = [value.strip() for value in wanted.split(",")]
        named = [value for value in values if value]
        match name:
            case "changes":
                return list(self._args.get("refinements", [])) == named
            case "k" | "daring":
                given = self._args.get("explore" if name == "daring" else name)
                return given is not None and float(given) == float(wanted)
            case "taste":
                return self._args.get("use_taste") is False
            case "place":
                return self._spoken_of == self._at(wanted)
            case "film":
                return self._titled(self._spoken_of) == bare_title(wanted)
            case "react":
                return self._reacted == [self._meant(value) for value in named]
            case _:
                return self._read(name, values, named)

    def _read(self, name: str, values: Sequence[str], named: Sequence[str]) -> bool:
        """What the service made of the words."""
        result = next((each for each in self._artifacts if isinstance(each, SearchResult)), None)
        if result is None:
            return False
        understood, filters = result.understood, result.understood.filters
        if name == "years":
            years = (filters.year_from, filters.year_to)
            return years == tuple(int(value) if value else None for value in values)
        if name == "someone":
            return understood.for_someone_else
        if name == "like":
            return {*map(bare_title, named)} <= {*map(self._titled, understood.anchors)}
        found = {
            "genres": filters.include_genres,
            "lean": (*understood.soft_genres, *filters.include_genres),
            "no": filters.exclude_genres,
            "people": filters.people,
            "not people": filters.exclude_people,
            "without": understood.without,
            "unknown": understood.unknown,
        }
        if name not in found:
            raise InvalidRequest(f"There is no slot {name!r}.")
        return {*named} <= {*found[name]}

    @property
    def _args(self) -> dict[str, Any]:
        found = [call["args"] for call in self._calls if call["name"] == "search_movies"]
        return dict(found[-1]) if found else {}

    @property
    def _spoken_of(self) -> str:
        found = [each.item_id for each in self._artifacts if isinstance(each, Explanation | Item)]
        return found[-1] if found else ""

    @property
    def _reacted(self) -> list[tuple[str, str]]:
        """Direction and film of each reaction: an id where there is one, else what it is called."""
        receipts = [
            each
            for each in self._artifacts
            if isinstance(each, SwipeReceipt) and each.status == "recorded"
        ]
        if receipts:
            return [(str(r.direction), self._titled(r.item_id)) for r in receipts]
        calls = [c["args"] for c in self._calls if c["name"] == "record_reaction"]
        return [(a["direction"], bare_title(str(a.get("title_or_id", "")))) for a in calls]

    def _meant(self, value: str) -> tuple[str, str]:
        said = _REACTION.fullmatch(value)
        if said is None:
            raise InvalidRequest(f"{value!r} is no reaction: like, dislike or skip, and a film.")
        place = self._at(said[2]) if said[2].isdigit() else ""
        return said[1], self._titled(place) if place else bare_title(said[2])

    def _at(self, place: str) -> str:
        number = int(place)
        return self._shown[number - 1] if number <= len(self._shown) else "?"

    def _titled(self, item_id: str) -> str:
        return bare_title(self._recommender.item(item_id).title) if item_id else ""


def _turn(line: str) -> Turn | None:
    found = _TURN.fullmatch(line.strip())
    if not found:
        return None
    pairs = [part.partition(":") for part in found["slots"].split(";") if part.strip()]
    return Turn(found["said"], found["intent"], {n.strip(): v.strip() for n, _, v in pairs})


def _latest(messages: Sequence[Any]) -> Sequence[Any]:
    """The messages since the person's latest."""
    starts = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return messages[starts[-1] :]
