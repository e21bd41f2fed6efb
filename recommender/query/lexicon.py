"""The word lists of ``lexicon/*.toml``, and phrases that are found in words."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from recommender.query.words import Span, Words, keys_of

Value = TypeVar("Value")


@cache
def load(name: str) -> dict[str, Any]:
    """Read one word list. The result is shared: do not change it."""
    source = files("recommender.query").joinpath("lexicon", f"{name}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


@cache
def english_words() -> frozenset[str]:
    """Common words of English, which are not taken for the misspelt name of something."""
    return frozenset(load("english")["words"].split())


class Phrases(Generic[Value]):
    """Phrases and what they mean. Of "sci fi", "sci-fi" and "scifi" are other spellings."""

    def __init__(self, meanings: Mapping[str, Value], *, plurals: bool = False) -> None:
        phrases = [(keys_of(text), value) for text, value in meanings.items()]
        if plurals:
            phrases = [((*p[:-1], f"{p[-1]}s"), value) for p, value in phrases] + phrases
        self._values = {"".join(phrase): value for phrase, value in phrases}
        self._firsts = {phrase[0] for phrase, _ in phrases} | self._values.keys()
        self._lasts = {phrase[-1] for phrase, _ in phrases} | self._values.keys()
        self._longest = max((len(phrase) for phrase, _ in phrases), default=0)

    @classmethod
    def of(cls, phrases: Iterable[str]) -> "Phrases[str]":
        """Phrases that mean themselves."""
        return Phrases({phrase: phrase for phrase in phrases})

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    @property
    def keys(self) -> list[str]:
        """The phrases, folded and without spaces."""
        return list(self._values)

    def starting(self, words: Words, start: int) -> tuple[Span, Value] | None:
        """The longest phrase that begins at ``start``."""
        if words.key(start) not in self._firsts:
            return None
        for end in range(min(start + self._longest, len(words)), start, -1):
            found = self._values.get("".join(words.window(Span(start, end))))
            if found is not None:
                return Span(start, end), found
        return None

    def ending(self, words: Words, end: int) -> tuple[Span, Value] | None:
        """The longest phrase that ends just before ``end``."""
        if words.key(end - 1) not in self._lasts:
            return None
        for start in range(max(end - self._longest, 0), end):
            found = self._values.get("".join(words.window(Span(start, end))))
            if found is not None:
                return Span(start, end), found
        return None

    def all(self, words: Words) -> list[tuple[Span, Value]]:
        """All phrases from left to right, the longest first, without overlap."""
        found: list[tuple[Span, Value]] = []
        index = 0
        while index < len(words):
            match = self.starting(words, index)
            if match:
                found.append(match)
            index = match[0].end if match else index + 1
        return found


def shares_negation(
    words: Words, start: int, negators: Phrases[str], alternatives: frozenset[str]
) -> bool:
    """Whether "or" ties the word at ``start`` to a refusal before ("no violence or horror")."""
    if words.key(start - 1) not in alternatives or words.pauses(start - 2):
        return False
    return any(negators.ending(words, end) for end in range(max(start - 4, 1), start - 1))


def negated(
    words: Words, start: int, negators: Phrases[str], between: frozenset[str]
) -> int | None:
    """Where the negation that governs the word at ``start`` begins; None if there is none.

    "Why not ..." suggests. A negation ends with its sentence ("I have not! A mystery is what ...").
    """
    index = start
    while index > 0 and start - index <= 6 and not words.ends_sentence(index - 1):
        match = negators.ending(words, index)
        if match:
            suggested = words.key(match[0].start - 1) == "why"
            return None if suggested else match[0].start
        if words.key(index - 1) not in between:
            return None
        index -= 1
    return None
