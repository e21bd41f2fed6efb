"""What a query wants less of: "less sad", "not too scary"."""

from collections.abc import Collection, Iterator
from typing import Any

from recommender.query.lexicon import load
from recommender.query.words import Span, Words, keys_of

_LEXICON: dict[str, Any] = load("refusals")
_TAGS: dict[str, list[str]] = _LEXICON["words"]
_MEANT = {word: word for word in _TAGS} | _LEXICON["same"]
_GENRES = frozenset(_LEXICON["genres"])
_NEGATORS = frozenset(map(keys_of, _LEXICON["negators"]))
_INTRODUCTIONS = sorted(
    _NEGATORS.union(map(keys_of, _LEXICON["introductions"])), key=len, reverse=True
)


def find_refusals(words: Words) -> Iterator[tuple[Span, str]]:
    """The spans that refuse something, and what: a word that `tags_refused` knows."""
    for index in range(len(words)):
        meant = _MEANT.get(words.key(index))
        introduction = _introduction(words, index) if meant else ()
        if meant and introduction and not (meant in _GENRES and introduction in _NEGATORS):
            yield Span(index - len(introduction), index + 1), meant


def names_any(words: Words, meanings: Collection[str]) -> bool:
    """Whether any of the words is one of these, or means the same."""
    return any(_MEANT.get(words.key(index)) in meanings for index in range(len(words)))


def tags_refused(refused: tuple[str, ...]) -> frozenset[str]:
    """The tags of films that have what is refused."""
    return frozenset(tag for word in refused for tag in _TAGS.get(word, ()))


def _introduction(words: Words, end: int) -> tuple[str, ...]:
    """The words before ``end`` that say that the next one is refused; empty where none do."""
    windows = (said for said in _INTRODUCTIONS if words.window(Span(end - len(said), end)) == said)
    return next(windows, ())
