"""From a message to the words and the number of a search."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import prompts
from assistant.planner.conversation import Conversation
from assistant.planner.daring import asked_to_explore
from assistant.planner.examples import ExampleClassifier
from assistant.planner.grammar import plain
from assistant.planner.references import DEICTIC, EXTREME, ORDINAL, title_of
from assistant.planner.titles import Titles
from assistant.planner.wish import refined
from recommender.query.recipients import RecipientFinder, for_others
from recommender.query.words import Words
from tools.context import DEFAULT_K

MOST_SHOWN = 50
"""The most films one answer of the chat shows."""
_NUMBERS = {
    word: n
    for n, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"half a dozen": 6, "a dozen": 12, "twenty": 20, "a couple of": 2, "a couple": 2}
_COUNT = rf"\b(?P<n>\d{{1,5}}|{'|'.join(_NUMBERS)})\b(?!['’]?s\b)"
_LEAD = r"(?:(?:ok(?:ay)?|so|and|but|now|then|well|yes|yeah|no|nah|hm+|idk|please)[,.]? )*"
_ASK = (
    r"(?:please )?(?:(?:can|could|would|will) you )?(?:please )?"
    r"(?:give|show|find|get|recommend|suggest|list|name|tell|bring|pick)(?: me| us)? "
)
_WISH = (
    r"(?:(?:i|we)(?:'d| would)? (?:want|need|like|love)|(?:can|could|may) (?:i|we) (?:have|get)) "
)
_MANY = (
    r"(?:films|movies|flicks|comedies|documentaries|mysteries|stories|cartoons|dramas|thrillers|"
    r"westerns|musicals|noirs|romances|heists|classics|rom-?coms|suggestions|recommendations|ideas|"
    r"options|picks)\b"
)
_ONE = (
    r"(?:film|movie|flick|comedy|drama|thriller|western|musical|noir|romance|documentary|mystery|"
    r"cartoon|classic|heist|rom-?com|horror|suggestion|recommendation|idea|pick)\b"
)
_FILMS = rf"(?:(?:\w+ ){{0,3}}{_MANY}|(?:(?<=\bone )|(?<=\b1 ))(?:\w+ ){{0,2}}{_ONE})"
_COUNTED = re.compile(
    rf"^{_LEAD}(?:{_ASK}(?:just |only |my |your |the )?(?:top |best )?{_COUNT} ?"
    rf"|(?:{_WISH})?(?:just |only |the )?(?:top |best )?{_COUNT.replace('<n>', '<m>')} (?={_FILMS})"
    rf"|(?:just |only |the )?(?:top |best ){_COUNT.replace('<n>', '<b>')} (?=\S)"
    rf"|(?:just|only) {_COUNT.replace('<n>', '<o>')}(?: films?| movies?| please)*[:;,.–-]+ *(?=\w))"
    r"(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_COUNTED_LAST = re.compile(
    rf"^(?P<rest>.*\w)[,;:.(–-]+ *(?:but |and )?(?:(?P<only>just|only|max(?:imum)?|at most|"
    rf"no more than) )?{_COUNT}"
    r"(?(only)|(?= *(?:of (?:them|those)|films?|movies?|please|max|will do|(?:is|are) enough)\b))"
    r"(?: (?:of (?:them|those)|films?|movies?|please|max|will do|(?:is|are) enough))*[.!)]*$",
    re.IGNORECASE | re.DOTALL,
)
"""Said after the wish: "a heist, only two please"."""
_ONLY_COUNT = re.compile(
    rf"^{_LEAD}(?:{_ASK}|just |only |max(?:imum)? |at most |no more than |"
    r"make (?:it|that) |the )*(?:top |best )?"
    rf"(?P<n>\d{{1,2}}|{'|'.join(_NUMBERS)})"
    r"(?: (?:films?|movies?|of (?:them|these|those)|will do|(?:is|are) enough|please))*\W*$",
    re.IGNORECASE,
)
"""Nothing but how many: "only three, please" of what was found."""
_OPENER = (
    r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening)|ok(?:ay)?|thanks|thank you|great|"
    r"cool|nice)(?: there| reelwise)?"
)
_HELLO = re.compile(
    rf"^(?:{_OPENER}[,.! ]+){{0,3}}{_OPENER}[,.!]+\s+(?:now )?(?=\S)", re.IGNORECASE
)
_NO = re.compile(r"^(?:no|nah|nope)[,.!]+ +(?=an? |the |some )", re.IGNORECASE)
"""Refuses what was shown, not what follows: "no, a western"."""
_MORE = re.compile(
    r"^(?:ok |and |please )*(?:(?:show|give|find|get|recommend|suggest)(?: me| us)? )?"
    rf"(?:(?:some |any |a few |\d+ |(?:{'|'.join(_NUMBERS)}) )*(?:more|others?)"
    r"(?: (?:films|movies|options|ideas|suggestions|recommendations|like (?:that|these|those|them)|"
    r"of (?:(?:that|this|the same) (?:kind|sort|type)|those|them|these|the same)|please))*"
    r"|(?:what|anything|something) else"
    r"|something (?:(?:completely|totally|entirely|very) )?different"
    r"|next|another(?: one)?|keep going|different ones|"
    r"more of the same|none of (?:these|those|them)|"
    r"(?:i )?(?:do(?:n't| not) (?:really )?(?:like|want)|hate) "
    r"(?:(?:any|all) of )?"
    r"(?:these|those|them|everything(?: you (?:showed|gave|suggested)(?: me)?)?))\W*$"
)
_REFINE = re.compile(
    r"^(?:ok |and |now |please )*(?:but|only|just|without|not|no|except|make (?:it|them)|more|less|"
    r"exclude|leave out|besides|apart from|other than|"
    r"older|newer|funnier|shorter|longer|darker|lighter|scarier|happier|sadder|with|from|before|"
    r"after|in (?:the(?! mood)|black|colou?r)|a (?:bit|little)|nothing|something less|n?or|"
    r"(?:(?:his|her|their|the) )?(?:early|earlier|late|later|latest)"
    r"(?: (?:ones?|films?|movies?|works?|stuff))?$)\b"
    r"(?! show me )|^and an? "
)
_COMPARED = (
    r"(?:more|less|older|newer|funnier|shorter|longer|darker|lighter|scarier|happier|sadder|"
    r"slower|faster|calmer|weirder|sillier|cheerier|smarter|quieter|gentler|tamer|lesser known)"
)
_DEGREE = r"(?:(?:a bit|a little|much|even) )?"
_REFINES_TOO = re.compile(
    r"(?:^|[,;] *)(?:ok |and |now |please |maybe |how about |what about |got |have you got )*"
    rf"(?:{_ASK})?(?:(?:something|anything|nothing|any|some|ones?) {_DEGREE}"
    rf"(?:{_COMPARED}|without|not|from|before|after|in)\b"
    r"|(?:nothing|any|some|ones?) (?:with|set in|by)\b"
    rf"|(?:something|anything) with {_DEGREE}(?:more|less|fewer)\b)"
    rf"|^{_COMPARED}\b|^an? {_DEGREE}{_COMPARED} (?:film|movie|one)\b|\binstead\W*$"
)
"""The same after "something", and what takes the place of what was said: "the 90s instead". But
"something with Tom Hanks" is a wish of its own.
"""
_OWN_WISH = re.compile(
    r"^(?:ok |and |now |please )*(?:no|not|without|except|anything but) [^,;:]*[,;:] *(?:an?|some) "
    rf"(?!(?:good|great|nice|decent|other|different|better|{_COMPARED}) (?:films?|movies?))"
    r"[^,;:]*\w (?:films?|movies?)\W*$"
    r"|^(?!.*\binstead\b)(?:"
    r"(?:(?:something|anything|a (?:film|movie)|films|movies) )?(?:like|similar to|comparable to) "
    r"(?!(?:it|this|that|these|those|them)\b)"
    rf"|[^:;]{{4,40}}: (?:something|anything|an?) (?!{_COMPARED}\b)"
    rf"|an? (?!(?:bit|little|touch|different|better|{_COMPARED})\b)(?:\w+ )?(?:picture|{_ONE}))"
)
"""What stands by itself: after what it is to be without ("no marvel please, a superhero film"), by
a film that it is like, or as a kind of film.
"""
_REFINE_WORDS = 12
_SCORE, _MARGIN = 0.5, 0.15
"""How like the examples of a refinement, and how much more than of a wish, a message must be."""
_POINTED = re.compile(
    rf"\b(like|as|to|lines of|vein of|style of) (?P<film>{ORDINAL}|{EXTREME}|{DEICTIC})(?=$|\W)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Search:
    """What to hand to search_movies. ``capped``: more was asked for than is shown."""

    query: str
    k: int | None = None
    capped: bool = False
    explore: float | None = None
    refinements: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    use_taste: bool = True

    @property
    def args(self) -> dict[str, object]:
        """The arguments of the tool call."""
        args: dict[str, object] = {"query": self.query}
        for name in ("k", "explore"):
            if (said := getattr(self, name)) is not None:
                args[name] = said
        for name in ("refinements", "liked", "disliked"):
            if said := getattr(self, name):
                args[name] = list(said)
        return args if self.use_taste else args | {"use_taste": False}

    @classmethod
    def again(cls, conversation: Conversation, **changed: object) -> "Search":
        """The latest search, with something changed."""
        return cls.of(conversation.last_search, **changed)

    @classmethod
    def of(cls, args: Mapping[str, object], **changed: object) -> "Search":
        """A search by the arguments of its tool call, with something changed."""
        names = ("query", "k", "explore", "refinements", "liked", "disliked", "use_taste")
        earlier = {name: args[name] for name in names if name in args} | changed
        if "refinements" in changed:
            earlier["explore"] = _daring(earlier)
        listed = {name: tuple(v) for name, v in earlier.items() if isinstance(v, list)}
        return cls(**({"query": ""} | earlier | listed))  # type: ignore[arg-type]


def _daring(args: Mapping[str, object]) -> float | None:
    """How daring the wish of a search is, by the last of its parts that says so; who wants to be
    surprised does not want that for somebody else.
    """
    refinements = args["refinements"]
    said = [args.get("query", ""), *(refinements if isinstance(refinements, tuple) else ())]
    for words in map(str, reversed(said)):
        daring = asked_to_explore(words)
        if daring is not None or for_others(_recipients().find(Words.parse(words))):
            return daring
    return None


def without_greeting(text: str) -> str:
    """The message after a "Hi, …" at its start."""
    return _HELLO.sub("", text.strip(), count=1)


def asks_for_more(text: str) -> bool:
    """Whether a message asks for more of the same, such as "what else?"."""
    return bool(_MORE.match(plain(text)))


def says_how_many(text: str) -> bool:
    """Whether a message begins with a number of films: "only 3, please", "show me 3 westerns"."""
    counted = _COUNTED.match(text)
    return bool(_ONLY_COUNT.match(text) or (counted and (counted["n"] or counted["m"])))


def read_search(text: str, conversation: Conversation, titles: Titles) -> Search:
    """The person's own words, with what they leave to the conversation put in."""
    if titles.match(text):
        return Search(text)
    if asks_for_more(text):
        return _more(text, conversation)
    if conversation.last_search and (only := _ONLY_COUNT.match(text)):
        return _again(conversation, _number(only["n"]))
    words, count = _counted(_NO.sub("", text))
    pointed = _with_titles(words, conversation, titles)
    k = None if count is None else min(max(count, 1), MOST_SHOWN)
    capped = (count or 0) > MOST_SHOWN
    earlier = conversation.last_search.get("query")
    refines = pointed == words and len(words.split()) <= _REFINE_WORDS
    explore = asked_to_explore(words)
    if earlier and refines and _refines(plain(words)):
        changed = tuple(refined(conversation.refinements, words))
        said = k or _counted_before(conversation)
        return Search.again(conversation, k=said, capped=capped, refinements=changed)
    return Search(pointed, k, capped, explore)


def _refines(said: str) -> bool:
    """Whether a message changes the wish before it, rather than make one of its own."""
    if _OWN_WISH.search(said):
        return False
    if _REFINE.match(said) or _REFINES_TOO.search(said):
        return True
    guess = follow_ups().guess(said)
    return guess.label == "refine" and guess.reaches(_SCORE, _MARGIN)


@cache
def follow_ups() -> ExampleClassifier:
    """Tells changes of a wish from wishes."""
    return ExampleClassifier(prompts.follow_ups())


@cache
def _recipients() -> RecipientFinder:
    return RecipientFinder()


def _counted(text: str) -> tuple[str, int | None]:
    if found := _COUNTED.match(text):
        return found["rest"].strip(), _number(next(found[g] for g in "nmbo" if found[g]))
    if found := _COUNTED_LAST.match(text):
        return found["rest"].strip(), _number(found["n"])
    return text, None


def _number(word: str) -> int:
    return _NUMBERS[word.lower()] if word.lower() in _NUMBERS else int(word)


def _more(text: str, conversation: Conversation) -> Search:
    count = re.search(_COUNT, text, re.IGNORECASE)
    more = _number(count["n"]) if count else _counted_before(conversation) or DEFAULT_K
    return _again(conversation, len(conversation.shown) + more)


def _counted_before(conversation: Conversation) -> int | None:
    """How many films the wish was said to be for; "more" of them changes nothing of that."""
    searches = reversed(conversation.searches)
    k = next((args.get("k") for said, args in searches if not asks_for_more(said)), None)
    return k if isinstance(k, int) else None


def _again(conversation: Conversation, count: int) -> Search:
    """The latest search for another number of films."""
    k = min(max(count, 1), MOST_SHOWN)
    return Search.again(conversation, k=k, capped=count > MOST_SHOWN)


def _with_titles(text: str, conversation: Conversation, titles: Titles) -> str:
    def named(pointer: re.Match[str]) -> str:
        title = title_of(pointer["film"], conversation, titles)
        return f"{pointer[1]} {title}" if title else pointer[0]

    return _POINTED.sub(named, text)
