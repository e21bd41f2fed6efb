"""Why a film is in an answer: checkable facts, found after the ranking, never invented."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.models import Direction, Evidence, EvidenceKind, Filters, Item, Understanding
from recommender.preferences.model import Tier
from recommender.stores.ports import Vector
from recommender.text import terms, words
from recommender.users import UserState

# Centred cosines of two films of the catalogue: 95 % are below 0.15, 99 % below 0.24.
SIMILAR_FILMS = 0.2
# Above the similarity of a query to the mean film: about one film in ten is so close.
SIMILAR_WORDS = 0.08
NOTABLE_WEIGHT = 0.25
SHARED_GENRES = 2
ACCLAIMED = 4.0
ENOUGH_RATINGS = 20
RECENT_SWIPES = 50
OF_A_KIND = 2
"""So many swiped films of each direction, genres and tags are told of at most."""
_OPINIONS = (Direction.LIKE, Direction.DISLIKE)

Holding = Callable[[frozenset[str]], Callable[[Item], bool]]
"""Given stems, tells of a film whether it holds any of them."""


class Fact(NamedTuple):
    """Evidence before it is shown: most of what is found never is."""

    kind: EvidenceKind
    text: str
    weight: float
    item_id: str | None = None
    against: bool = False

    def shown(self) -> Evidence:
        """The fact as an answer holds it."""
        return Evidence(**self._asdict())


@dataclass(frozen=True)
class Question:
    """What was asked, by whom, and the vectors that the facts are weighed with.

    ``text_vector`` is the embedding of the query's words; ``named`` the vectors by id of anchor
    films and of those swiped lately.
    """

    understood: Understanding
    state: UserState
    tier: Tier
    text_vector: Vector | None
    named: Mapping[str, Vector]
    taste: float = 1.0
    """How much the person's own taste counts, 0..1: less in a film for someone else."""


def recent(state: UserState, direction: Direction) -> tuple[str, ...]:
    """The films that a person swiped this way lately, oldest first."""
    return tuple(state.items(direction)[-RECENT_SWIPES:])


class EvidenceFinder:
    """Collects what speaks for (and against) films."""

    def __init__(
        self,
        catalogue: Catalogue,
        holding: Holding,
        mean_vector: Vector,
    ) -> None:
        self._catalogue = catalogue
        self._holding = holding
        self._mean = mean_vector

    def find(self, item: Item, vector: Vector, question: Question) -> list[Evidence]:
        """All evidence on one film, the weightiest first."""
        (found,) = self.facts([item], vector[None], question)
        return [fact.shown() for fact in found]

    def facts(
        self, items: Sequence[Item], vectors: NDArray[np.float32], question: Question
    ) -> list[list[Fact]]:
        """All facts on each of n films, the weightiest first; ``vectors`` of shape (n, dim)."""
        if not items:
            return []
        inquiry = _Inquiry(self._catalogue, self._holding, self._mean, question)
        closeness = inquiry.closeness(vectors)
        return [inquiry.facts(*film) for film in zip(items, closeness, strict=True)]


class _Close(NamedTuple):
    """How close a film is: its cosines to the anchors and to the films swiped each way that are
    close enough to tell, once what all films have in common is taken out; and that to the query's
    words, if there are any. With each swiped film stands how much it tells, most first.
    """

    anchors: Mapping[str, float]
    swiped: Mapping[Direction, Sequence[tuple[Item, float, float]]]
    words: float | None


class _Inquiry:
    """One question to several films; what does not depend on the film is worked out once."""

    def __init__(
        self, catalogue: Catalogue, holding: Holding, mean_vector: Vector, question: Question
    ) -> None:
        self._catalogue = catalogue
        self._holding = holding
        self._mean = mean_vector
        self._question = question
        self._claims: dict[tuple[EvidenceKind, str], Fact | None] = {}
        preferences = question.state.preferences
        self._notable = {
            "genre": _notable(preferences.genre_weights),
            "tag": _notable(preferences.tag_weights),
        }

    def facts(self, item: Item, close: _Close) -> list[Fact]:
        """All facts on one film, the weightiest first."""
        question, sharing = self._question, _Sharing(item)
        found = [*self._asked(item), *self._anchors(sharing, close), *self._words(item, close)]
        if question.tier != "generic" and question.taste:
            found += (_lighter(fact, question.taste) for fact in self._taste(sharing, close))
        found += self._standing(item)
        return sorted(found, key=_lightness)

    def closeness(self, vectors: NDArray[np.float32]) -> Iterator[_Close]:
        """How close each of n films is, ``vectors`` having the shape (n, dim)."""
        anchors = [i for i in self._question.understood.anchors if i in self._question.named]
        likeness = self._cosines(vectors, anchors).tolist()
        swiped = {direction: self._near(vectors, direction) for direction in _OPINIONS}
        text = self._question.text_vector
        words = [None] * len(vectors) if text is None else (vectors @ text).tolist()
        for row in range(len(vectors)):
            near = {direction: swiped[direction][row] for direction in _OPINIONS}
            yield _Close(dict(zip(anchors, likeness[row], strict=True)), near, words[row])

    def _near(
        self, vectors: NDArray[np.float32], direction: Direction
    ) -> list[list[tuple[Item, float, float]]]:
        """For each of n films those lately swiped this way that are close to it, with their cosine
        and how much they tell: what tells most first, then the oldest.
        """
        named = self._question.named
        swiped = [i for i in recent(self._question.state, direction) if i in named]
        films = self._catalogue.select(swiped)
        cosines = self._cosines(vectors, [film.item_id for film in films])
        near = cosines >= SIMILAR_FILMS / 2
        feelings = _feelings(direction, cosines)
        order = np.argsort(np.where(near, -feelings, np.inf), axis=1, kind="stable")
        told = zip(order.tolist(), near.sum(axis=1).tolist(), strict=True)
        close, telling = cosines.tolist(), feelings.tolist()
        return [
            [(films[place], close[row][place], telling[row][place]) for place in places[:count]]
            for row, (places, count) in enumerate(told)
        ]

    def _cosines(
        self, vectors: NDArray[np.float32], item_ids: Sequence[str]
    ) -> NDArray[np.float64]:
        """Shape (n, item_ids): of vectors, shape (n, dim), and named films."""
        if not item_ids:
            return np.zeros((len(vectors), 0))
        others = np.array([self._question.named[i] for i in item_ids], np.float32) - self._mean
        own = vectors - self._mean
        lengths = np.outer(np.linalg.norm(own, axis=1), np.linalg.norm(others, axis=1))
        return np.asarray(own @ others.T / np.maximum(lengths, 1e-6), dtype=np.float64)

    def _asked(self, item: Item) -> Iterator[Fact]:
        understood = self._question.understood
        filters = understood.filters
        if understood.lookup == item.item_id:
            yield _fact("query", "The film you named", 1.0)
        for person in [name for name in filters.people if name in item.people]:
            role = item.credit if person in item.director else "With"
            yield _fact("person", f"{role} {person}, as you asked", 0.9)
        if asked := [genre for genre in filters.include_genres if genre in item.genres]:
            yield _fact("filter", f"{' and '.join(asked)}, as you asked", 0.5)
        hinted = [genre for genre in understood.soft_genres if genre in item.genres]
        if hinted := [genre for genre in hinted if genre not in asked]:
            yield _fact("filter", f"{' and '.join(hinted)}, as your words suggest", 0.45)
        if item.year and _within(item.year, filters):
            yield _fact("year", f"From {item.year}, as you asked{_span(filters)}", 0.3)

    def _anchors(self, sharing: "_Sharing", close: _Close) -> Iterator[Fact]:
        for anchor in self._catalogue.select(self._question.understood.anchors):
            cosine = close.anchors.get(anchor.item_id, 0.0)
            shared = sharing.told(anchor)
            if anchor.item_id != sharing.item.item_id and (shared or cosine >= SIMILAR_FILMS):
                text = f"Like {anchor.title}: {shared}" if shared else f"Close to {anchor.title}"
                yield _fact("anchor_film", text, 0.8 * max(2 * cosine, 0.5), anchor.item_id)

    def _words(self, item: Item, close: _Close) -> list[Fact]:
        if matched := [word for word, is_held in self._held.items() if is_held(item)]:
            share = len(matched) / self._stem_count
            shown = ", ".join(matched[:5])
            return [_fact("query", f"Matches your words: {shown}", min(0.4 + 0.4 * share, 0.8))]
        if close.words is not None and close.words >= self._usual + SIMILAR_WORDS:
            text = "Close in meaning to your words, by the language model"
            return [_fact("query", text, close.words)]
        return []

    @cached_property
    def _stems(self) -> dict[str, frozenset[str]]:
        """Each of the query's words with the stems it is indexed by."""
        return {word: frozenset(terms(word)) for word in words(self._question.understood.text)}

    @cached_property
    def _stem_count(self) -> int:
        return len(frozenset[str]().union(*self._stems.values()))

    @cached_property
    def _held(self) -> dict[str, Callable[[Item], bool]]:
        """Which films hold each of the query's words."""
        return {word: self._holding(stems) for word, stems in self._stems.items()}

    @cached_property
    def _usual(self) -> float:
        """The cosine of the query's words to the mean film."""
        text = self._question.text_vector
        return 0.0 if text is None else float(text @ self._mean)

    def _taste(self, sharing: "_Sharing", close: _Close) -> Iterator[Fact]:
        for direction in _OPINIONS:
            yield from islice(self._swiped_films(sharing, direction, close), OF_A_KIND)
        yield from self._labels("genre", sharing.item.genres)
        yield from self._labels("tag", sharing.item.tags)

    def _swiped_films(
        self, sharing: "_Sharing", direction: Direction, close: _Close
    ) -> Iterator[Fact]:
        """The swiped films that are close to this one or share something, the closest first."""
        for other, cosine, feeling in close.swiped[direction]:
            shared = sharing.told(other)
            if other.item_id != sharing.item.item_id and (shared or cosine >= SIMILAR_FILMS):
                mentioned = other.item_id in self._question.state.mentioned
                yield _swiped_fact(other, direction, shared, feeling, mentioned)

    def _labels(self, kind: Literal["genre", "tag"], labels: Sequence[str]) -> list[Fact]:
        notable = self._notable[kind]
        said = [label for label in labels if label in notable]
        for label in said:
            if (kind, label) not in self._claims:
                self._claims[kind, label] = self._claim(kind, label, notable[label])
        claims = [claim for label in said if (claim := self._claims[kind, label])]
        return sorted(claims, key=_lightness)[:OF_A_KIND]

    def _claim(self, kind: EvidenceKind, label: str, weight: float) -> Fact | None:
        """What the person makes of a genre or tag, if their swipes say so, too."""
        liked, disliked = (counts[label] for counts in self._counts[kind])
        swiped = liked + disliked
        if not _borne_out(weight, liked, swiped):
            return None
        verb = "You go for" if weight > 0 else "You tend to pass on"
        name = label if kind == "genre" else f"“{label}”"
        how = "swiped or mentioned" if self._question.state.mentioned else "swiped"
        text = f"{verb} {name} (liked {liked} of {swiped} {how})"
        return _fact(kind, text, 0.6 * abs(weight), against=weight < 0)

    @cached_property
    def _counts(self) -> dict[EvidenceKind, list[Counter[str]]]:
        """How many of the films that were liked, and of those disliked, have each notable genre and
        tag.
        """
        state = self._question.state
        opinions = [self._catalogue.select(state.items(direction)) for direction in _OPINIONS]
        genres, tags = self._notable["genre"], self._notable["tag"]
        return {
            "genre": [_counted((film.genres for film in films), genres) for films in opinions],
            "tag": [_counted((film.tags for film in films), tags) for films in opinions],
        }

    def _standing(self, item: Item) -> Iterator[Fact]:
        if (item.rating_mean or 0) >= ACCLAIMED and item.rating_count >= ENOUGH_RATINGS:
            text = f"Rated {item.rating_mean:.1f} of 5 by {item.rating_count} MovieLens viewers"
            yield _fact("acclaim", text, 0.2)
        if self._catalogue.popularity[self._catalogue.rows[item.item_id]] >= 0.9:
            yield _fact("popularity", "One of the most watched films here", 0.1)


def _fact(
    kind: EvidenceKind,
    text: str,
    weight: float,
    item_id: str | None = None,
    against: bool = False,
) -> Fact:
    return Fact(kind, text, round(min(weight, 1.0), 3), item_id, against)


def _lighter(fact: Fact, share: float) -> Fact:
    return fact if share == 1 else fact._replace(weight=round(share * fact.weight, 3))


def _lightness(fact: Fact) -> float:
    return -fact.weight


def _notable(weights: Mapping[str, float]) -> dict[str, float]:
    return {label: weight for label, weight in weights.items() if abs(weight) >= NOTABLE_WEIGHT}


def _counted(labels: Iterable[Sequence[str]], notable: Mapping[str, float]) -> Counter[str]:
    """How many films have each notable label; ``labels`` are those of each film."""
    return Counter(chain.from_iterable(notable.keys() & each for each in labels))


def _feelings(direction: Direction, closeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much it tells that films so close were swiped this way."""
    weight = 0.9 if direction is Direction.LIKE else 0.6
    telling = np.minimum(np.maximum(2 * closeness, 0.3) * weight, 1.0)
    return np.asarray(np.round(telling, 3), dtype=np.float64)


def _swiped_fact(
    other: Item, direction: Direction, shared: str, feeling: float, mentioned: bool
) -> Fact:
    liked = direction is Direction.LIKE
    verb = "liked" if liked else "disliked"
    if mentioned:
        verb = "mentioned liking" if liked else "mentioned disliking"
    text = f"Like {other.title}, which you {verb}" if shared else f"Close to {other.title}"
    text += f": {shared}" if shared else f", which you {verb}"
    kind: EvidenceKind = "liked_film" if liked else "disliked_film"
    return _fact(kind, text, feeling, other.item_id, against=not liked)


class _Sharing:
    """What a film has in common with others: most have nothing, which sets tell at once."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self._cast, self._tags = frozenset(item.cast), frozenset(item.tags)

    def told(self, other: Item) -> str:
        """In words: director, cast, tags, or else several genres."""
        item = self.item
        made = [name for name in item.director if name in other.director][:1]
        parts = [f"{item.credit.lower()} {name}" for name in made]
        if not self._cast.isdisjoint(other.cast):
            parts += [f"with {name}" for name in item.cast if name in other.cast][:1]
        if not self._tags.isdisjoint(other.tags):
            parts += [tag for tag in item.tags if tag in other.tags][: 3 - len(parts)]
        if not parts:
            genres = [genre for genre in item.genres if genre in other.genres]
            parts = genres if len(genres) >= SHARED_GENRES else []
        return ", ".join(parts)


def _borne_out(weight: float, liked: int, swiped: int) -> bool:
    """Whether the counts show what the weight says; it also weighs what others are swiped like."""
    half = swiped / 2
    return swiped > 0 and (liked >= half if weight > 0 else liked <= half)


def _within(year: int, filters: Filters) -> bool:
    """Whether years were asked for and this is one of them."""
    asked = filters.year_from is not None or filters.year_to is not None
    return asked and (filters.year_from or year) <= year <= (filters.year_to or year)


def _span(filters: Filters) -> str:
    if filters.year_from and filters.year_to:
        if filters.year_from == filters.year_to:
            return ""
        return f" ({filters.year_from}–{filters.year_to})"
    if filters.year_from:
        return f" ({filters.year_from} or later)"
    return f" ({filters.year_to} or earlier)"
