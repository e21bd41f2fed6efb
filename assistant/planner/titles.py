"""Film titles of the catalogue, as people name them in a sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.kept import JSON, UNKEPT, Kept
from recommender.query.lexicon import english_words
from recommender.query.spelling import Spellings, typing_errors
from recommender.query.titles import parts as halves
from recommender.query.titles import title_key as joined_key
from recommender.query.titles import without_article
from recommender.query.words import keys_of
from recommender.text import bare_title

_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"(\s*(?:,\s*and\b|,\s*or\b|[,;&]|\band\b|\bor\b)\s*)", re.IGNORECASE)
_YEAR = re.compile(r"\s*\((?:18|19|20)\d\d\)$")
_DATED = re.compile(r"\s*\(((?:18|19|20)\d\d)\)")
_PRONOUNS = frozenset("I It He Her Him She That Them They This Us We You".split())
_TELLING_WORDS = 3
_MOST_WORDS = 12
"""Words of the longest title looked for inside a sentence."""
_MOST_PARTS = 7
"""Pieces, separators included, that one title of a list may have."""
MOST_LISTED = 12
"""Films read from one list."""


_NO_TITLES = frozenset("it i me you us her him they one two three four five ten".split())


@dataclass(frozen=True)
class Mention:
    """A title that stands in a text; ``sure``: it can hardly be anything but a title."""

    title: str
    start: int
    end: int
    sure: bool


class Titles:
    """The titles of a catalogue; matching ignores case, accents, punctuation and articles."""

    def __init__(self, titles: Sequence[str], kept: Kept = UNKEPT) -> None:
        self._count = len(titles)
        self._by_key: Mapping[str, str] = kept.get(
            "bare_titles", lambda: {title_key(title): title for title in titles}, JSON
        )
        self._by_name: Mapping[str, str] = kept.get("title_names", lambda: _names(titles), JSON)

    def __len__(self) -> int:
        """How many films there are; some share a title."""
        return self._count

    def match(self, text: str) -> str | None:
        """The title that ``text`` as a whole names, small misspellings allowed.

        So do a part of it and its number ("godfather 2"); another number is another film.
        """
        if title := self.exact(text) or self.called(text):
            return title
        words = keys_of(_YEAR.sub("", text.strip()))
        name = _name(words)
        if name in self._by_name or all(w in english_words() or w.isdecimal() for w in words):
            return self._by_name.get(name)
        near = self._spellings.nearest(name, typing_errors(name))
        return self._by_name[near] if near and _digits(near) == _digits(name) else None

    def exact(self, text: str) -> str | None:
        """The title that ``text`` as a whole names, spelt right."""
        return self._by_key.get(title_key(text))

    def called(self, text: str) -> str | None:
        """The title that ``text`` names by a part that can hardly be anything else: one with a
        number ("godfather part ii") or several words ("empire strikes back").
        """
        words = keys_of(text)
        name = _name(words)
        numbered = _digits(name) and not name.isdecimal()
        return self._by_name.get(name) if numbered or len(words) >= _TELLING_WORDS else None

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._by_name)

    def mentioned(self, text: str) -> str | None:
        """The longest title that stands in ``text``, with a capital at its start."""
        words = list(_WORD.finditer(text))
        for length in range(min(len(words), _MOST_WORDS), 0, -1):
            for first, last in zip(words, words[length - 1 :], strict=False):
                title = self.exact(text[first.start() : last.end()])
                apart = _stands_apart(text[: first.start()], first[0], text[last.end() :])
                if title and apart and _starts_like_a_title(first[0]):
                    return title
        return None

    def named(self, text: str) -> list[Mention]:
        """The titles that stand in ``text``, in any case; none overlaps another."""
        words = list(_WORD.finditer(text))
        found: list[Mention] = []
        start = 0
        while start < len(words):
            end, mention = self._longest_named(text, words, start)
            start = end if mention else start + 1
            found += [mention] if mention else []
        return found

    def _longest_named(
        self, text: str, words: list[re.Match[str]], start: int
    ) -> tuple[int, Mention | None]:
        for end in range(min(len(words), start + _MOST_WORDS), start, -1):
            first, last = words[start].start(), words[end - 1].end()
            title = self.exact(text[first:last]) or self.called(text[first:last])
            if title and title_key(text[first:last]) not in _NO_TITLES:
                several = len(title_key(title).split()) > 1
                capital = first > 0 and _starts_like_a_title(text[first])
                return end, Mention(title, first, last, several or capital)
        return start, None

    def leading(self, text: str) -> str | None:
        """The longest title that ``text`` begins with, however it is written."""
        words = list(_WORD.finditer(text))[:_MOST_WORDS]
        ends = (word.end() for word in reversed(words))
        return next((title for end in ends if (title := self.exact(text[:end]))), None)

    def dated(self, text: str) -> list[tuple[str, int]]:
        """The titles that a year in brackets follows, each with that year, however written."""
        found = []
        for year in _DATED.finditer(text):
            words = list(_WORD.finditer(text, 0, year.start()))
            starts = [word.start() for word in words[-_MOST_WORDS:]]
            names = (self.exact(text[start : year.start()]) for start in starts)
            if title := next(filter(None, names), None):
                found.append((title, int(year[1])))
        return found

    def split(self, text: str) -> list[str]:
        """The films listed in ``text``: "Heat, Alien and Crouching Tiger, Hidden Dragon" is three.

        What is no known title is split at every separator; a list ends after ``MOST_LISTED``.
        """
        parts = _SEPARATOR.split(text)
        films: list[str] = []
        start = 0
        while start < len(parts) and len(films) < MOST_LISTED:
            end = self._longest(parts, start)
            films.append("".join(parts[start:end]).strip())
            start = end + 1
        return [film for film in films if film]

    def _longest(self, parts: list[str], start: int) -> int:
        for end in range(min(len(parts), start + _MOST_PARTS), start + 1, -2):
            if self.match("".join(parts[start:end])):
                return end
        return start + 1


def is_pronoun(text: str) -> bool:
    """Whether a word in lower case points at something, though a film may be called so: "her"."""
    return text.islower() and (text in _NO_TITLES or text.capitalize() in _PRONOUNS)


def title_key(text: str) -> str:
    """The letters and digits of a title, without a year in brackets or a leading article."""
    return bare_title(_YEAR.sub("", text.strip()))


def _names(titles: Sequence[str]) -> dict[str, str]:
    """What films are called besides their titles: these with digits, and parts of several words."""
    whole: dict[str, str] = {}
    short: dict[str, str] = {}
    for title in titles:
        whole.setdefault(_name(keys_of(title)), title)
        for part in halves(title):
            if len(without_article(part)) > 1:
                short.setdefault(_name(part), title)
    return short | whole


def _name(words: Sequence[str]) -> str:
    return joined_key(without_article(words)) if words else ""


def _digits(name: str) -> list[str]:
    return re.findall(r"\d", name)


def _stands_apart(before: str, word: str, rest: str) -> bool:
    """Whether a capital tells: each sentence begins with one, and "It was good" means no film."""
    if not before.strip():
        return _ends_a_phrase(rest)
    return word not in _PRONOUNS or before.rstrip()[-1] not in ".!?"


def _ends_a_phrase(rest: str) -> bool:
    return not rest.strip() or rest[0] in ",.;:?!"


def _starts_like_a_title(word: str) -> bool:
    return word[0].isupper() or word[0].isdigit()
