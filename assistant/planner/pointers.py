"""Where in a message films shown are pointed at: "number 2", "the one with the tiger", "it"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from assistant.planner.conversation import Conversation
from assistant.planner.facts import Facts
from assistant.planner.titles import title_key
from recommender.query.lexicon import english_words
from recommender.text import fold
from tools.content import FilmLine

_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NUMBERS = "one two three four five six seven eight nine ten".split()
_NOUN = r"(?:ones?|films?|movies?|picks?|flicks?|suggestions?|recommendations?|options?|choices?)"
_NTH = rf"(?:{'|'.join(_ORDINALS)}|top|\d{{1,2}}(?:st|nd|rd|th))"
_NUMBER = rf"(?:\d{{1,2}}|{'|'.join(_NUMBERS)})"
_AND = r"(?: ?, ?(?:and |or )?| and | or | & | n )"
_SHOWN = (
    r"(?: (?:you|u) (?:\w+ )?(?:showed|mentioned|listed|gave|said|suggested|recommended)(?: me)?)?"
)
_FOLLOWS = (
    r"(?=\W*$|\s*[,.;:?!)–-]|\s+(?:was|is|were|are|looks?|sounds?|seems?|"
    r"i|we|and|or|but|on|in your|"
    r"here|there|please|pls|plz|why|who|what|when|how|then|tho|though|too|instead|again|if|made|"
    r"really|just|from the (?:top|list)|of (?:these|those|them|the list))\b)"
)
_FROM_END = re.compile(
    rf"(?:the )?(?:(?:(?P<nth>{_NTH})[ -](?:to |from )?(?:the )?(?:last|bottom|end)|"
    rf"(?P<second>penultimate|(?:last but|next to) (?:one|last)))(?: {_NOUN})?|"
    rf"(?:last|bottom|final)(?: {_NOUN}{_SHOWN}|{_FOLLOWS}))"
)
_MIDDLE = re.compile(rf"(?:the )?(?:middle|central)(?: {_NOUN}|{_FOLLOWS})")
_SEVERAL = re.compile(rf"(?:the )?(?P<end>first|top|last|bottom) (?P<n>{_NUMBER})\b(?: {_NOUN})?")
_PLACES = re.compile(
    rf"(?:the )?(?P<nth>{_NTH}(?:(?: {_NOUN})?{_AND}(?:the )?{_NTH})*)"
    rf"(?: {_NOUN}{_SHOWN}|{_FOLLOWS})"
    rf"|\b(?:numbers?|nos?\.?|nr\.?|#) ?(?P<number>{_NUMBER}(?:{_AND}(?:number )?#?{_NUMBER})*)\b"
    rf"|(?<![\w/.])(?P<bare>\d{{1,2}}(?:{_AND}\d{{1,2}})*)(?![\w/%.']| ?(?:out of|films?|movies?|"
    r"years?|hours?|h\b|min\w*|stars?|more|times))"
)
_ON_THE_LIST = re.compile(
    rf"\b(?:the|your) (?P<nth>{_NTH}) (?:ones?|picks?|suggestions?|options?)\b"
)
_EXTREME = re.compile(
    r"(?:the )?(?:very )?(?P<old>oldest|earliest)?(?(old)|(?:newest|latest|most recent))"
    rf"(?: {_NOUN}|(?: of (?:these|those|them|the lot))|{_FOLLOWS}){{1,2}}"
)
_BEFORE = re.compile(rf"\b(?:the|that|this) (?P<what>(?:(?!one\b)[\w'-]+ ){{1,4}}?){_NOUN}\b")
_AFTER = re.compile(
    rf"\b(?:the|that) {_NOUN} (?:\w+ )?(?:with|about|in|on|set|where|from|of|by|starring|directed|"
    r"that|at|featuring|called)\b ?(?P<what>[^,.;?!–]+?)"
    r"(?=$|[,.;?!–]| - | (?:was|is|were|are|i|we|looks?|sounds?|who|why|when|please|tho|though)\b)"
)
_DEICTIC = re.compile(
    r"\b(?:(?:this|that) (?:one|film|movie|flick|pick)|it(?!')|it(?='s\b)|"
    r"that(?! (?:i|you|we|is|was|\w+s)\b)|this(?= *(?:\W*$|one\b|film\b|movie\b)))\b"
)
_SAME = r"(?:the|that|this) same"
_MAKER = re.compile(
    r"\b(?:(?:films|movies|stuff|ones?|something|anything|more|else|others?|another) )*"
    r"(?:(?:by|from) (?:him|her|them)|of (?:his|hers)|"
    rf"(?:by|from|with) {_SAME} (?:director|filmmaker|maker|guy|person)|"
    r"(?:his|her|their) other (?:films|movies|work|stuff)|"
    r"(?:what|which) (?:else|other (?:films|movies)) (?:did|has|have) (?:he|she|they) "
    r"(?:direct(?:ed)?|made?|make))\b",
    re.IGNORECASE,
)
_PLAYER = re.compile(
    rf"\bwith (?:(?:him|her) in it|{_SAME} (?:actors?|actress(?:es)?|leads?|stars?|cast))\b",
    re.IGNORECASE,
)
_ALIKE = re.compile(r"\b(?:like|as|to|of) it\b")
_NOT_ONE = re.compile(
    r"\b(?:not|without|except|other than|(?:any|every)(?:one|body|thing) but) (?:him|her)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:actually|no|nah|ok(?:ay)?|oh|well|wait|sorry|then|rather|maybe)\b[,. ]*)+",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w[\w'’-]*")
_COMMON = frozenset(
    "it up us her him big you me them they once home go now yes one film movie".split()
)
_TELLING = 5
"""Letters from which on a single word of a title names a film shown."""


@dataclass(frozen=True)
class Pointed:
    """The films pointed at, and the message with "it" in their place."""

    films: tuple[FilmLine, ...]
    masked: str
    start: int
    deictic: bool = False

    @property
    def says_more(self) -> bool:
        """Whether anything is said of the films: a bare "3" may as well be how many to show."""
        return without_lead(self.masked).strip(" .,!?") != "it"

    @property
    def wants_alike(self) -> bool:
        """Whether films like the one pointed at are wished for."""
        return bool(_ALIKE.search(self.masked))

    def named(self) -> str:
        """The message with the film's title in its place."""
        said, film = self.masked, self.films[0].title
        return f"{said[: self.start]}{film}{said[self.start + 2 :]}"


class Pointers:
    """Finds which of the films shown a message points at."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def find(self, text: str, conversation: Conversation) -> Pointed | None:
        """The films pointed at; None where none is, or where it is not clear which."""
        shown = conversation.shown
        said = _spelt(text)
        for films, start, end in self._found(said, shown):
            return Pointed(films, f"{said[:start]}it{said[end:]}", start)
        if conversation.focus and (it := _DEICTIC.search(said)):
            masked = f"{said[: it.start()]}it{said[it.end() :]}"
            return Pointed((conversation.focus,), masked, it.start(), deictic=True)
        return None

    def with_people(self, text: str, conversation: Conversation) -> str:
        """The message with names in the place of "by him" and "with the same actors", which mean
        the people of the film that was talked about, and of "not him", whose films were shown.
        """
        if _NOT_ONE.search(text) and len(conversation.people) == 1:
            text = _NOT_ONE.sub(f"not {conversation.people[0]}", text)
        if not conversation.focus:
            return text
        makers, cast = self._facts.people(conversation.focus)
        if makers:
            text = _MAKER.sub(f"films by {' and '.join(makers)}", text)
        return _PLAYER.sub(f"with {cast[0]}", text) if cast else text

    def beyond(self, text: str, conversation: Conversation) -> bool:
        """Whether a message points at a place that the list of films shown does not have."""
        found, count = _ON_THE_LIST.search(_spelt(text)), len(conversation.shown)
        return bool(found and count and _ordinal(found["nth"]) > count)

    def _found(
        self, said: str, shown: tuple[FilmLine, ...]
    ) -> Iterator[tuple[tuple[FilmLine, ...], int, int]]:
        if not shown:
            return
        yield from _titled(said, shown)
        for places, start, end in _placed(said, len(shown)):
            yield tuple(shown[place] for place in places), start, end
        if (extreme := _EXTREME.search(said)) and (dated := [f for f in shown if f.year]):
            dated.sort(key=lambda film: film.year or 0)
            yield (dated[0 if extreme["old"] else -1],), extreme.start(), extreme.end()
        yield from self._described(said, shown)
        yield from _titled_in_part(said, shown)

    def _described(
        self, said: str, shown: tuple[FilmLine, ...]
    ) -> Iterator[tuple[tuple[FilmLine, ...], int, int]]:
        for pattern in (_AFTER, _BEFORE):
            for found in pattern.finditer(said):
                words = list(_WORD.finditer(found["what"]))
                fitting = self._facts.fitting([word[0] for word in words], shown)
                if fitting is None:
                    continue
                film, last = fitting
                cut = found.start("what") + words[last - 1].end()
                yield (film,), found.start(), cut if pattern is _AFTER else found.end()


def without_lead(text: str) -> str:
    """A message without what only joins it to the one before: "actually no, the third"."""
    return _LEAD.sub("", text)


def _titled(
    said: str, shown: tuple[FilmLine, ...]
) -> Iterator[tuple[tuple[FilmLine, ...], int, int]]:
    """Films shown whose whole title stands in the message."""
    for film in sorted(shown, key=lambda film: -len(film.title)):
        key = title_key(film.title)
        words = r"\W+".join(map(re.escape, key.split()))
        found = re.search(rf"\b(?:the |an? )?{words}\b", said)
        if key and key not in _COMMON and found:
            yield (film,), found.start(), found.end()


def _titled_in_part(
    said: str, shown: tuple[FilmLine, ...]
) -> Iterator[tuple[tuple[FilmLine, ...], int, int]]:
    """The film shown of whose title alone a long word stands in the message: "totoro"; one of
    plain English ("in order") says nothing of it.
    """
    words = {film: set(title_key(film.title).split()) for film in shown}
    for word in _WORD.finditer(said):
        named = [film for film, known in words.items() if word[0] in known]
        if len(word[0]) >= _TELLING and word[0] not in english_words() and len(named) == 1:
            yield (named[0],), word.start(), word.end()


def _placed(said: str, count: int) -> Iterator[tuple[list[int], int, int]]:
    """Indices of the places named, and where in the message."""
    for pattern, read in (
        (_FROM_END, _from_end), (_MIDDLE, _middle), (_SEVERAL, _several), (_PLACES, _listed),
    ):  # fmt: skip
        for found in pattern.finditer(said):
            places = read(found, count)
            if places and all(0 <= place < count for place in places):
                yield places, found.start(), found.end()


def _from_end(found: re.Match[str], count: int) -> list[int]:
    if found["second"]:
        return [count - 2]
    return [count - (_ordinal(found["nth"]) if found["nth"] else 1)]


def _middle(_: re.Match[str], count: int) -> list[int]:
    return [count // 2] if count % 2 else []


def _several(found: re.Match[str], count: int) -> list[int]:
    n = _number(found["n"])
    return list(range(n) if found["end"] in ("first", "top") else range(count - n, count))


def _listed(found: re.Match[str], _: int) -> list[int]:
    if found["nth"]:
        return [_ordinal(nth) - 1 for nth in re.findall(_NTH, found["nth"])]
    numbers = re.findall(rf"\b{_NUMBER}\b", found["number"] or found["bare"])
    return [_number(number) - 1 for number in numbers]


def _ordinal(word: str) -> int:
    if word == "top":
        return 1
    return _ORDINALS.index(word) + 1 if word in _ORDINALS else int(word[:-2])


def _number(word: str) -> int:
    return _NUMBERS.index(word) + 1 if word in _NUMBERS else int(word)


def _spelt(text: str) -> str:
    """Folded, with the slips in ordinals mended: "the thrid one"."""
    said = " ".join(fold(text.replace("’", "'")).split())
    return re.sub(r"(?<=the )\w{4,7}\b", lambda word: _mended(word[0]), said)


def _mended(word: str) -> str:
    near = (nth for nth in _ORDINALS if OSA.distance(word, nth, score_cutoff=1) <= 1)
    return next(near, word)
