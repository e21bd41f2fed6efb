"""The survey that learns against the fixed one, over a small world."""

import numpy as np
import pytest

from fusion.evaluate.protocol import Interactions, Rating
from fusion.linear_fusion import LinearFusion, Reactions, fit_linear_fusion
from recommender.evaluation.surveys import (
    CARDS,
    FIXED,
    LEARNING,
    Person,
    cards_needed,
    compare,
    people,
    tables,
)
from recommender.models import Direction, Item

FILMS = 90
RNG = np.random.default_rng(5)
ITEMS = [
    Item(item_id=str(k), title=f"Film {k}", year=1990 + k % 20, rating_count=3 + (k * 37) % FILMS)
    for k in range(FILMS)
]


def ratings(user: int) -> list[Rating]:
    """Likes of one half of the films, dislikes of the other; whoever it is saw two thirds."""
    seen = np.random.default_rng(user).permutation(FILMS)[: FILMS * 2 // 3].tolist()
    return [Rating(k, 4.5 if (k + user) % 2 else 1.0, n) for n, k in enumerate(seen)]


@pytest.fixture(scope="module")
def model() -> LinearFusion:
    values = np.zeros((40, FILMS))
    for user in range(40):
        for rating in ratings(user):
            values[user, rating.item] = rating.value
    reactions = Reactions(values >= 4, (values > 0) & (values < 3), np.zeros_like(values, bool))
    return fit_linear_fusion(reactions, RNG.normal(size=(FILMS, 8)), np.zeros((FILMS, 1)))


def test_both_surveys_begin_alike_and_learn(model: LinearFusion) -> None:
    strangers = Interactions(FILMS, {user: ratings(user) for user in range(100, 104)})
    curves = compare(model, ITEMS, strangers, seed=1)
    for curve in curves.values():
        assert curve.quality.shape == (4, CARDS + 1)
        assert np.allclose(curve.quality[:, 0], curves[FIXED].quality[:, 0])
        assert ((curve.stopped > 0) & (curve.stopped <= CARDS)).all()
    learned = curves[LEARNING].quality.mean(axis=0)
    assert learned[10] > learned[0]
    assert [len(rows) for rows in tables(curves)] == [9, 7, 2]


def test_what_is_held_out_is_never_told() -> None:
    strangers = Interactions(FILMS, {9: ratings(9), 10: ratings(10)[:6]})
    (person,) = people(strangers, range(FILMS), seed=1)
    assert len(person.held) == FILMS * 2 // 9
    assert person.relevant <= person.held
    assert not person.held & person.ratings.keys()
    assert {person.answer(row) for row in person.held} == {Direction.SKIP}


def test_neutral_and_unrated_films_say_nothing() -> None:
    told = {0: Rating(0, 4.0, 0), 1: Rating(1, 3.0, 0), 2: Rating(2, 2.5, 0)}
    person = Person(told, frozenset(), frozenset(), seed=0)
    like, dislike, skip = Direction.LIKE, Direction.DISLIKE, Direction.SKIP
    assert [person.answer(row) for row in range(4)] == [like, skip, dislike, skip]


@pytest.mark.parametrize(("wanted", "cards"), [(0.1, 0), (0.25, 1), (0.4, 2), (0.9, 2)])
def test_the_fewest_cards_to_a_quality(wanted: float, cards: int) -> None:
    assert cards_needed(np.array([[0.1, 0.2, 0.4], [0.2, 0.3, 0.6]]), wanted) == cards
