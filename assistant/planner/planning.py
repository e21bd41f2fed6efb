"""From a conversation to what is to be done: tools to call, in rounds, or a phrase to say."""

import re
from dataclasses import dataclass

from assistant.planner import wording
from assistant.planner.conversation import SEARCH, Conversation
from assistant.planner.daring import asked_to_explore
from assistant.planner.grammar import about_films, settled
from assistant.planner.intents import Intent
from assistant.planner.language import Vocabulary, is_foreign
from assistant.planner.nearest import NearestExample
from assistant.planner.questions import film_asked_about, film_to_explain
from assistant.planner.reactions import Reactions, only_seen, read_reactions
from assistant.planner.references import is_deictic, refer
from assistant.planner.titles import Titles, title_key

_LONG = 600
"""Characters from which on a message is taken as one description, not as a command."""
_MOST_REACTIONS = 10
_ASKS = re.compile(
    r"^(?:please )?(?:who|what|when|where|why|how|which|is|are|do|does|did|can|could|should|"
    r"tell me|explain|define|write|play|order|set|book|buy|translate|solve|calculate|fix|call|help|"
    r"send|open|turn|remind|read|give me)\b|\?\s*$",
    re.IGNORECASE,
)
"""A question or an order, which the description of a film is not."""
_SURVEY_SIZE = re.compile(r"\b(\d{1,4})\b")
_DEICTIC_WISH = re.compile(r"\b(?:like (?:it|that|them)|similar|else|more)\b", re.IGNORECASE)
_OFFERS = frozenset({Intent.GREET, Intent.HELP, Intent.ABOUT, Intent.CLARIFY, Intent.PROFILE})


@dataclass(frozen=True)
class Call:
    """A tool to call."""

    name: str
    args: dict[str, object]


@dataclass(frozen=True)
class Plan:
    """What a message asks for.

    ``phrase`` is what to say where it is not a tool's answer that decides; ``notes`` come first.
    """

    intent: Intent
    rounds: tuple[tuple[Call, ...], ...] = ()
    phrase: str = ""
    notes: tuple[str, ...] = ()

    @property
    def wanted(self) -> int:
        """How many films the search of this plan asks for; 0 without one."""
        wanted = [call.args["k"] for calls in self.rounds for call in calls if call.name == SEARCH]
        return max((k for k in wanted if isinstance(k, int)), default=0)


class Planner:
    """Decides what to do about the latest message; the same conversation gives the same plan."""

    def __init__(self, titles: Titles, vocabulary: Vocabulary, nearest: NearestExample) -> None:
        self._titles = titles
        self._vocabulary = vocabulary
        self._nearest = nearest

    def plan(self, conversation: Conversation) -> Plan:
        """Never raises: what is not understood becomes a search or a question."""
        said = conversation.said
        text = said if self._titles.exact(said) else wording.without_greeting(said)
        if not text or not any(c.isalnum() for c in text):
            return _say(Intent.EMOJI if text.strip(" .,!?…-") else Intent.EMPTY)
        if len(text) > _LONG:
            return self._long(text, conversation)
        return self._read(text, conversation)

    def _read(self, text: str, conversation: Conversation) -> Plan:
        if self._titles.exact(text) and len(title_key(text).split()) > 1:
            return self._search(text, conversation)
        intent = settled(text)
        if intent is Intent.ACKNOWLEDGE and conversation.last_intent in _OFFERS:
            return _survey("")
        if intent is not None:
            return self._settled(intent, text)
        return self._about_a_film(text, conversation) or self._open(text, conversation)

    def _settled(self, intent: Intent, text: str) -> Plan:
        match intent:
            case Intent.SURVEY:
                return _survey(text)
            case Intent.PROFILE:
                return _do(intent, Call("show_profile", {}))
            case Intent.UNDO:
                return _do(intent, Call("undo_reaction", {}))
            case _:
                return _say(intent)

    def _about_a_film(self, text: str, conversation: Conversation) -> Plan | None:
        film = film_to_explain(text, self._titles)
        if film is not None:
            return self._explain(film, conversation)
        reactions = read_reactions(text, self._titles)
        if reactions.given:
            return self._react(reactions, conversation)
        if only_seen(text, self._titles):
            return _say(Intent.CLARIFY, "clarify.opinion")
        asked = film_asked_about(text, conversation, self._titles)
        if asked is None:
            return None
        call = Call(SEARCH, {"query": asked, "k": 1})
        return Plan(Intent.SEARCH, ((call,),), phrase="search.fact")

    def _open(self, text: str, conversation: Conversation) -> Plan:
        if self._titles.match(text):
            return self._search(text, conversation)
        if is_foreign(text):
            return self._search(text, conversation, "note.foreign")
        if self._wants_films(text, conversation):
            return self._search(text, conversation)
        if self._vocabulary.is_nonsense(text):
            return _say(Intent.NONSENSE)
        return self._by_example(text, conversation)

    def _wants_films(self, text: str, conversation: Conversation) -> bool:
        if about_films(text) or wording.asks_for_more(text) or self._titles.mentioned(text):
            return True
        if asked_to_explore(text) is not None:
            return True
        return wording.read_search(text, conversation, self._titles).query != text

    def _by_example(self, text: str, conversation: Conversation) -> Plan:
        asks = bool(_ASKS.search(text))
        match self._nearest.intent(text):
            case None if asks:
                return _say(Intent.OFF_TOPIC)
            case Intent.OFF_TOPIC if not asks:
                return self._search(text, conversation)
            case None | Intent.SEARCH:
                return self._search(text, conversation)
            case Intent.EXPLAIN:
                return self._explain("this one", conversation)
            case intent:
                return self._settled(intent, text)

    def _long(self, text: str, conversation: Conversation) -> Plan:
        if self._vocabulary.is_nonsense(text):
            return _say(Intent.NONSENSE)
        if settled(text[:_LONG]) is Intent.PRIVACY:
            return _say(Intent.PRIVACY)
        notes = ("note.long", "note.foreign") if is_foreign(text) else ("note.long",)
        return self._search(text, conversation, *notes)

    def _search(self, text: str, conversation: Conversation, *notes: str) -> Plan:
        search = wording.read_search(text, conversation, self._titles)
        capped = ("search.capped",) if search.capped else ()
        return Plan(Intent.SEARCH, ((Call(SEARCH, search.args),),), notes=(*notes, *capped))

    def _explain(self, film: str, conversation: Conversation) -> Plan:
        place = refer(film, conversation)
        if place is None:
            shown = conversation.shown
            place = {"title_or_id": f"id:{shown[0].item_id}"} if shown else {"position": 1}
        query = str(conversation.last_search.get("query", ""))
        return _do(Intent.EXPLAIN, Call("explain_movie", {**place, "query": query}))

    def _react(self, reactions: Reactions, conversation: Conversation) -> Plan:
        given = reactions.given[:_MOST_REACTIONS]
        places = [refer(reaction.film, conversation) for reaction in given]
        if any(place is None for place in places):
            return _say(Intent.CLARIFY, "clarify.film")
        calls = tuple(
            Call("record_reaction", {"direction": reaction.direction, **(place or {})})
            for reaction, place in zip(given, places, strict=True)
        )
        rounds: tuple[tuple[Call, ...], ...] = (calls,)
        if reactions.request:
            rounds += self._search(self._wish(reactions), conversation).rounds
        notes = ("error.CallLimit",) if len(reactions.given) > _MOST_REACTIONS else ()
        return Plan(Intent.REACTION, rounds, notes=notes)

    def _wish(self, reactions: Reactions) -> str:
        liked = [r.film for r in reactions.given if r.direction == "like"]
        if liked and not is_deictic(liked[0]) and _DEICTIC_WISH.search(reactions.request):
            return f"something like {liked[0]}"
        return reactions.request


def _say(intent: Intent, phrase: str = "") -> Plan:
    return Plan(intent, phrase=phrase or f"{intent}.reply")


def _do(intent: Intent, *calls: Call) -> Plan:
    return Plan(intent, (calls,))


def _survey(text: str) -> Plan:
    size = _SURVEY_SIZE.search(text)
    return _do(Intent.SURVEY, Call("start_survey", {"size": int(size[1])} if size else {}))
