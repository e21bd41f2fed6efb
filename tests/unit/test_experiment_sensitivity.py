"""Interleaving finds with the same people what comparing groups of them misses."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from recommender.experiments.interleaving import team_draft
from recommender.experiments.reactions import Side, Tally
from recommender.experiments.report import UserTallies, compare
from recommender.experiments.variants import Variant

WORSE: Variant = "preference_vector"
BETTER: Variant = "embedding_fusion"
PEOPLE, RUNS, FILMS, SHOWN = 100, 30, 60, 10
# How far each variant's guess is off what a person likes, whose spread is 1.
NOISE: dict[Variant, float] = {WORSE: 1.5, BETTER: 0.8}


class Person:
    """Likes some films more than others, and some people like more films than others."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._appeal = rng.normal(size=FILMS)
        self._ease = rng.normal(-1, 1)

    def ranking(self, variant: Variant) -> list[str]:
        guess = self._appeal + NOISE[variant] * self._rng.normal(size=FILMS)
        return [str(film) for film in np.argsort(-guess)]

    def likes(self, films: Sequence[str]) -> int:
        chances = 1 / (1 + np.exp(-(self._appeal[[int(film) for film in films]] + self._ease)))
        return int((self._rng.random(len(films)) < chances).sum())


def shown_one(person: Person, variant: Variant) -> UserTallies:
    likes = person.likes(person.ranking(variant)[:SHOWN])
    return {Side(variant, False): Tally(1, SHOWN, likes)}


def shown_both(person: Person, seed: int) -> UserTallies:
    drafted = team_draft(person.ranking(WORSE), person.ranking(BETTER), SHOWN, seed)
    films = [[film for film, team in drafted if team == side] for side in (0, 1)]
    return {
        Side(WORSE, True): Tally(1, len(films[0]), person.likes(films[0])),
        Side(BETTER, True): Tally(1, len(films[1]), person.likes(films[1])),
    }


def test_interleaving_is_the_more_sensitive_of_the_two() -> None:
    found: Counter[str] = Counter()
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        people = [Person(rng) for _ in range(PEOPLE)]
        groups = [shown_one(p, (WORSE, BETTER)[n % 2]) for n, p in enumerate(people)]
        interval = compare("e", groups, WORSE).variants[1].lift_interval
        found["groups"] += interval is not None and interval[0] > 0
        (duel,) = compare("e", [shown_both(p, n) for n, p in enumerate(people)], WORSE).duels
        share = duel.win_share_interval
        found["interleaving"] += share is not None and share[0] > 0.5
        assert share is not None
        assert share[1] > 0.5, "the worse variant was found better"
    assert found["interleaving"] > 2 * found["groups"]
    assert found["interleaving"] > RUNS / 2
