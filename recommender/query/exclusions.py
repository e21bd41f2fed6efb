"""Names whose films are refused: "not harry potter", "no disney", "anything but star wars"."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from recommender.catalogue import Catalogue
from recommender.query.genres import plain_phrases, strong_phrases
from recommender.query.lexicon import Phrases, english_words, load
from recommender.query.titles import TitleIndex, without_article
from recommender.query.words import Span, Words, keys_of

LONGEST = 16
_LEXICON: dict[str, Any] = load("exclusions")
_BETWEEN = frozenset(_LEXICON["between"])
_JOINERS = frozenset(_LEXICON["joiners"])
_ALTERNATIVES = frozenset(_LEXICON["alternatives"])
_NOUNS = frozenset(_LEXICON["nouns"])
_FOLLOWERS = _NOUNS | frozenset(_LEXICON["trailing"])
_BOUNDARIES = frozenset(_LEXICON["boundaries"]) | _FOLLOWERS
_UNMARKED = frozenset(_LEXICON["unmarked"])
_FIRMS = frozenset(_LEXICON["firms"])
_WISHES = frozenset(_LEXICON["wishes"]) | _NOUNS
_MANY = re.compile(r"(?<=[osxz])e$|(?<=[cs]h)e$")
_CLAUSES = frozenset(_LEXICON["clauses"])


@dataclass(frozen=True)
class Exclusion:
    """A name that is refused, with the words that say so; ``known``: films carry it."""

    span: Span
    name: str
    known: bool


class ExclusionFinder:
    """Finds names that are refused, and the films that carry them in a title or a tag."""

    def __init__(self, titles: TitleIndex, catalogue: Catalogue) -> None:
        self._titles = titles
        self._catalogue = catalogue
        self._plain = plain_phrases()
        self._genres = strong_phrases()
        self._negators = Phrases(
            dict.fromkeys(_LEXICON["negators"], False) | dict.fromkeys(_LEXICON["sure"], True)
        )

    def find(self, words: Words, refused: Iterable[Span] = ()) -> list[Exclusion]:
        """The names refused, after negators and after "or" behind what else is ``refused``."""
        alternatives = [
            (Span(end, end + 1), False) for _, end in refused if words.key(end) in _ALTERNATIVES
        ]
        found: list[Exclusion] = []
        for span, sure in sorted([*self._negators.all(words), *alternatives]):
            if not _apart(words, span.end - 1):
                found += self._listed(words, span, sure=sure)
                words = words.take(each.span for each in found)
        return found

    def titles(self, words: Words) -> list[Span]:
        """Where titles stand right after a negator, of several words or said in full: these name
        neither a film to compare with nor a person.
        """
        negators = self._negators.all(words)
        places = (self._title(words, span, sure=sure) for span, sure in negators)
        return [place for place in places if place]

    def _title(self, words: Words, negator: Span, *, sure: bool) -> Span | None:
        if _apart(words, negator.end - 1) or words.key(negator.start - 1) == "why":
            return None
        for start in dict.fromkeys((negator.end, _after(words, negator.end))):
            count, films = self._titles.longest(words.following(start, LONGEST))
            place = Span(start, start + count)
            if films and self._is_told(words, place, films[0].title, sure=sure):
                return place
        return None

    def _is_told(self, words: Words, place: Span, title: str, *, sure: bool) -> bool:
        """Whether a film is meant by the words of its name: in lower case, those of a genre are not
        a title. One word must be the whole title, and not say which films.
        """
        name = words.window(place)
        capital = words.capital(place.end - 1)
        genre = self._plain.starting(words, place.start)
        if not _closed(words, place.end) or (genre and genre[0] == place and not capital):
            return False
        if len(without_article(name)) < 2:
            return sure and words.key(place.end) not in _NOUNS and name == keys_of(title)
        return sure or words.capital(place.start) or not _is_english(without_article(name))

    def _listed(self, words: Words, negator: Span, *, sure: bool) -> Iterator[Exclusion]:
        """The names after a negator: after "or", "and" and commas before these it holds on."""
        begin, end = negator
        wished = self._is_wish(words, begin)
        while True:
            start = _after(words, end)
            if title := self._title(words, Span(begin, end), sure=sure):
                refused: Exclusion | None = _refused(words, begin, title, known=True)
            else:
                refused = self._at(words, begin, start, sure=sure, wished=wished)
            if refused:
                yield refused
            begin = end = refused.span.end if refused else self._end_of_genre(words, start)
            if end == start:
                return
            if words.key(end) in _JOINERS:
                end += 1
            elif not _goes_on(words, end):
                return
            if self._negators.starting(words, end):
                return

    def rows(self, names: Sequence[str]) -> list[int]:
        """The catalogue's rows of the films that carry any of these names."""
        carrying = (row for name in names for row in self._named(name))
        return list(dict.fromkeys(carrying))

    def _named(self, name: str) -> Iterable[int]:
        """Rows of the films that carry a name. A title with its article is no topic, nor is a plain
        word written as one.
        """
        keys = keys_of(name)
        written = without_article(keys) != keys or (name[:1].isupper() and _is_english(keys))
        if written and self._titles.exact(keys):
            return self._titles.beginning(keys)
        return self._carrying(keys, titled=True)

    def _is_wish(self, words: Words, begin: int) -> bool:
        """Whether the negator at ``begin`` says what is wished for, not what a film is about."""
        if words.pauses(begin - 1):
            return True
        if any(words.key(i) in _CLAUSES for i in range(words.clause(begin), begin)):
            return False
        return words.key(begin - 1) in _WISHES or self._genres.ending(words, begin) is not None

    def _at(
        self, words: Words, begin: int, start: int, *, sure: bool, wished: bool
    ) -> Exclusion | None:
        if self._end_of_genre(words, start) > start:
            return None
        keys = words.following(start, LONGEST)
        ends = [n for n in range(len(keys), 0, -1) if _closed(words, start + n)]
        for count in ends:
            name, place = keys[:count], Span(start, start + count)
            if not wished and not words.capital(start) and _is_english(name):
                continue
            plain = self._titles.ordinary(name) and english_words().issuperset(name)
            again = words.key(start + count) == "again"
            titled = sure or again or count > 1 or words.capital(start) or not plain
            if next(self._carrying(name, titled=titled), None) is not None:
                return _refused(words, begin, place, known=True)
        if 1 in ends and (keys[0] in _UNMARKED or self._is_unheard(words, start)):
            return _refused(words, begin, Span(start, start + 1), known=False)
        return None

    def _is_unheard(self, words: Words, index: int) -> bool:
        """Whether a word looks like a name that no film carries.

        In small letters, many of something are things: "no spoilers".
        """
        key = words.key(index)
        if _is_english([key]) or self._titles.ordinary([key]):
            return False
        return words.capital(index) or _stem(key) == key

    def _end_of_genre(self, words: Words, start: int) -> int:
        """Where a genre or mood that is all the name at ``start`` ends; there, if none is."""
        genre = self._plain.starting(words, start)
        return genre[0].end if genre and _closed(words, genre[0].end) else start

    def _carrying(self, name: Sequence[str], *, titled: bool) -> Iterator[int]:
        """Rows of films with the name in their title, if it may be one, or at a tag's beginning.

        A plain word must be a tag itself: "right" is no name because of "right wing".
        """
        if _UNMARKED.issuperset(name):
            return
        if titled:
            yield from self._titles.beginning(name)
            yield from self._titles.holding(name)
        wanted = _stems(name)
        if not wanted or (english_words().issuperset(name) and wanted not in self._tags):
            return
        for stems, tags in self._tags.items():
            if stems[: len(wanted)] == wanted:
                for tag in tags:
                    yield from self._catalogue.tag_rows[tag].tolist()

    @cached_property
    def _tags(self) -> dict[tuple[str, ...], list[str]]:
        """The tags by their words."""
        tags: dict[tuple[str, ...], list[str]] = {}
        for tag in self._catalogue.tag_rows:
            tags.setdefault(_stems(keys_of(tag)), []).append(tag)
        return tags


def _is_english(name: Sequence[str]) -> bool:
    return _english_stems().issuperset(map(_stem, name))


@cache
def _english_stems() -> frozenset[str]:
    return frozenset(map(_stem, english_words()))


def _stems(keys: Sequence[str]) -> tuple[str, ...]:
    """A name's words without what only says that it is a firm's; one film or many are the same."""
    return tuple(_stem(key) for key in keys if key not in _FIRMS)


def _stem(key: str) -> str:
    """One spelling of one and of many: "hero" and "heroes", "puppy" and "puppies"."""
    one = key if key.endswith("ss") else key.removesuffix("s")
    return f"{one[:-2]}y" if one.endswith("ie") else _MANY.sub("", one)


def _after(words: Words, end: int) -> int:
    while words.key(end) in _BETWEEN and not words.pauses(end):
        end += 1
    return end


def _goes_on(words: Words, end: int) -> bool:
    """Whether a comma stands before ``end`` and the last of a list is still to come."""
    listed = "," in words.words[end - 1].after
    return listed and not _JOINERS.isdisjoint(words.following(end, LONGEST))


def _apart(words: Words, index: int) -> bool:
    """Whether what follows a word is no longer governed by it; a bracket or a quotation mark that
    opens there belongs to a name.
    """
    return words.pauses(index) and words.words[index].after.strip() not in ("(", *'"“«„‘')


def _closed(words: Words, end: int) -> bool:
    return words.pauses(end - 1) or words.key(end) in _BOUNDARIES


def _refused(words: Words, begin: int, place: Span, *, known: bool) -> Exclusion:
    name = words.only(place).text().strip(" .,!?")
    name = f"({name}" if ")" in name else name  # "(500) Days of Summer"
    end = place.end
    while words.key(end) in _FOLLOWERS and not words.pauses(end - 1):
        end += 1
    return Exclusion(Span(begin, end), name, known)
