"""What is learned from: a query, the swipes before it, and the films liked after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.protocol import Interactions, Swipe
from fusion.training.asking import Asking
from fusion.training.errors import TooFewPeople

MAX_SWIPES = 45
MIN_LIKES = 6
DAY = 86_400.0


@dataclass(frozen=True)
class Example:
    """``person`` is the row of the swiper; ``liked`` (n,) holds 1 for what should come first."""

    person: int
    swipes: tuple[Swipe, ...]
    query: str
    someone_else: bool
    liked: NDArray[np.float32]

    @property
    def now(self) -> float:
        """The moment of asking: that of the latest swipe, in Unix seconds."""
        return float(self.swipes[-1].timestamp) if self.swipes else 0.0


@dataclass(frozen=True)
class Mix:
    """Shares of the kinds of examples."""

    with_query: float = 0.5
    in_time: float = 0.3
    """Swipes before a moment and likes after it; the others are drawn from all of a person's."""
    someone_else: float = 0.08
    """Another person's likes are wanted, with the query and the swipes of this one."""


class Examples:
    """Draws examples from people's ratings, without end."""

    def __init__(self, people: Interactions, asking: Asking, mix: Mix | None = None) -> None:
        """People with fewer than six likes are left out. Raises TooFewPeople when none is left."""
        self._n = people.n_items
        self._asking = asking
        self._mix = mix or Mix()
        self._swipes = list(people.swipes())
        likes = np.array([sum(swipe.liked for swipe in swipes) for swipes in self._swipes])
        # Whoever liked much teaches much, but not in proportion.
        weights = np.where(likes >= MIN_LIKES, np.sqrt(likes), 0.0)
        if not weights.any():
            raise TooFewPeople(f"Nobody of {len(likes)} people has {MIN_LIKES} likes.")
        self._chances = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> Example:
        """One example, with at least one film to put first."""
        while True:
            person = self._person(rng)
            swipes, later = self._divided(person, rng)
            someone_else = bool(rng.random() < self._mix.someone_else)
            if someone_else:
                other = self._swipes[self._person(rng)]
                later = [swipe for swipe in other if swipe.item not in {s.item for s in swipes}]
            if example := self._asked(person, swipes, later, someone_else, rng):
                return example

    def _person(self, rng: np.random.Generator) -> int:
        return int(rng.choice(len(self._swipes), p=self._chances))

    def _divided(self, person: int, rng: np.random.Generator) -> tuple[list[Swipe], list[Swipe]]:
        swipes = self._swipes[person]
        n = min(int(np.exp(rng.uniform(0, np.log(MAX_SWIPES)))) - 1, int(len(swipes) * 0.8))
        if rng.random() < self._mix.in_time:
            cut = int(rng.integers(n, len(swipes)))
            return swipes[cut - n : cut], swipes[cut:]
        order = rng.permutation(len(swipes))
        return [swipes[k] for k in sorted(order[:n])], [swipes[k] for k in order[n:]]

    def _asked(
        self,
        person: int,
        swipes: list[Swipe],
        later: list[Swipe],
        someone_else: bool,
        rng: np.random.Generator,
    ) -> Example | None:
        wanted = [swipe.item for swipe in later if swipe.liked]
        if not wanted:
            return None
        liked = np.zeros(self._n, dtype=np.float32)
        liked[wanted] = 1.0
        query = ""
        if rng.random() < self._mix.with_query:
            asked = self._asking.draw(int(wanted[rng.integers(len(wanted))]), rng)
            if asked:
                query, fits = asked
                liked *= fits
        return Example(person, tuple(swipes), query, someone_else, liked)
