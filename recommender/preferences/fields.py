"""Which fields of a film matter to a person: those that their likes have in common."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import comb, exp, log

import numpy as np

from recommender.models import Item
from recommender.text import FIELDS

BOUND = 2.0
SMOOTHING = 20.0


class FieldHabits:
    """How much films of the catalogue have in common by chance, field by field."""

    def __init__(self, films: Sequence[Item]) -> None:
        self._rarity = {name: _rarity(map(read, films)) for name, read in FIELDS.items()}
        self._by_chance = {
            name: sum(exp(-2 * nats) * nats for nats in rarity.values())
            for name, rarity in self._rarity.items()
        }

    def weights(self, liked: Sequence[Item]) -> dict[str, float]:
        """A person's field weights, 1/2..2, where 1 is usual.

        What two films have in common in a field is the sum of -ln(share of films) over their shared
        terms. The weight is the root of how much more that is among the likes than by chance, over
        the geometric mean of the fields. 20 such nats are added to both, so that a few likes prove
        little and none nothing.
        """
        lifts = {name: self._lift(name, liked) for name in FIELDS}
        middle = float(np.mean(list(lifts.values())))
        return {
            name: round(float(np.clip(exp((lift - middle) / 2), 1 / BOUND, BOUND)), 4)
            for name, lift in lifts.items()
        }

    def _lift(self, name: str, liked: Sequence[Item]) -> float:
        rarity, read = self._rarity[name], FIELDS[name]
        counts = Counter(term for film in liked for term in set(read(film)))
        shared = sum(comb(counts[term], 2) * rarity.get(term, 0.0) for term in sorted(counts))
        chance = comb(len(liked), 2) * self._by_chance[name]
        return log((shared + SMOOTHING) / (chance + SMOOTHING))


def _rarity(films: Iterable[Iterable[str]]) -> dict[str, float]:
    """-ln(share of films) of each term."""
    documents = [set(terms) for terms in films]
    counts = Counter(term for terms in documents for term in terms)
    return {term: log(len(documents) / counts[term]) for term in sorted(counts)}
