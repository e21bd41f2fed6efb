"""What is known of a film beside its text and ratings, as columns of numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SHARED_BY = 3
"""A fact of fewer films tells nothing of others."""
FREQUENT = 0.3
"""Weight of genres and years, which are had by many, against people and tags."""


class FilmFacts(Protocol):
    """A film as far as its facts go."""

    @property
    def item_id(self) -> str:
        """Its id in the catalogue."""

    @property
    def title(self) -> str:
        """Its title, without the year."""

    @property
    def year(self) -> int | None:
        """The year it came out."""

    @property
    def genres(self) -> tuple[str, ...]:
        """Its genres."""

    @property
    def director(self) -> tuple[str, ...]:
        """Who directed it."""

    @property
    def cast(self) -> tuple[str, ...]:
        """Who plays in it."""

    @property
    def tags(self) -> tuple[str, ...]:
        """What it is about, in a few words each."""


@dataclass(frozen=True)
class FactVocabulary:
    """The facts that 3 films or more share, in the order of their columns."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, films: Iterable[FilmFacts]) -> "FactVocabulary":
        """Collect from films."""
        counts = Counter(fact for film in films for fact in _facts(film))
        return cls(tuple(sorted(fact for fact in counts if counts[fact] >= SHARED_BY)))

    def matrix(self, films: Sequence[FilmFacts]) -> NDArray[np.float64]:
        """Which film has which fact, and how much of it, shape (films, facts)."""
        columns = {name: k for k, name in enumerate(self.names)}
        matrix = np.zeros((len(films), len(columns)))
        for place, film in enumerate(films):
            for fact, value in _facts(film).items():
                if fact in columns:
                    matrix[place, columns[fact]] = value
        return matrix


def _facts(film: FilmFacts) -> Mapping[str, float]:
    named = {"director": film.director, "cast": film.cast, "tag": [t.lower() for t in film.tags]}
    facts = {f"{kind} {name}": 1.0 for kind, names in named.items() for name in names}
    facts |= {f"genre {genre}": FREQUENT for genre in film.genres}
    if film.year:
        # Tents of 7.5 years either way, so that near years are alike.
        nearness = {middle: 1 - abs(film.year - middle) / 7.5 for middle in range(1920, 2031, 5)}
        facts |= {f"year {y}": FREQUENT * near for y, near in nearness.items() if near > 0}
    return facts
