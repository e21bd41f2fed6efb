"""Why a film is in an answer: checkable facts, found after the ranking, never invented."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

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
_OPINIONS = (Direction.LIKE, Direction.DISLIKE)

Holding = Callable[[frozenset[str]], Callable[[Item], bool]]
"""Given stems, tells of a film whether it holds any of them."""


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
    counts: dict[tuple[EvidenceKind, str], tuple[int, int]] = field(default_factory=dict)
    """How many films with a label were liked, and swiped with an opinion; filled when asked for."""
    opinions: list[NDArray[np.bool_]] = field(default_factory=list)
    """Which films were liked, and which disliked; filled when asked for."""
    centred: list[NDArray[np.float32]] = field(default_factory=list)
    """The named films' vectors with the mean taken out, shape (len(named), dim), and their lengths;
    filled when asked for.
    """
    holding: dict[str, Callable[[Item], bool]] = field(default_factory=dict)
    """Which films hold each of the query's words; filled when asked for."""

    @cached_property
    def stems(self) -> dict[str, frozenset[str]]:
        """Each of the query's words with the stems it is indexed by."""
        return {word: frozenset(terms(word)) for word in words(self.understood.text)}

    @cached_property
    def recent(self) -> dict[Direction, tuple[str, ...]]:
        """The films lately swiped each way, oldest first."""
        return {direction: recent(self.state, direction) for direction in _OPINIONS}


def recent(state: UserState, direction: Direction) -> tuple[str, ...]:
    """The films that a person swiped this way lately, oldest first."""
    return tuple(state.items(direction)[-RECENT_SWIPES:])


class EvidenceFinder:
    """Collects what speaks for (and against) a film."""

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
        closeness = self._closeness(vector, question)
        found = [
            *self._asked(item, question.understood),
            *self._anchors(item, question, closeness),
            *self._words(item, vector, question),
        ]
        if question.tier != "generic" and question.taste:
            told = self._taste(item, question, closeness)
            found += [_lighter(evidence, question.taste) for evidence in told]
        found += self._standing(item)
        return sorted(found, key=lambda evidence: -evidence.weight)

    def _asked(self, item: Item, understood: Understanding) -> list[Evidence]:
        filters = understood.filters
        found = []
        if understood.lookup == item.item_id:
            found.append(_fact("query", "The film you named", 1.0))
        for person in [name for name in filters.people if name in item.people]:
            role = item.credit if person in item.director else "With"
            found.append(_fact("person", f"{role} {person}, as you asked", 0.9))
        if asked := [genre for genre in filters.include_genres if genre in item.genres]:
            found.append(_fact("filter", f"{' and '.join(asked)}, as you asked", 0.5))
        hinted = [genre for genre in understood.soft_genres if genre in item.genres]
        if hinted := [genre for genre in hinted if genre not in asked]:
            found.append(_fact("filter", f"{' and '.join(hinted)}, as your words suggest", 0.45))
        if item.year and _within(item.year, filters):
            found.append(_fact("year", f"From {item.year}, as you asked{_span(filters)}", 0.3))
        return found

    def _anchors(
        self, item: Item, question: Question, closeness: Mapping[str, float]
    ) -> list[Evidence]:
        found = []
        for anchor in self._catalogue.select(question.understood.anchors):
            close = closeness.get(anchor.item_id, 0.0)
            shared = _shared(item, anchor)
            if anchor.item_id != item.item_id and (shared or close >= SIMILAR_FILMS):
                text = f"Like {anchor.title}: {shared}" if shared else f"Close to {anchor.title}"
                found.append(_fact("anchor_film", text, 0.8 * max(2 * close, 0.5), anchor.item_id))
        return found

    def _words(self, item: Item, vector: Vector, question: Question) -> list[Evidence]:
        matched = [word for word in question.stems if self._is_held(word, item, question)]
        if matched:
            share = len(matched) / len(frozenset().union(*question.stems.values()))
            shown = ", ".join(matched[:5])
            return [_fact("query", f"Matches your words: {shown}", min(0.4 + 0.4 * share, 0.8))]
        if question.text_vector is not None:
            closeness = float(question.text_vector @ vector)
            if closeness >= float(question.text_vector @ self._mean) + SIMILAR_WORDS:
                return [
                    _fact(
                        "query",
                        "Close in meaning to your words, by the language model",
                        min(closeness, 1.0),
                    )
                ]
        return []

    def _is_held(self, word: str, item: Item, question: Question) -> bool:
        if word not in question.holding:
            question.holding[word] = self._holding(question.stems[word])
        return question.holding[word](item)

    def _taste(
        self, item: Item, question: Question, closeness: Mapping[str, float]
    ) -> list[Evidence]:
        found = [
            *self._swiped_films(item, question, Direction.LIKE, closeness),
            *self._swiped_films(item, question, Direction.DISLIKE, closeness),
        ]
        preferences = question.state.preferences
        found += self._labels("genre", item.genres, preferences.genre_weights, question)
        found += self._labels("tag", item.tags, preferences.tag_weights, question)
        return found

    def _swiped_films(
        self,
        item: Item,
        question: Question,
        direction: Direction,
        closeness: Mapping[str, float],
    ) -> list[Evidence]:
        """The two swiped films closest to this one, if they are close or share something."""
        swiped = question.recent[direction]
        others = [other for other in swiped if other != item.item_id and other in closeness]
        others = [other for other in others if closeness[other] >= SIMILAR_FILMS / 2]
        found = []
        for other in self._catalogue.select(others):
            close, shared = closeness[other.item_id], _shared(item, other)
            if shared or close >= SIMILAR_FILMS:
                mentioned = other.item_id in question.state.mentioned
                found.append(_swiped_fact(other, direction, shared, close, mentioned))
        return sorted(found, key=lambda evidence: -evidence.weight)[:2]

    def _labels(
        self,
        kind: EvidenceKind,
        labels: Sequence[str],
        weights: Mapping[str, float],
        question: Question,
    ) -> list[Evidence]:
        found = []
        for label in labels:
            weight = weights.get(label, 0.0)
            if abs(weight) < NOTABLE_WEIGHT:
                continue
            liked, swiped = self._count(kind, label, question)
            if not _borne_out(weight, liked, swiped):
                continue
            verb = "You go for" if weight > 0 else "You tend to pass on"
            name = label if kind == "genre" else f"“{label}”"
            how = "swiped or mentioned" if question.state.mentioned else "swiped"
            text = f"{verb} {name} (liked {liked} of {swiped} {how})"
            found.append(_fact(kind, text, 0.6 * abs(weight), against=weight < 0))
        return sorted(found, key=lambda evidence: -evidence.weight)[:2]

    def _count(self, kind: EvidenceKind, label: str, question: Question) -> tuple[int, int]:
        """How many films with this label the user liked, and swiped with an opinion."""
        if (kind, label) not in question.counts:
            labelled = self._catalogue.genre_rows if kind == "genre" else self._catalogue.tag_rows
            films = labelled[label]
            liked, disliked = (int(mask[films].sum()) for mask in self._opinions(question))
            question.counts[kind, label] = liked, liked + disliked
        return question.counts[kind, label]

    def _opinions(self, question: Question) -> list[NDArray[np.bool_]]:
        """Which films of the catalogue were liked, and which disliked, shape (films,) each."""
        if not question.opinions:
            rows = self._catalogue.rows
            for direction in _OPINIONS:
                mask = np.zeros(len(rows), dtype=bool)
                mask[[rows[i] for i in question.state.items(direction) if i in rows]] = True
                question.opinions.append(mask)
        return question.opinions

    def _standing(self, item: Item) -> list[Evidence]:
        found = []
        if (item.rating_mean or 0) >= ACCLAIMED and item.rating_count >= ENOUGH_RATINGS:
            text = f"Rated {item.rating_mean:.1f} of 5 by {item.rating_count} MovieLens viewers"
            found.append(_fact("acclaim", text, 0.2))
        if self._catalogue.popularity[self._catalogue.rows[item.item_id]] >= 0.9:
            found.append(_fact("popularity", "One of the most watched films here", 0.1))
        return found

    def _closeness(self, vector: Vector, question: Question) -> dict[str, float]:
        """Cosine to each named film, once what all films have in common is taken out."""
        if not question.named:
            return {}
        if not question.centred:
            centred = np.array(list(question.named.values()), dtype=np.float32) - self._mean
            question.centred.extend((centred, np.linalg.norm(centred, axis=1)))
        others, lengths = question.centred
        own = vector - self._mean
        cosines = others @ own / np.maximum(lengths * np.linalg.norm(own), 1e-6)
        return dict(zip(question.named, cosines.tolist(), strict=True))


def _fact(
    kind: EvidenceKind,
    text: str,
    weight: float,
    item_id: str | None = None,
    against: bool = False,
) -> Evidence:
    share = round(min(weight, 1.0), 3)
    return Evidence(kind=kind, text=text, weight=share, item_id=item_id, against=against)


def _lighter(evidence: Evidence, share: float) -> Evidence:
    return evidence.model_copy(update={"weight": round(share * evidence.weight, 3)})


def _swiped_fact(
    other: Item, direction: Direction, shared: str, closeness: float, mentioned: bool
) -> Evidence:
    liked = direction is Direction.LIKE
    verb = "liked" if liked else "disliked"
    if mentioned:
        verb = "mentioned liking" if liked else "mentioned disliking"
    text = f"Like {other.title}, which you {verb}" if shared else f"Close to {other.title}"
    text += f": {shared}" if shared else f", which you {verb}"
    weight = max(2 * closeness, 0.3) * (0.9 if liked else 0.6)
    kind: EvidenceKind = "liked_film" if liked else "disliked_film"
    return _fact(kind, text, weight, other.item_id, against=not liked)


def _shared(item: Item, other: Item) -> str:
    """What two films have in common, in words: director, cast, tags, or else several genres."""
    made = item.credit.lower()
    parts = [f"{made} {name}" for name in item.director if name in other.director][:1]
    parts += [f"with {name}" for name in item.cast if name in other.cast][:1]
    parts += [tag for tag in item.tags if tag in other.tags][: 3 - len(parts)]
    genres = [genre for genre in item.genres if genre in other.genres]
    if not parts and len(genres) >= SHARED_GENRES:
        parts = genres
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
