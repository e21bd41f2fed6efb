"""Words of a film's length, which no catalogue here says: they are not looked for."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from recommender.query.genres import described_phrases
from recommender.query.lexicon import load
from recommender.query.words import Span, Words

Kind = Literal["runtime", "length"]
"""Whether a film of some length is wished for, or a shorter or longer one."""

_LEXICON: dict[str, Any] = load("lengths")
_COMPARED = frozenset(_LEXICON["compared"])
_PLAIN = frozenset(_LEXICON["plain"])
_DEGREES = frozenset(_LEXICON["degrees"])
_REFUSED = frozenset(_LEXICON["refused"])
_OPENERS = frozenset(_LEXICON["openers"])
_CLOSERS = frozenset(_LEXICON["closers"])
_DURATION = re.compile(
    rf"\b(?:(?:{'|'.join(_LEXICON['limits'])}) )(?:an?|one|two|three|\d+(?: \d)?)(?: and a half)? ?"
    r"(?:h(?:ou)?rs?|h|min(?:ute)?s?)\b(?: long)?"
)


class LengthFinder:
    """Finds words that say how long a film should be: "something short", "under two hours"."""

    def __init__(self) -> None:
        self._described = described_phrases()

    def find(self, words: Words) -> Iterator[tuple[Span, Kind]]:
        """Where such words stand, and what they are about."""
        plain, owners = words.plain
        durations = [
            Span(owners[match.start()], owners[match.end() - 1] + 1)
            for match in _DURATION.finditer(plain)
        ]
        durations = [span for span in durations if self._closes(words, span.end)]
        yield from ((span, "runtime") for span in durations)
        words = words.take(durations)
        for index in range(len(words)):
            start = _with_degrees(words, index)
            refused = not _REFUSED.isdisjoint(words.keys[start:index])
            compared = words.key(index) in _COMPARED and self._closes(words, index + 1)
            said = words.key(index) in _PLAIN and self._describes(
                words, start, index, refused=refused
            )
            if compared or said:
                yield Span(start, index + 1), "length" if compared or refused else "runtime"

    def _closes(self, words: Words, end: int) -> bool:
        """Whether a length may end here: "a short comedy", "something short and funny"."""
        ends = words.pauses(end - 1) or words.key(end) in _CLOSERS
        return ends or self._described.starting(words, end) is not None

    def _describes(self, words: Words, start: int, index: int, *, refused: bool) -> bool:
        """Whether the word is said of the film: "a short comedy", not "life is short"."""
        if self._described.starting(words, index + 1):
            return True
        if refused or words.key(start - 1) in _OPENERS:
            return self._closes(words, index + 1) or (refused and words.key(index + 1) == "as")
        return words.pauses(index) and (start < index or words.clause(index) == index)


def _with_degrees(words: Words, index: int) -> int:
    while words.key(index - 1) in _DEGREES and not words.pauses(index - 1):
        index -= 1
    return index - (words.key(index - 1) == "nothing" and not words.pauses(index - 1))
