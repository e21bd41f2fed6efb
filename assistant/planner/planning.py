"""From a conversation to what is to be done: tools to call, in rounds, or a phrase to say."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from assistant.planner import wording
from assistant.planner.conversation import DESCRIBE, REACT, SEARCH, UNDO, Conversation
from assistant.planner.daring import asked_to_explore
from assistant.planner.examples import ExampleClassifier
from assistant.planner.grammar import about_films, settled
from assistant.planner.intents import Intent
from assistant.planner.language import Vocabulary, is_foreign
from assistant.planner.mentions import Mentions, is_refused
from assistant.planner.nearest import NearestExample
from assistant.planner.once import without_taste
from assistant.planner.pointers import Pointed, Pointers, without_lead
from assistant.planner.questions import (
    asks_who,
    fact_asked,
    film_asked_about,
    film_asked_next,
    film_to_explain,
)
from assistant.planner.reactions import (
    Reaction,
    Reactions,
    only_seen,
    opinion,
    read_reactions,
    withdrawn,
)
from assistant.planner.references import Reference, is_deictic, position, refer
from assistant.planner.titles import Titles, title_key
from assistant.planner.unknown import only_unknown, unknown
from assistant.planner.wish import takes_back, without_named
from assistant.planner.wording import Search
from fusion.errors import EncoderUnavailable
from tools.search import wish

_LONG = 600
"""Characters from which on a message is taken as one description, not as a command."""
_MOST_REACTIONS = 10
_ASKS = re.compile(
    r"^(?:please )?(?:who|what|when|where|why|how|which|is|are|do|does|did|can|could|should|"
    r"tell me|explain|define|write|play|order|set|book|buy|translate|solve|calculate|fix|call|help|"
    r"send|open|turn|remind|read|give me)\b|\S+\s+\S+\s+\S.*\?\s*$",
    re.IGNORECASE,
)
"""A question or an order, which the description of a film is not; "ice skating?" is a wish."""
_OTHER = re.compile(
    r"^(?:(?:no|nope|ok(?:ay)?|hm+|please|but)[,.! ]+)*(?:not|anything but) "
    r"(?P<film>[^,.;:!-]{2,40}?)(?: again)?(?: please)?"
    r"(?:\W*|[,.;:!-]+ *(?:but |rather )?(?P<wish>\S.*))$",
    re.IGNORECASE,
)
"""What was shown will not do, and perhaps why: "not this, something scarier"."""
_SEVERAL = re.compile(r"(?:any of )?(?:these|those|them)(?: (?:ones|films|movies))?", re.IGNORECASE)
_WHAT_ABOUT = re.compile(r"^(?:and |or )?(?:what|how) about \w", re.IGNORECASE)
_THAT_ONE = re.compile(
    r"(?:(?:yes|yeah|yep|ah|oh|right|exactly)[,.! ]+)*(?:it'?s |that'?s )?"
    r"(?:that one|this one|that'?s it|the one)[.! ]*"
    r"|(?:(?:ok(?:ay)?|great|good|right|alright|then|so|well|yes)[,.! ]+)*"
    r"(?:(?:we|i)(?:['’]ll| will)|let['’]?s) (?:watch|take|try|pick|see|go (?:with|for)) "
    r"(?:it|this|that)(?: one)?[.! ]*",
    re.IGNORECASE,
)
"""Finds what was looked for, best first, among what is shown: "yes, that's the one!", "great, we'll
watch that".
"""
_IT_IS = re.compile(
    r"(?:(?:ok(?:ay)?|right|alright|then|so|well)[, ]+)*"
    r"(?P<film>.+?),? (?:it is|then it is|it'll be)[.! ]*",
    re.IGNORECASE,
)
"""Settles on a film: "ok, Alien it is"."""
_THEN = re.compile(r"[,.;!]+ +|,? but ", re.IGNORECASE)
_OF_A_SWIPE = re.compile(
    r"\b(?:swip\w+|reactions?|ratings?|(?:dis)?likes?|votes?|cards?|wrong)\b", re.IGNORECASE
)
"""Says which of the last things is to be undone: not a change of the wish."""
_SURVEY_SIZE = re.compile(r"\b(\d{1,4})\b")
_DEICTIC_WISH = re.compile(r"\b(?:like (?:it|that|them)|similar|else|more)\b", re.IGNORECASE)
_OF_IT = re.compile(
    r"(?:is|was|does|did|has|would|will) (?!there\b|it be\b)[^?]*\?\s*$", re.IGNORECASE
)
"""Asks what the film talked about is like: "would my grandson enjoy it?"."""
_ACCEPTS = re.compile(
    r"^(?:ok(?:ay)?|k|sure|y|yes+|yeah|yep|yup|all ?right|sounds good|let's|go ahead|of course|"
    r"definitely|why not|fine)\b",
    re.IGNORECASE,
)
"""Not every "cool" takes an offer."""
_FIRM = frozenset({Intent.PRIVACY, Intent.UNDO, Intent.FORGET, Intent.RESTART, Intent.PROFILE})
"""What is meant however much a message seems to speak of a film."""
_ACT_SCORE, _ACT_MARGIN = 0.35, 0.08
"""How like the examples of an act, and how much more than of another, a message must be."""
_INTENT_SCORE, _INTENT_MARGIN = 0.55, 0.25
"""The same for what needs no film; a message must be plainly like an example."""
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
    values: Mapping[str, object] = field(default_factory=dict)
    """What to fill the phrase with."""


class Planner:
    """Decides what to do about the latest message; the same conversation gives the same plan."""

    def __init__(
        self,
        titles: Titles,
        vocabulary: Vocabulary,
        nearest: NearestExample,
        pointers: Pointers,
        acts: ExampleClassifier,
        intents: ExampleClassifier,
    ) -> None:
        self._titles = titles
        self._pointers = pointers
        self._acts = acts
        self._intents = intents
        self._mentions = Mentions(titles, acts)
        self._vocabulary = vocabulary
        self._nearest = nearest

    def prepare(self) -> None:
        """Make what the first messages would wait for; where that fails, they try again."""
        for classifier in (self._acts, self._intents, wording.follow_ups()):
            classifier.prepare()
        with suppress(EncoderUnavailable):
            self._nearest.prepare()

    def plan(self, conversation: Conversation) -> Plan:
        """Never raises: what is not understood becomes a search or a question."""
        said = conversation.said
        text = said if self._titles.exact(said) else wording.without_greeting(said)
        if not text or not any(c.isalnum() for c in text):
            return _say(Intent.EMOJI if text.strip(" .,!?…-") else Intent.EMPTY)
        if (changed := self._taken_back(text, conversation)) is not None:
            return changed
        read = self._long if len(text) > _LONG else self._read
        return _with_what_is_unknown(read(text, conversation), text)

    def _read(self, text: str, conversation: Conversation) -> Plan:
        if (wanted := without_taste(text)) is not None:
            return self._without_taste(wanted, conversation)
        if lacking := only_unknown(text):
            return _say(Intent.CLARIFY, f"clarify.{lacking}")
        if chosen := self._chosen(text, conversation):
            return chosen
        text = self._pointers.with_people(text, conversation)
        if self._titles.exact(text) and len(title_key(text).split()) > 1:
            return self._search(text, conversation)
        for said in (withdrawn(text, self._titles), self._opinion(text, conversation)):
            if said.given:
                return self._react(said, conversation)
        return self._understood(text, conversation) or self._open(text, conversation)

    def _chosen(self, text: str, conversation: Conversation) -> Plan | None:
        """What is done about films that a message turns down or settles on."""
        if other := _OTHER.match(text):
            film, wished, rest = other["film"], other["wish"] or "", text[other.start("film") :]
            named = next(iter(self._titles.named(rest)), None)
            if named and not named.start and named.end > len(film):  # "Alien: Resurrection"
                film, wished = rest[: named.end], rest[named.end :].lstrip(" ,.;:!-")
            if films := self._turned_down(film, conversation):
                return self._other(wished, films, conversation)
        if conversation.shown and _THAT_ONE.fullmatch(text):
            film = conversation.focus or conversation.shown[0]
            return _describe(text, {"title_or_id": f"id:{film.item_id}"})
        if (chosen := _IT_IS.fullmatch(text)) and self._titles.match(chosen["film"]):
            return self._search(chosen["film"], conversation)
        return None

    def _understood(self, text: str, conversation: Conversation) -> Plan | None:
        """What the wording, films and examples settle, the surest first; None where none does."""
        if (refused := self._mentions.refused(text)) is not None:
            given = refused.given
            return self._react(refused, conversation) if given else self._search(text, conversation)
        intent, spelt_like = settled(text), self._by_letters(text)
        firm = _FIRM & {intent or spelt_like}
        if self._pointers.beyond(text, conversation):
            return _say(Intent.CLARIFY, "clarify.film")
        if not firm and (plan := self._about_shown(text, conversation)):
            return plan
        if intent is None and not firm and (plan := self._about_a_film(text, conversation)):
            return plan
        if intent is Intent.ACKNOWLEDGE and conversation.last_intent in _OFFERS:
            return _survey("") if _ACCEPTS.match(text) else _say(intent)
        meant = intent or spelt_like
        return None if meant is None else self._settled(meant, text, conversation)

    def _by_letters(self, text: str) -> Intent | None:
        """The intent whose examples a message is spelt much like; a search is settled later."""
        guess = self._intents.guess(text)
        alike = guess.reaches(_INTENT_SCORE, _INTENT_MARGIN)
        intent = Intent(guess.label)
        if intent is Intent.UNDO and _DEICTIC_WISH.search(text):
            return None
        if not alike or intent in (Intent.SEARCH, Intent.EXPLAIN) or self._titles.match(text):
            return None
        return intent

    def _opinion(self, text: str, conversation: Conversation) -> Reactions:
        """What the answer to "did you like it?", which was asked just before, says."""
        if conversation.last_intent != Intent.CLARIFY:
            return Reactions(())
        return opinion(text, only_seen(conversation.said_before, self._titles))

    def _taken_back(self, text: str, conversation: Conversation) -> Plan | None:
        """The latest search without a refinement that is taken back; None where none is."""
        refinements = conversation.refinements
        left = without_named(text, refinements)
        if left is None and takes_back(text):
            if changed := _before_changed(conversation):
                return changed
            if not refinements:
                return _say(Intent.RESTART)
            left = list(refinements[:-1])
        if left is None:
            return None
        return _search(Search.again(conversation, refinements=tuple(left)))

    def _without_taste(self, text: str, conversation: Conversation) -> Plan:
        if not any(c.isalnum() for c in text):
            return _search(Search.again(conversation, use_taste=False))
        search = wording.read_search(text, conversation, self._titles)
        return _search(replace(search, use_taste=False))

    def _turned_down(self, text: str, conversation: Conversation) -> Sequence[str]:
        """The films that a message will not have; none where it means something else."""
        shown = [f"id:{film.item_id}" for film in conversation.shown]
        if _SEVERAL.fullmatch(text):
            return shown
        if is_deictic(text) and not conversation.focus:
            return shown[:1]
        meant = (refer(text, conversation) or {}).get("title_or_id")
        if meant in shown:
            return [str(meant)]
        named = [film.title for film in self._titles.named(f"not {text}") if film.sure]
        return named if named == [self._titles.exact(text)] and shown else []

    def _other(self, text: str, films: Sequence[str], conversation: Conversation) -> Plan:
        """Search on without films that are turned down, which is not held against them later, but
        for what is said of one: "not Heat, I hated it".
        """
        said = read_reactions(text, self._titles)
        if said.given and len(films) == 1 and all(is_deictic(each.film) for each in said.given):
            given = tuple(replace(each, film=films[0]) for each in said.given)
            return self._react(Reactions(given, said.request), conversation, goes_on=True)
        if text and not only_seen(text, self._titles):
            search = wording.read_search(text, conversation, self._titles)
        else:
            search = Search.again(conversation)
        return _search(replace(search, disliked=tuple(dict.fromkeys((*search.disliked, *films)))))

    def _settled(self, intent: Intent, text: str, conversation: Conversation) -> Plan:
        match intent:
            case Intent.SURVEY:
                return _survey(text)
            case Intent.PROFILE:
                return _do(intent, Call("show_profile", {}))
            case Intent.SIZE:
                return Plan(intent, phrase="size.reply", values={"films": f"{len(self._titles):,}"})
            case Intent.UNDO:
                return self._undo(text, conversation)
            case _:
                return _say(intent)

    def _undo(self, text: str, conversation: Conversation) -> Plan:
        """Undo what was done last, a reaction or a change of the wish, and record what is said
        instead: "…, it was great".
        """
        changed = None if _OF_A_SWIPE.search(text) else _before_changed(conversation)
        undone = _do(Intent.UNDO, Call(UNDO, _last_said(conversation)))
        if changed and conversation.reacted:
            undone = replace(undone, rounds=undone.rounds + changed.rounds)
        elif changed:
            undone = changed
        _, *instead = _THEN.split(text, maxsplit=1)
        given = [r for said in instead for r in read_reactions(said, self._titles).given]
        if not given:
            return undone
        recorded = self._react(Reactions(tuple(given)), conversation)
        return replace(undone, rounds=undone.rounds + recorded.rounds)

    def _about_a_film(self, text: str, conversation: Conversation) -> Plan | None:
        film = film_to_explain(text, self._titles)
        if film is None and conversation.last_intent == Intent.EXPLAIN:
            film = film_asked_next(text)
        if film is not None:
            return self._explain(film, conversation)
        reactions = read_reactions(text, self._titles)
        if reactions.given:
            return self._react(reactions, conversation)
        if seen := only_seen(text, self._titles):
            clear = conversation.focus or _SEVERAL.fullmatch(seen[0]) or not is_deictic(seen[0])
            return _say(Intent.CLARIFY, "clarify.opinion" if clear else "clarify.film")
        if asked := film_asked_about(text, conversation, self._titles):
            return _describe(text, refer(asked, conversation) or {"title_or_id": asked})
        if asks_who(text):
            return _say(Intent.CLARIFY, "clarify.film")
        return self._about_a_film_named(text, conversation)

    def _about_a_film_named(self, text: str, conversation: Conversation) -> Plan | None:
        """What is said of films whose titles stand anywhere in a message."""
        reactions = self._mentions.reactions(text)
        if reactions.given:
            return self._react(reactions, conversation)
        match self._mentions.act(text):
            case "describe", title:
                return _describe(text, {"title_or_id": title})
            case "explain", title:
                return self._explain(title, conversation)
            case _:
                return None

    def _about_shown(self, text: str, conversation: Conversation) -> Plan | None:
        """What is said of a film that the message points at; None where that is not clear."""
        pointed = self._pointers.find(text, conversation)
        if pointed is None or wording.says_how_many(text) or self._mentions.sequel(text):
            return None
        if is_refused(pointed.masked):
            return self._search(text, conversation)
        film = f"id:{pointed.films[0].item_id}"
        if not pointed.says_more:
            return _describe(text, {"title_or_id": film}) if position(without_lead(text)) else None
        act = self._acts.guess(pointed.masked)
        sure = act.reaches(_ACT_SCORE, _ACT_MARGIN)
        by_examples = self._act(act.label, text, pointed, conversation) if sure else None
        if pointed.deictic:
            asked = by_examples is None and _OF_IT.match(text)
            return _describe(text, {"title_or_id": film}) if asked else by_examples
        if conversation.last_intent == Intent.EXPLAIN and film_asked_next(pointed.masked):
            return self._explain(film, conversation)
        by_words = self._about_a_film(text, conversation)
        return by_words if _means(by_words, pointed) else by_examples or by_words

    def _act(
        self, label: str, text: str, pointed: Pointed, conversation: Conversation
    ) -> Plan | None:
        ids = [f"id:{film.item_id}" for film in pointed.films]
        match label:
            case "like" | "dislike" | "skip":
                given = tuple(Reaction(label, film_id) for film_id in ids)
                return self._react(Reactions(given), conversation)
            case "seen":
                return _say(Intent.CLARIFY, "clarify.opinion")
            case "explain":
                return self._explain(ids[0], conversation)
            case "describe":
                return _describe(text, {"title_or_id": ids[0]})
            case "search" if pointed.wants_alike:
                return self._search(pointed.named(), Conversation((), conversation.now))
            case _:
                return None

    def _open(self, text: str, conversation: Conversation) -> Plan:
        if self._titles.match(text):
            return self._search(text, conversation)
        if is_foreign(text):
            return self._search(text, conversation, "note.foreign")
        if self._wants_films(text, conversation):
            return self._search(text, conversation)
        if self._vocabulary.is_nonsense(text):
            return _say(Intent.NONSENSE)
        plan = self._by_example(text, conversation)
        about_a_film = any(film.sure for film in self._titles.named(text))
        if plan.intent is Intent.OFF_TOPIC and about_a_film:
            return self._search(text, conversation)
        return plan

    def _wants_films(self, text: str, conversation: Conversation) -> bool:
        if about_films(text) or wording.asks_for_more(text) or self._titles.mentioned(text):
            return True
        if asked_to_explore(text) is not None:
            return True
        if conversation.last_search and _WHAT_ABOUT.match(text):
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
                return self._settled(intent, text, conversation)

    def _long(self, text: str, conversation: Conversation) -> Plan:
        if self._vocabulary.is_nonsense(text):
            return _say(Intent.NONSENSE)
        if settled(text[:_LONG]) is Intent.PRIVACY:
            return _say(Intent.PRIVACY)
        notes = ("note.long", "note.foreign") if is_foreign(text) else ("note.long",)
        return self._search(text, conversation, *notes)

    def _search(self, text: str, conversation: Conversation, *notes: str) -> Plan:
        return _search(wording.read_search(text, conversation, self._titles), *notes)

    def _explain(self, film: str, conversation: Conversation) -> Plan:
        place = self._refer(film, conversation)
        if place is None and not is_deictic(film):
            return _say(Intent.CLARIFY, "clarify.film")
        if place is None:
            shown = conversation.shown
            place = {"title_or_id": f"id:{shown[0].item_id}"} if shown else {"position": 1}
        query = wish(str(conversation.last_search.get("query", "")), conversation.refinements)
        return _do(Intent.EXPLAIN, Call("explain_movie", {**place, "query": query}))

    def _react(
        self, reactions: Reactions, conversation: Conversation, *, goes_on: bool = False
    ) -> Plan:
        """Record reactions, then search for what else is asked; ``goes_on``: else as before."""
        given = reactions.given[:_MOST_REACTIONS]
        places = [self._refer(reaction.film, conversation) for reaction in given]
        if any(place is None for place in places):
            return _say(Intent.CLARIFY, "clarify.film")
        calls = tuple(
            _reacting(reaction.direction, place or {})
            for reaction, place in zip(given, places, strict=True)
        )
        undone = tuple(call for call in calls if call.name == UNDO)
        reacted = tuple(call for call in calls if call.name != UNDO)
        rounds = tuple(filter(None, (undone, reacted)))
        if reactions.request or goes_on:
            search = Search.again(conversation)
            if reactions.request:
                search = wording.read_search(self._wish(reactions), conversation, self._titles)
            rounds += _search(_counting(search, calls)).rounds
        notes = ("error.CallLimit",) if len(reactions.given) > _MOST_REACTIONS else ()
        intent = Intent.UNDO if calls[0].name == UNDO else Intent.REACTION
        return Plan(intent, rounds, notes=notes)

    def _refer(self, text: str, conversation: Conversation) -> Reference | None:
        """How to tell a tool which film ``text`` means; "The Lego Movie" describes none shown."""
        title = None if is_deictic(text) else self._titles.exact(text)
        return refer(text, conversation) or ({"title_or_id": title} if title else None)

    def _wish(self, reactions: Reactions) -> str:
        liked = [r.film for r in reactions.given if r.direction == "like"]
        if liked and not is_deictic(liked[0]) and _DEICTIC_WISH.search(reactions.request):
            return f"something like {liked[0]}"
        return reactions.request


def _reacting(direction: str, film: Reference) -> Call:
    return (
        Call(UNDO, film) if direction == "undo" else Call(REACT, {"direction": direction, **film})
    )


def _last_said(conversation: Conversation) -> dict[str, object]:
    """Which reaction to take back: of several in one message, recorded at once, the last said."""
    *others, last = conversation.reacted or ("",)
    return {"title_or_id": f"id:{last}"} if others else {}


def _search(search: Search, *notes: str) -> Plan:
    capped = ("search.capped",) if search.capped else ()
    return Plan(Intent.SEARCH, ((Call(SEARCH, search.args),),), notes=(*notes, *capped))


def _before_changed(conversation: Conversation) -> Plan | None:
    """The search before the latest, if the message before this one changed its wish: made it
    another ("older") or turned films down.
    """
    if not conversation.searches[1:]:
        return None
    (_, earlier), (said, changed) = conversation.searches[-2:]
    alike = earlier.get("query") == changed.get("query") and earlier != changed
    if said != conversation.said_before or not alike:
        return None
    return _search(Search.of(earlier))


def _with_what_is_unknown(plan: Plan, text: str) -> Plan:
    """The same plan; where it searches, it says what of the wish the catalogue does not know."""
    if not any(call.name == SEARCH for calls in plan.rounds for call in calls):
        return plan
    lacking = (f"clarify.{name}" for name in unknown(text))
    return replace(plan, notes=(*plan.notes, *lacking))


def _counting(search: Search, reactions: Sequence[Call]) -> Search:
    """The search with what was just said of films, which counts however few were swiped before."""
    said: dict[str, list[str]] = {direction: [] for direction in ("like", "dislike", "skip")}
    for call in reactions:
        film = call.args.get("title_or_id")
        if film and call.name == REACT:
            said[str(call.args["direction"])].append(str(film))
    disliked = (*search.disliked, *said["dislike"])
    return replace(search, liked=tuple(said["like"]), disliked=tuple(dict.fromkeys(disliked)))


def _say(intent: Intent, phrase: str = "") -> Plan:
    return Plan(intent, phrase=phrase or f"{intent}.reply")


def _do(intent: Intent, *calls: Call) -> Plan:
    return Plan(intent, (calls,))


def _means(plan: Plan | None, pointed: Pointed) -> bool:
    """Whether a plan is about the films pointed at, and about all of them if it reacts."""
    if plan is None or plan.intent is Intent.CLARIFY:
        return False
    done = {str(call.args.get("title_or_id")) for call in plan.rounds[0]}
    return plan.intent is not Intent.REACTION or {f"id:{f.item_id}" for f in pointed.films} <= done


def _describe(text: str, film: Reference) -> Plan:
    call = Call(DESCRIBE, dict(film))
    return Plan(Intent.DESCRIBE, ((call,),), phrase=f"describe.{fact_asked(text)}")


def _survey(text: str) -> Plan:
    size = _SURVEY_SIZE.search(text)
    return _do(Intent.SURVEY, Call("start_survey", {"size": int(size[1])} if size else {}))
