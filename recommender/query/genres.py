"""Genres that a query asks for, refuses, or leans towards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommender.catalogue import Catalogue
from recommender.models import Filters
from recommender.query.lexicon import Phrases, english_words, load, negated, shares_negation
from recommender.query.spelling import Spellings
from recommender.query.words import Span, Words, keys_of

LONGEST_NAME = 15
MAX_REACH = 6
MANY, FEW = 3, 10
"""From how many genres on, if fewer films have them all, they are alternatives."""
Genres = Sequence[str]

_GENRES: dict[str, Any] = load("genres")
_MOODS: dict[str, Any] = load("moods")
_NOUNS = frozenset(_GENRES["words"]["nouns"])
_HEADS = frozenset(_GENRES["words"]["heads"]) | _NOUNS
_CLAUSES = frozenset(_GENRES["words"]["clauses"])
_BETWEEN = frozenset(_GENRES["words"]["between"])
_DETERMINERS = frozenset(_GENRES["words"]["determiners"])
_ALTERNATIVES = frozenset(_GENRES["words"]["alternatives"])
_JOINERS = frozenset(_GENRES["words"]["joiners"])
_DEGREES = frozenset(_GENRES["words"]["degrees"])
_DIMINISHERS = frozenset(_MOODS["words"]["diminishers"])


def genre_phrases() -> Phrases[Genres]:
    """All phrases that name genres."""
    return Phrases(_GENRES["strong"] | _GENRES["weak"], plurals=True)


def strong_phrases() -> Phrases[Genres]:
    """The phrases that name a genre wherever they stand."""
    return Phrases(_GENRES["strong"], plurals=True)


def mood_phrases() -> Phrases[Genres]:
    """All phrases that lean towards genres."""
    return Phrases(_MOODS["moods"])


def plain_phrases() -> Phrases[Genres]:
    """All phrases that name genres or lean towards them."""
    return Phrases(
        _MOODS["moods"] | _GENRES["strong"] | _GENRES["weak"] | _GENRES["negated"], plurals=True
    )


def described_phrases() -> Phrases[Genres]:
    """What a word of age can describe: films by any name, and genres."""
    nouns: dict[str, Genres] = dict.fromkeys(_NOUNS, ())
    return Phrases(nouns | _GENRES["strong"] | _GENRES["weak"] | _MOODS["moods"], plurals=True)


def _own_names(catalogue: Catalogue) -> dict[str, Genres]:
    """Genres of a catalogue that the lexicon does not know, by their own names."""
    known = {
        genre for phrases in ("strong", "weak") for of in _GENRES[phrases].values() for genre in of
    }
    return {genre: [genre] for genre in catalogue.genres if genre not in known and keys_of(genre)}


@dataclass(frozen=True)
class GenreWishes:
    """What a query says of genres; ``spans`` are the words of refusal, which leave the text.

    A refused mood ("not gory") leaves the text and excludes nothing: a vector cannot say "not".
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass
class _Reading:
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    soft: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


class GenreFinder:
    """Finds genres, their negations, and moods that lean towards a genre."""

    def __init__(self, catalogue: Catalogue, everyday: frozenset[str]) -> None:
        """Genres the catalogue does not have are never returned."""
        self._catalogue = catalogue
        self._known = frozenset(catalogue.genres)
        self._written = everyday | english_words()
        own = _own_names(catalogue)
        self._names = Phrases(_GENRES["strong"] | _GENRES["weak"] | own, plurals=True)
        self._spellings = Spellings(self._names.keys)
        self._weak = Phrases(_GENRES["weak"] | own, plurals=True)
        self._moods = mood_phrases()
        self._refusable = Phrases(
            _GENRES["strong"] | _GENRES["weak"] | _GENRES["negated"] | own, plurals=True
        )
        self._negators = Phrases.of(_GENRES["words"]["negators"])
        self._refusals = Phrases.of(_GENRES["words"]["refusals"])
        self._mood_negators = Phrases.of(_MOODS["words"]["negators"])
        self._mood_between = frozenset(_MOODS["words"]["between"])

    def find(self, words: Words, leanings: Genres = (), needed: Genres = ()) -> GenreWishes:
        """What the words say of genres; ``leanings`` are known otherwise, and so are those that are
        ``needed``: where hardly any film has these and what is asked for, it leans to the latter.
        """
        reading = _Reading(soft=list(leanings))
        self._refused(words, reading)
        rest = words.take(reading.spans)
        self._asked(rest, reading)
        self._leanings(rest, reading)
        include = self._kept(reading.include, reading.exclude)
        if self._are_alternatives(include):
            reading.soft, include = [*include, *reading.soft], ()
        if needed := self._kept(needed, (*reading.exclude, *include)):
            if not self._are_few((*include, *needed)):
                include = (*include, *needed)
            elif not self._are_few(needed):
                reading.soft, include = [*include, *reading.soft], needed
            else:
                reading.soft = [*needed, *reading.soft]
        return GenreWishes(
            include=include,
            exclude=self._kept(reading.exclude, ()),
            soft=self._kept(reading.soft, (*reading.exclude, *include)),
            spans=tuple(reading.spans),
        )

    def _are_alternatives(self, genres: tuple[str, ...]) -> bool:
        """Whether films of any of the genres are asked for ("I like comedies, dramas, thrillers"):
        who lists kinds of films does not want the one film that is all of them.
        """
        return len(genres) >= MANY and self._are_few(genres)

    def _are_few(self, genres: Genres) -> bool:
        """Whether hardly any film is of all these genres."""
        return int(self._catalogue.allowed(Filters(include_genres=genres)).sum()) < FEW

    def _refused(self, words: Words, reading: _Reading) -> None:
        end = 0
        for span, genres in self._refusable.all(words):
            if words.key(span.start - 1) in _DEGREES:
                continue
            if reading.spans and self._continues(words, end, span.start):
                begin: int | None = end
            else:
                begin = negated(words, span.start, self._negators, _BETWEEN)
            if begin is None and shares_negation(words, span.start, self._negators, _ALTERNATIVES):
                begin = span.start - 1
            if begin is None:
                continue
            end = span.end + (words.key(span.end) in _NOUNS and not words.pauses(span.end - 1))
            reading.exclude.append(genres[0])
            reading.spans.append(Span(begin, end))

    def _continues(self, words: Words, end: int, start: int) -> bool:
        """Whether a refused genre is followed by another ("no horror, war or romance")."""
        between = [words.key(i) for i in range(end, start)]
        if len(between) == 1 and between[0] in _JOINERS:
            return True
        listed = not between and words.pauses(end - 1)
        return listed and any(words.key(i) in _JOINERS for i in range(start, start + 3))

    def _asked(self, words: Words, reading: _Reading) -> None:
        matches = self._names.all(words) + self._misspelt(words)
        for span, genres in sorted(matches):
            if self._is_unwanted(words, span.start):
                continue
            aside = self._is_weak(words, span) and not self._is_head(words, span)
            choice = self._is_choice(words, span)
            (reading.soft if aside or choice else reading.include).extend(genres)

    def _is_unwanted(self, words: Words, start: int) -> bool:
        """Whether a refusal of something else stands before ("no more superhero action")."""
        begin = max(words.clause(start), start - MAX_REACH)
        return any(self._refusals.starting(words, index) for index in range(begin, start))

    def _misspelt(self, words: Words) -> list[tuple[Span, Genres]]:
        found: list[tuple[Span, Genres]] = []
        for index, key in enumerate(words.keys):
            if 5 <= len(key) <= LONGEST_NAME and key not in self._written:
                match = self._spellings.nearest(key, 1 + (len(key) > 8))
                if match and len(match) > 4 and match != key:
                    found.append((Span(index, index + 1), self._names[match]))
        return found

    def _is_weak(self, words: Words, span: Span) -> bool:
        return "".join(words.window(span)) in self._weak

    def _is_head(self, words: Words, span: Span) -> bool:
        """Whether the word is what is asked for, not what the film is about."""
        begin = words.clause(span.start)
        if words.key(span.start - 1) in _DETERMINERS or any(
            words.key(i) in _CLAUSES for i in range(begin, span.start)
        ):
            return False
        following = words.key(span.end)
        return (
            words.pauses(span.end - 1)
            or following in _HEADS
            or self._names.starting(words, span.end) is not None
        )

    def _is_choice(self, words: Words, span: Span) -> bool:
        """Whether the genre is one of several ("comedy or thriller")."""
        after = words.key(span.end) == "or" and self._names.starting(words, span.end + 1)
        before = words.key(span.start - 1) == "or" and self._names.ending(words, span.start - 1)
        return bool(after or before)

    def _leanings(self, words: Words, reading: _Reading) -> None:
        for span, genres in self._moods.all(words):
            begin = negated(words, span.start, self._mood_negators, self._mood_between)
            if begin is None:
                reading.soft.extend(genres)
            elif words.key(begin) not in _DIMINISHERS:
                reading.spans.append(Span(begin, span.end))

    def _kept(self, genres: Iterable[str], dropped: Iterable[str]) -> tuple[str, ...]:
        without = frozenset(dropped)
        return tuple(g for g in dict.fromkeys(genres) if g in self._known and g not in without)
