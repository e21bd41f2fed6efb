"""For whom a film is asked: "for my kids", "for a friend", "for someone else"."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from recommender.query.lexicon import Phrases, load
from recommender.query.words import Span, Words

OLDEST_CHILD = 12
MOST_DESCRIBING = 4
_LEXICON: dict[str, Any] = load("recipients")
_WORDS = {name: frozenset(listed) for name, listed in _LEXICON["words"].items()}
_NUMBERS: dict[str, int] = _LEXICON["numbers"]
_MINE = frozenset({"my", "our"})
_KNOWN = _MINE | {"the"}
_ARTICLES = frozenset({"a", "an", "some"})


@dataclass(frozen=True)
class Recipient:
    """The words that say for whom the film is; ``young``: for a child.

    ``gentle``: for a child or for one's elders, to whom few would show what is gory. ``together``:
    with the person who asks.
    """

    span: Span
    young: bool
    gentle: bool
    together: bool = False


@dataclass(frozen=True)
class _Person:
    end: int
    young: bool


class RecipientFinder:
    """Finds for whom a film is asked, if not for the person who asks.

    A wish for a kind of film ("for kids", "for families") is for nobody in particular.
    """

    def __init__(self) -> None:
        self._owned = Phrases(dict.fromkeys(_LEXICON["owned"], False), plurals=True)
        self._named = Phrases(dict.fromkeys(_LEXICON["named"], False), plurals=True)
        self._any = Phrases(dict.fromkeys(_LEXICON["any"], False), plurals=True)
        self._known = Phrases(dict.fromkeys(_LEXICON["known"], False))
        self._young = Phrases(dict.fromkeys(_LEXICON["young"], True), plurals=True)
        self._gentle = Phrases(dict.fromkeys(_LEXICON["gentle"], True), plurals=True)
        self._whole = Phrases.of(_LEXICON["whole"])
        self._pronouns = frozenset(_LEXICON["pronouns"])

    def find(self, words: Words) -> list[Recipient]:
        """All that are named, from left to right."""
        found: list[Recipient] = []
        for index in range(len(words)):
            named = words.key(index) in ("for", "with")
            recipient = self._after(words, index) if named else self._wishing(words, index)
            found += [recipient] if recipient else []
        return found

    def _wishing(self, words: Words, start: int) -> Recipient | None:
        """Who is said to wish: "my flatmate wants something weird"."""
        if words.key(start) not in _MINE or words.clause(start) != start:
            return None
        person = self._owner(words, start + 1)
        if person is None or words.key(person.end) not in _WORDS["wishes"]:
            return None
        span = Span(start, person.end + 1)
        return Recipient(span, person.young, self._is_gentle(words, span, young=person.young))

    def _is_gentle(self, words: Words, span: Span, *, young: bool) -> bool:
        indices = range(span.start, span.end)
        return young or any(self._gentle.starting(words, index) for index in indices)

    def _after(self, words: Words, start: int) -> Recipient | None:
        if _refused(words, start):
            return None
        company = words.key(start) == "with"
        if company and words.key(start + 1) not in _KNOWN:  # "with a friend" is of a story
            return None
        people = list(self._people(words, start + 1, told=_told(words, start)))
        if not people:
            return None
        end = people[-1].end
        if words.quoted(Span(start, end)):
            return None
        with_me = words.key(end) in ("and", "or") and words.key(end + 1) in _WORDS["me"]
        span = Span(_led(words, start), end + 2 if with_me else end)
        young = any(person.young for person in people)
        gentle = self._is_gentle(words, Span(start, end), young=young)
        return Recipient(span, young, gentle, together=company or with_me)

    def _people(self, words: Words, start: int, *, told: bool) -> Iterator[_Person]:
        """One person after the other ("my mum and dad"), each with what belongs to them."""
        person = self._person(words, start, told=told)
        while person:
            yield person
            if words.key(person.end) != "and":
                return
            further = person.end + 1
            person = self._person(words, further, told=told) or self._owner(words, further)

    def _person(self, words: Words, start: int, *, told: bool) -> _Person | None:
        """``told``: a story may be told here, in which only "my" points outside of it."""
        determiner = words.key(start)
        if determiner in _MINE:
            return self._owner(words, start + 1)
        if told:
            return None
        if whole := self._whole.starting(words, start):
            return _Person(_occasion(words, whole[0].end), young=False)
        if determiner in _ARTICLES:
            return self._described(words, start + 1, self._any)
        if determiner == "the":
            return self._described(words, start + 1, self._known, self._young)
        if determiner in _WORDS["possessives"] and _occasion(words, start + 1) > start + 1:
            return _Person(_occasion(words, start + 1), young=False)
        if determiner in self._pronouns and _ends(words, start):
            return _Person(start + 1, young=False)
        return self._described(words, start, self._named)

    def _owner(self, words: Words, start: int) -> _Person | None:
        return self._described(words, start, self._owned, self._young)

    def _described(self, words: Words, start: int, *nouns: Phrases[bool]) -> _Person | None:
        """A person with the words that describe them before, and an occasion after."""
        index, grown, aged = start, False, None
        while index < start + MOST_DESCRIBING:
            if found := _longest(words, index, nouns):
                young = not grown and (found[1] if aged is None else aged <= OLDEST_CHILD)
                return _Person(_occasion(words, found[0].end), young)
            if age := _age(words, index):
                index, aged = age
            elif words.key(index) in _WORDS["describing"]:
                grown = grown or words.key(index) in _WORDS["grown"]
                index += 1
            else:
                break
        return None if aged is None else _Person(index, aged <= OLDEST_CHILD)


def for_others(recipients: Iterable[Recipient]) -> bool:
    """Whether the person who asks is not among those for whom the film is."""
    return any(not recipient.together for recipient in recipients)


def _longest(
    words: Words, start: int, nouns: tuple[Phrases[bool], ...]
) -> tuple[Span, bool] | None:
    found = [match for phrases in nouns if (match := phrases.starting(words, start))]
    return max(found, default=None)


def _refused(words: Words, start: int) -> bool:
    """Whether "for" belongs to a verb, or to what the film should not be."""
    before = words.key(start - 1)
    return before in _WORDS["refusals"] or words.key(start - 2) in ("too", "not", "isnt")


def _told(words: Words, start: int) -> bool:
    return any(words.key(index) in _WORDS["story"] for index in range(words.clause(start), start))


def _led(words: Words, start: int) -> int:
    """Where what leads to "for" begins: "as a gift for", "suitable for"."""
    if words.key(start - 1) not in _WORDS["leading"] or words.pauses(start - 1):
        return start
    start -= 1
    while words.key(start - 1) in _WORDS["before_leading"]:
        start -= 1
    return start


def _age(words: Words, start: int) -> tuple[int, int] | None:
    """Where an age ends, and the years: "6 year old", "six-year-olds", "6yo"."""
    key = words.key(start)
    if key.endswith("yo") and key[:-2].isdecimal():
        return start + 1, int(key[:-2])
    if not key.isdecimal() and key not in _NUMBERS:
        return None
    if words.key(start + 1) not in _WORDS["years"] or words.key(start + 2) not in _WORDS["old"]:
        return None
    months = words.key(start + 1).startswith("month")
    return start + 3, 0 if months else int(key) if key.isdecimal() else _NUMBERS[key]


def _occasion(words: Words, start: int) -> int:
    """Where the occasion that follows ends ("daughter's birthday party"), if one does."""
    while words.key(start) in _WORDS["occasions"] and not words.pauses(start - 1):
        start += 1
    return start


def _ends(words: Words, index: int) -> bool:
    return words.pauses(index) or words.key(index + 1) in ("tonight", "to", "please", "this")
