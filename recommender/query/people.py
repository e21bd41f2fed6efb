"""People that a query names: directors and cast, by full name or by an unmistakable part of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from recommender.catalogue import Catalogue
from recommender.kept import JSON, UNKEPT, Kept
from recommender.query.lexicon import Phrases, english_words, load, negated, shares_negation
from recommender.query.spelling import Spellings, typing_errors
from recommender.query.words import Span, Words, keys_of

Role = Literal["director", "cast", "any"]
Weights = NDArray[np.float64]

LONGEST_NAME = 5
SHORTEST_NAME = 3
DOMINANCE = 2.0
FAMOUS_FILMS = 3
MAX_GUESSES = 8
_LEXICON = load("people")
_AUTHORS = frozenset(_LEXICON["cues"]["authors"])
_JOINERS = frozenset(_LEXICON["cues"]["joiners"])
_CHOICES = frozenset(_LEXICON["cues"]["choices"])
_BETWEEN = frozenset(_LEXICON["cues"]["between"])
_ALTERNATIVES = frozenset(_LEXICON["cues"]["alternatives"])


@dataclass(frozen=True)
class NamedPerson:
    """A person that the query names, spelt as in the catalogue.

    ``span`` includes the cue; ``refused``: their films are not wanted.
    """

    span: Span
    names: tuple[str, ...]
    role: Role
    refused: bool = False


@dataclass(frozen=True)
class _Place:
    """Words that may be a name, and what stands around them."""

    words: Words
    span: Span
    keys: tuple[str, ...]
    role: Role
    announced: bool
    refused: bool
    lone: bool

    @property
    def capital(self) -> bool:
        return all(self.words.capital(index) for index in range(*self.span))


class PersonIndex:
    """Finds people by full name, by surname or by given name.

    ``films``: the catalogue rows of everyone's films; ``words``: all words of all names.
    """

    def __init__(self, catalogue: Catalogue, kept: Kept = UNKEPT) -> None:
        self.films = catalogue.person_rows
        self._names = tuple(self.films)
        directed = self._weighed(catalogue, [item.director for item in catalogue.items])
        played = self._weighed(catalogue, [item.cast for item in catalogue.items])
        self._weights: dict[Role, Weights] = {
            "director": directed,
            "cast": played,
            "any": directed + played / 2,
        }
        parsed = kept.get("people", self._parsed, JSON)
        self.words: frozenset[str] = frozenset(parsed["words"])
        self._full: dict[str, int] = parsed["full"]
        self._parts: dict[str, list[int]] = parsed["parts"]
        self._full_spellings = Spellings(self._full)
        self._part_spellings = Spellings(parsed["surnames"])

    def _weighed(self, catalogue: Catalogue, names: Sequence[Sequence[str]]) -> Weights:
        """Shape (people,): what the credits count together that these ``names`` of films are."""
        codes = [self.films.codes[name] for each in names for name in each]
        fame = np.repeat(1 + np.log1p(catalogue.rating_counts), list(map(len, names)))
        people = np.array(codes, dtype=np.intp)
        return np.bincount(people, fame, minlength=len(self._names)).astype(np.float64)

    def _parsed(self) -> dict[str, Any]:
        """All words of names, people's numbers by full name and by part, best known first, and the
        surnames that are looked for when they are misspelt.
        """
        words = set[str]()
        full = dict[str, int]()
        parts: dict[str, list[int]] = defaultdict(list)
        for person in np.argsort(-self._weights["any"], kind="stable").tolist():
            keys = keys_of(self._names[person])
            words.update(keys)
            full.setdefault("".join(keys), person)
            if len(keys) > 2:
                full.setdefault("".join(key for key in keys if len(key) > 1), person)
            for part in {"".join(keys[i:]) for i in range(1, len(keys))} | {keys[0]}:
                parts[part].append(person)
        return {"words": words, "full": full, "parts": parts, "surnames": self._surnames()}

    def _surnames(self) -> set[str]:
        famous = (keys_of(name) for name, films in self.films.items() if len(films) >= FAMOUS_FILMS)
        return {words[-1] for words in famous if len(words) > 1}

    def full(self, words: Sequence[str]) -> str | None:
        """The person with this full name."""
        person = self._full.get("".join(words))
        return None if person is None else self._names[person]

    def close(self, words: Sequence[str]) -> str | None:
        """The person with nearly this full name; the surname may hold one error only."""
        match = self._full_spellings.nearest("".join(words), 2)
        name = self._names[self._full[match]] if match else None
        return name if name and OSA.distance(words[-1], keys_of(name)[-1]) <= 1 else None

    def close_part(self, key: str, role: Role) -> str | None:
        """The person that a misspelt surname, which is no word of English, can only mean."""
        if key in english_words():
            return None
        match = self._part_spellings.nearest(key, min(typing_errors(key), 1))
        return self.dominant(match, role) if match else None

    def dominant(self, key: str, role: Role) -> str | None:
        """The one person a surname or given name can only mean, by credits and popularity."""
        people = self._parts.get(key, ())
        if not people:
            return None
        weights = self._weights[role][people]
        best = int(weights.argmax())
        others = np.delete(weights, best)
        if not weights[best] or weights[best] < DOMINANCE * others.max(initial=0.0):
            return None
        return self._names[people[best]]

    def siblings(self, key: str) -> tuple[str, ...]:
        """Directors of this surname who made most of their films together."""
        weights = self._weights["director"]
        directors = [person for person in self._parts.get(key, ()) if weights[person]]
        directors.sort(key=lambda person: -weights[person])
        names = [self._names[person] for person in directors]
        together = [n for n in names if np.isin(self.films[names[0]], self.films[n]).all()]
        return tuple(together) if len(together) > 1 else ()


class PeopleFinder:
    """Finds the people a query asks for ("films by Agnès Varda", "Hitchcock thriller")."""

    def __init__(
        self, index: PersonIndex, everyday: frozenset[str], genres: Phrases[Sequence[str]]
    ) -> None:
        self._index = index
        self._everyday = everyday
        self._genres = genres
        cues: Mapping[str, list[str]] = _LEXICON["cues"]
        self._cues: dict[Role, Phrases[str]] = {
            "director": Phrases.of(cues["director"]),
            "cast": Phrases.of(cues["cast"]),
            "any": Phrases.of(cues["any"]),
        }
        self._negators = Phrases.of([*load("genres")["words"]["negators"], *cues["negators"]])
        self._manners = Phrases.of(cues["manners"])
        self._siblings = frozenset(cues["siblings"])
        self._followers = frozenset(cues["followers"])

    def find(
        self, words: Words, lone: Span | None, announced: int | None = None
    ) -> list[NamedPerson]:
        """The people named, from left to right: a film must have all of them but the refused.

        Alternatives ("Tom Hanks or Meg Ryan") are left as they are.
        ``lone``: all that is left when the words of asking are taken; a surname there is a name.
        ``announced``: where words that were taken say that a name begins ("late …"), unless a word
        of plain English does ("a late bloom").
        """
        found: list[NamedPerson] = []
        guesses = MAX_GUESSES
        index = 0
        while index < len(words):
            guess = guesses > 0 and self._unknown(words, index)
            guesses -= guess
            cue: tuple[Role, int] | None = ("any", index)
            if index != announced or words.key(index) in english_words():
                cue = self._cue(words, index, found)
            person = self._at(words, index, cue, lone, guess=guess)
            if person and (judged := self._judged(words, person, found)):
                found.append(judged)
            index = person.span.end if person else index + 1
        return found

    def _at(
        self,
        words: Words,
        start: int,
        cue: tuple[Role, int] | None,
        lone: Span | None,
        *,
        guess: bool,
    ) -> NamedPerson | None:
        role, begin = cue or ("any", start)
        spans = [Span(start, end) for end in range(start + LONGEST_NAME, start, -1)]
        refused = negated(words, start, self._negators, _BETWEEN) is not None
        places = [
            _Place(words, span, keys, role, cue is not None, refused, span == lone)
            for span in spans
            if (keys := _bare_keys(words, span))
        ]
        for search in (self._names, self._guess) if guess else (self._names,):
            for place in places:
                if names := search(place):
                    return NamedPerson(Span(begin, place.span.end), names, role)
        return None

    def _names(self, place: _Place) -> tuple[str, ...]:
        *first, last = place.keys
        if last in self._siblings:
            return self._index.siblings("".join(first))
        name = (self._index.full(place.keys) if first else None) or self._part(place)
        return (name,) if name else ()

    def _part(self, place: _Place) -> str | None:
        """The person a surname means, if its surroundings say that it is one."""
        name = self._index.dominant("".join(place.keys), place.role)
        if not name or len("".join(place.keys)) < SHORTEST_NAME:
            return None
        if self._in_longer_name(place, name):
            return None
        if all(key in self._everyday for key in place.keys):
            return name if place.announced and place.capital else None
        famous = len(self._index.films[name]) >= FAMOUS_FILMS
        if not famous and self._is_given(place, name):
            return None
        if place.announced or place.refused or place.lone or self._followed(place):
            return name
        clear = place.capital or not english_words().issuperset(place.keys)
        return name if famous and clear else None

    def _is_given(self, place: _Place, name: str) -> bool:
        """Whether the words are only a given name: of the little known it may be any word."""
        given, *rest = keys_of(name)
        return bool(rest) and place.keys == (given,)

    def _in_longer_name(self, place: _Place, name: str) -> bool:
        """Whether the words around look like the rest of a name the catalogue does not have."""
        (start, end), words = place.span, place.words
        followed = words.pauses(end - 1) or self._followed(place)
        if not followed and self._is_name(words, end, place):
            return True
        if place.announced or words.pauses(start - 1):
            return False
        nickname = keys_of(name)[0].startswith(words.key(start - 1))
        first = words.clause(start) == start - 1
        return not nickname and self._is_name(words, start - 1, place, capital=not first)

    def _is_name(self, words: Words, index: int, place: _Place, *, capital: bool = True) -> bool:
        """Whether a word is unheard of, or written with a capital as its neighbour is."""
        word = words.words[index]
        if word.key.isdigit():
            return False
        return word.key not in self._everyday or (
            capital and place.capital and words.capital(index)
        )

    def _guess(self, place: _Place) -> tuple[str, ...]:
        """The person a misspelt name means."""
        name, key = None, "".join(place.keys)
        if place.words.topic(place.span.start):
            return ()
        if 2 <= len(place.keys) <= 3 and len(key) >= 8:
            name = self._index.close(place.keys)
        elif (place.announced or place.lone) and len(place.keys) == 1:
            name = self._index.close_part(key, place.role)
        return (name,) if name else ()

    def _cue(self, words: Words, start: int, found: list[NamedPerson]) -> tuple[Role, int] | None:
        """The role that the words before ``start`` announce, and where they begin."""
        if found and _joined(words, found[-1].span.end, start):
            return found[-1].role, found[-1].span.end
        if words.pauses(start - 1):
            return None
        for role, phrases in self._cues.items():
            cue = phrases.ending(words, start)
            if cue and words.key(cue[0].start - 1) not in _AUTHORS:
                return role, cue[0].start
        return None

    def _unknown(self, words: Words, start: int) -> bool:
        return any((key := words.key(i)) and key not in self._everyday for i in (start, start + 1))

    def _followed(self, place: _Place) -> bool:
        end = place.span.end
        followed = place.words.key(end) in self._followers
        return followed or self._genres.starting(place.words, end) is not None

    def _judged(
        self, words: Words, person: NamedPerson, found: list[NamedPerson]
    ) -> NamedPerson | None:
        """The person as wanted or refused; None if they are neither."""
        start, end = person.span
        if self._is_manner(words, start):
            return None
        begin = self._refusal(words, start, found)
        if begin is not None:
            return replace(person, span=Span(begin, end), refused=True)
        return None if _CHOICES & {words.key(start - 1), words.key(end)} else person

    def _is_manner(self, words: Words, start: int) -> bool:
        """Whether the person is a manner ("nothing like Nolan"; but not "I don't like Nolan")."""
        if self._negators.ending(words, start):
            return False
        return self._manners.ending(words, start) is not None

    def _refusal(self, words: Words, start: int, found: list[NamedPerson]) -> int | None:
        """Where the words begin that refuse the person at ``start``."""
        if found and found[-1].refused and _continues(words, found[-1].span.end, start):
            return found[-1].span.end
        begin = negated(words, start, self._negators, _BETWEEN)
        if begin is None and shares_negation(words, start, self._negators, _ALTERNATIVES):
            return start - 1
        return begin


def _joined(words: Words, end: int, start: int) -> bool:
    """Whether at most an "and" stands between the end of one name and the start of another."""
    return start - end <= 1 and all(words.key(i) in _JOINERS for i in range(end, start))


def _continues(words: Words, end: int, start: int) -> bool:
    """Whether a refused name is followed by another ("no Tom Cruise, Brad Pitt or Al Pacino")."""
    if words.key(end) in _ALTERNATIVES:
        return start == end + 1
    if start != end:
        return False
    following = [words.key(i) for i in range(end, end + LONGEST_NAME)]
    return following[0] in _JOINERS or not _ALTERNATIVES.isdisjoint(following)


def _bare_keys(words: Words, span: Span) -> tuple[str, ...]:
    """The folded words of a span, the last without its possessive s."""
    keys = words.window(span)
    if keys and words.words[span.end - 1].text.lower().endswith(("'s", "’s")):
        return (*keys[:-1], keys[-1].removesuffix("s"))
    return keys
