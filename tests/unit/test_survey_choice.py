"""Which card teaches most."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.models import Direction
from recommender.survey_choice import FEWEST_SWIPES, Floats, Lessons, lessons

FILMS, POOL, DIM = 40, 30, 6
ANSWERS = st.dictionaries(
    st.integers(0, FILMS - 1), st.sampled_from([Direction.LIKE, Direction.DISLIKE, Direction.SKIP])
)


Whole = NDArray[np.signedinteger]


def taught(
    items: Floats | None = None, counts: Whole | None = None, years: Whole | None = None
) -> Lessons:
    """Films at random unless given; a like adds a film's own vector, a dislike takes half of it."""
    if items is None:
        items = np.random.default_rng(0).normal(size=(FILMS, DIM)).astype(np.float32)
    n = len(items)
    if counts is None:
        counts = np.arange(n, 0, -1)
    if years is None:
        years = np.full(n, 2000)
    return lessons(
        items,
        np.zeros(items.shape[1], np.float32),
        lambda row, liked: items[row] * np.float32(1.0 if liked else -0.5),
        counts.astype(np.int64),
        years.astype(np.int16),
        POOL,
    )


LESSONS = taught()


@settings(max_examples=80)
@given(answers=ANSWERS)
def test_a_survey_never_repeats_a_film_and_ends(answers: dict[int, Direction]) -> None:
    answered = dict(answers)
    while (card := LESSONS.next_card(answered)) is not None:
        assert card not in answered
        answered[card] = Direction.SKIP
    assert set(range(POOL)) <= set(answered)


@settings(max_examples=80)
@given(answers=ANSWERS, size=st.integers(0, FILMS))
def test_a_batch_is_what_follows_if_nothing_was_seen(
    answers: dict[int, Direction], size: int
) -> None:
    batch = LESSONS.batch(answers, size)
    assert len(batch) == min(size, POOL - sum(row < POOL for row in answers))
    for card in batch:
        assert LESSONS.next_card(answers) == card
        answers = answers | {card: Direction.SKIP}


@settings(max_examples=80)
@given(answers=ANSWERS)
def test_chances_and_expectations_are_within_bounds(answers: dict[int, Direction]) -> None:
    seen = LESSONS.seen(answers)
    assert ((seen > 0) & (seen < 1)).all()
    turnover = LESSONS.turnover(answers, range(POOL)) if len(answers) < FILMS - 10 else np.zeros(1)
    assert ((turnover >= 0) & (turnover <= 10)).all()


def test_a_film_not_seen_lowers_its_kin_and_a_seen_one_raises_them() -> None:
    years = np.where(np.arange(FILMS) < FILMS // 2, 1940, 2010)
    lessons = taught(np.eye(FILMS, dtype=np.float32), years=years)
    before = lessons.seen({})
    skipped, liked = lessons.seen({0: Direction.SKIP}), lessons.seen({0: Direction.LIKE})
    kin, others = slice(1, FILMS // 2), slice(FILMS // 2, None)
    assert (skipped[kin] < before[kin]).all()
    assert (liked[kin] > before[kin]).all()
    assert np.allclose(skipped[others], before[others], atol=1e-4)
    assert np.allclose(lessons.seen({0: Direction.DISLIKE}), liked)


def test_of_two_films_as_known_the_one_that_moves_more_is_asked() -> None:
    items = np.eye(FILMS, dtype=np.float32)
    items[7] *= 3.0
    assert taught(items, counts=np.full(FILMS, 5)).next_card({}) == 7


def test_of_two_films_that_move_as_much_the_better_known_is_asked() -> None:
    assert taught(np.eye(FILMS, dtype=np.float32)).next_card({}) == 0


def test_the_top_ten_is_settled_when_no_card_can_change_it() -> None:
    told = dict.fromkeys(range(FEWEST_SWIPES), Direction.LIKE)
    sure = replace(LESSONS, prior=np.arange(FILMS, dtype=np.float32) * 100.0)
    assert sure.settled(told)
    assert not LESSONS.settled(told)
    assert not sure.settled(dict(list(told.items())[1:]))
    assert not sure.settled(dict.fromkeys(told, Direction.SKIP))


@pytest.mark.parametrize("films", [1, 9, 11])
def test_few_films_are_no_trouble(films: int) -> None:
    items = np.ones((films, 2), dtype=np.float32)
    few = taught(items)
    assert sorted(few.batch({}, 20)) == list(range(films))
    assert not few.settled(dict.fromkeys(range(films), Direction.LIKE))
