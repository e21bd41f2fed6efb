"""Recognises a query that is a film's title and nothing else."""

from collections.abc import Sequence

from recommender.models import Item
from recommender.query.lexicon import Phrases, load
from recommender.query.titles import TitleIndex, is_year, title_key
from recommender.query.words import Span, Words

LONGEST = 15
_RELATIONS = frozenset(load("titles")["words"]["relations"])
_NOUNS = Phrases.of(["the film", "the movie", "film", "movie"])


class Lookup:
    """Recognises a query that is a film's title, give or take a year and the word "film"."""

    def __init__(self, index: TitleIndex, plain: Phrases[Sequence[str]]) -> None:
        """``plain``: phrases that, in lower case, mean themselves rather than a film."""
        self._index = index
        self._plain = plain

    def whole(self, words: Words) -> tuple[Span, Item] | None:
        """The film, and where its title stands, if the whole query is its title."""
        if not len(words) or self._is_plain(words):
            return None
        return self._named(words, Span(0, len(words))) or self._named(words, _bare(words))

    def asked(self, words: Words) -> tuple[Span, Item] | None:
        """The film, if it is all that the words of asking ("I want to watch ...") leave over."""
        rest = words.left()
        if not rest or not self._is_name(words, rest):
            return None
        before = words.words[rest.start - 1].key if rest.start else ""
        if before in _RELATIONS:
            return None
        return self._named(words, rest, misspelt=not words.topic(rest.start))

    def _named(
        self, words: Words, span: Span, *, misspelt: bool = True
    ) -> tuple[Span, Item] | None:
        if span.end - span.start > LONGEST:
            return None
        year = words.key(span.end - 1)
        shorter = Span(span.start, span.end - 1)
        dated = is_year(year) and shorter.start < shorter.end
        for search in (self._index.exact, self._index.close)[: 1 + misspelt]:
            if items := search(words.window(span)):
                return span, items[0]
            if dated and (items := search(words.window(shorter))):
                return shorter, min(items, key=lambda item: abs((item.year or 0) - int(year)))
        return None

    def _is_name(self, words: Words, span: Span) -> bool:
        """Whether words left of a longer query look like a name rather than a wish."""
        keys = words.window(span)
        capitals = all(words.capital(i) for i in range(*span))
        return (
            not self._index.ordinary(keys)
            or (capitals and not title_key(keys).isdigit())
            or len(keys) > 3
        )

    def _is_plain(self, words: Words) -> bool:
        lower = not any(word.text[:1].isupper() for word in words.words)
        return lower and "".join(words.keys) in self._plain


def _bare(words: Words) -> Span:
    """The whole query without "the film" before and "film" after."""
    start, end = 0, len(words)
    if len(words) > 1 and (before := _NOUNS.starting(words, 0)):
        start = before[0].end if before[0].end < end else 0
    if (after := _NOUNS.ending(words, end)) and after[0].start > start:
        end = after[0].start
    return Span(start, end)
