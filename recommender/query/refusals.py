"""What a query wants less of: "less sad", "not too scary"."""

from collections.abc import Iterator
from typing import Any

from recommender.query.lexicon import load
from recommender.query.words import Span, Words, keys_of

_LEXICON: dict[str, Any] = load("refusals")
_TAGS: dict[str, list[str]] = _LEXICON["words"]
_MEANT = {word: word for word in _TAGS} | _LEXICON["same"]
_INTRODUCTIONS = sorted(map(keys_of, _LEXICON["introductions"]), key=len, reverse=True)


def find_refusals(words: Words) -> Iterator[tuple[Span, str]]:
    """The spans that refuse something, and what: a word that `tags_refused` knows."""
    for index in range(len(words)):
        meant = _MEANT.get(words.key(index))
        introduction = meant and _introduction(words, index)
        if meant and introduction:
            yield Span(index - introduction, index + 1), meant


def tags_refused(refused: tuple[str, ...]) -> frozenset[str]:
    """The tags of films that have what is refused."""
    return frozenset(tag for word in refused for tag in _TAGS.get(word, ()))


def _introduction(words: Words, end: int) -> int:
    """How many words before ``end`` say that the next one is refused."""
    for said in _INTRODUCTIONS:
        if words.window(Span(end - len(said), end)) == said:
            return len(said)
    return 0
