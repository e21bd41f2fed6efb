"""A query as words that can be matched, taken out, and put together again as written."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

SEPARATORS = r"\s\-‐-―/\\.,;:!?…()\[\]{}\"“”«»„·*|<>@#%=~^_¡¿"
_WORD = re.compile(rf"[&+]|[^{SEPARATORS}&+]+")
_PAUSES = re.compile(r"[.,;:!?…()\"“”«»|\n–—]")
_SENTENCE_ENDS = re.compile(r"[.!?…]")
_TOPICS, _ARTICLES = frozenset({"about", "on"}), frozenset({"a", "an", "the"})
_SYMBOLS = {"&": "and", "+": "and"}


def fold(text: str) -> str:
    """Lower-case without diacritics and punctuation ("Amélie!" → "amelie")."""
    if text.isascii():
        if text.isalnum():
            return text.lower()
        return "".join(filter(str.isalnum, text.lower()))
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filter(str.isalnum, decomposed))


def keys_of(text: str) -> tuple[str, ...]:
    """The folded words of a text."""
    if text.isascii() and text.replace(" ", "").isalnum():  # most names and titles
        return tuple(text.lower().split())
    return tuple(map(_key, _WORD.findall(text)))


class Span(NamedTuple):
    """Words ``start`` up to, not including, ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, its folded ``key``, and what follows it up to the next word."""

    text: str
    key: str
    start: int
    end: int
    after: str


@dataclass(frozen=True)
class Words:
    """The words of a query, some of them already taken as understood.

    A taken word has an empty key, so that nothing is matched across it.
    """

    source: str
    words: tuple[Word, ...]
    taken: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def parse(cls, text: str) -> "Words":
        """Split into words; punctuation and white space separate, apostrophes do not."""
        matches = list(_WORD.finditer(text))
        starts = [match.start() for match in matches] + [len(text)]
        return cls(
            text,
            tuple(
                Word(
                    match[0], _key(match[0]), match.start(), match.end(), text[match.end() : next_]
                )
                for match, next_ in zip(matches, starts[1:], strict=True)
            ),
        )

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The folded words, "" where taken."""
        return tuple("" if i in self.taken else word.key for i, word in enumerate(self.words))

    @cached_property
    def plain(self) -> tuple[str, list[int]]:
        """The keys joined by spaces ("|" where taken), and the word each character belongs to."""
        pieces = [key or "|" for key in self.keys]
        owners = [index for index, piece in enumerate(pieces) for _ in range(len(piece) + 1)]
        return " ".join(pieces), owners

    def key(self, index: int) -> str:
        """The folded word, "" where taken or outside."""
        return self.keys[index] if 0 <= index < len(self.keys) else ""

    def window(self, span: Span) -> tuple[str, ...]:
        """The folded words of a span; empty if it leaves the text or holds a taken word."""
        keys = self.keys[max(span.start, 0) : span.end]
        complete = span.start >= 0 and len(keys) == span.end - span.start and all(keys)
        return keys if complete else ()

    def following(self, start: int, most: int) -> tuple[str, ...]:
        """The folded words from ``start`` on, up to the next taken one."""
        keys = self.keys[start : start + most]
        return keys[: keys.index("")] if "" in keys else keys

    def pauses(self, index: int) -> bool:
        """Whether a stretch of words ends with this one: punctuation, a taken word, the end."""
        if not 0 <= index < len(self.words) - 1 or index + 1 in self.taken or index in self.taken:
            return True
        return bool(_PAUSES.search(self.words[index].after))

    def ends_sentence(self, index: int) -> bool:
        """Whether a full stop, question or exclamation mark follows the word."""
        return bool(_SENTENCE_ENDS.search(self.words[index].after))

    def clause(self, index: int) -> int:
        """The index where the stretch of words that holds ``index`` begins."""
        while index > 0 and not self.pauses(index - 1):
            index -= 1
        return index

    def capital(self, index: int) -> bool:
        """Whether the word is written with a capital or as a number."""
        return not self.words[index].text[:1].islower()

    def topic(self, start: int) -> bool:
        """Whether what a film tells of begins here, taken or not: seldom a title or a person, and
        then one that is spelt right.
        """
        while start > 0 and self.words[start - 1].key in _ARTICLES:
            start -= 1
        return start > 0 and self.words[start - 1].key in _TOPICS

    def quoted(self, span: Span) -> bool:
        """Whether quotation marks stand around the span."""
        first, last = self.words[span.start], self.words[span.end - 1]
        before = self.source[: first.start].rstrip()[-1:] + first.text[:1]
        after = last.text[-1:] + last.after.lstrip()[:1]
        return bool(re.search("[\"“«„'‘]", before) and re.search("[\"”»“'’]", after))

    def take(self, spans: Iterable[Span]) -> "Words":
        """The same words with these spans taken."""
        indices = _indices(spans)
        return self if indices <= self.taken else replace(self, taken=self.taken | indices)

    def give_back(self, spans: Iterable[Span]) -> "Words":
        """The same words with these spans no longer taken."""
        return replace(self, taken=self.taken - _indices(spans))

    def parts(self) -> list[Span]:
        """The stretches of words between semicolons."""
        ends = [index + 1 for index, word in enumerate(self.words) if ";" in word.after]
        return [Span(*part) for part in pairwise([0, *ends, len(self)])]

    def left(self) -> Span | None:
        """Where the words not taken stand, if they stand side by side."""
        kept = [index for index, key in enumerate(self.keys) if key]
        if not kept or kept[-1] - kept[0] + 1 != len(kept):
            return None
        return Span(kept[0], kept[-1] + 1)

    def only(self, span: Span) -> "Words":
        """The same words with all outside this span taken."""
        return self.take([Span(0, span.start), Span(span.end, len(self))])

    def text(self) -> str:
        """The words not taken, as they were written; where some were taken, a space."""
        kept = [i for i in range(len(self.words)) if i not in self.taken]
        pieces: list[str] = []
        for position, index in enumerate(kept):
            word = self.words[index]
            runs_on = kept[position + 1 : position + 2] == [index + 1]
            pieces.append(word.text + (word.after if runs_on else " "))
        return " ".join("".join(pieces).split())


def _key(text: str) -> str:
    return _SYMBOLS.get(text) or fold(text) or text.lower()


def _indices(spans: Iterable[Span]) -> frozenset[int]:
    return frozenset(index for start, end in spans for index in range(start, end))
