"""What the harness asks of a recommender: learn from some people, then score films for others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

LIKE = 4.0
"""A rating from here up is a like."""
DISLIKE = 2.5
"""A rating from here down is a dislike; what lies between says nothing."""


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's rating of one film: index of the film, half-stars 0.5 to 5, Unix seconds."""

    item: int
    value: float
    timestamp: int


@dataclass(frozen=True, slots=True)
class Swipe:
    """One reaction of a stranger: index of the film, like or dislike, Unix seconds."""

    item: int
    liked: bool
    timestamp: int

    @classmethod
    def of(cls, rating: Rating) -> "Swipe | None":
        """Read a rating as a swipe; None when it is neither a like nor a dislike."""
        if DISLIKE < rating.value < LIKE:
            return None
        return cls(rating.item, rating.value >= LIKE, rating.timestamp)


@dataclass(frozen=True)
class Interactions:
    """Ratings by person, oldest first; film indices run from 0 to `n_items` - 1.

    Indices are the same in every split, so a film may have no rating here at all.
    """

    n_items: int
    by_user: Mapping[int, Sequence[Rating]]

    def swipes(self) -> Iterator[list[Swipe]]:
        """Yield each person's likes and dislikes, oldest first."""
        for ratings in self.by_user.values():
            yield [swipe for rating in ratings if (swipe := Swipe.of(rating))]


class Scorer(Protocol):
    """A recommender under test. What it knows of films beside ratings, it is constructed with."""

    name: str

    def fit(self, train: Interactions) -> None:
        """Learn from the people of `train`, forgetting any earlier fit; a no-op if untrained."""

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Score all films for a stranger, shape (n_items,), higher is better.

        `history` is oldest first and may be empty, `query` may be None. The harness itself
        leaves out swiped films and breaks ties at random.
        """
