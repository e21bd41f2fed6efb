"""What is learned from: examples and queries, and the world they are drawn in."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.protocol import Interactions, Rating
from fusion.evaluate.queries import all_queries
from fusion.fake import HashingEncoder
from fusion.linear_fusion import RANK
from fusion.training.asking import Asking
from fusion.training.errors import TooFewPeople
from fusion.training.examples import MAX_SWIPES, Example, Examples, Mix
from fusion.training.world import build_world
from tests.unit.evaluate_world import N_FILMS, films, people

seeds = st.integers(0, 2**32 - 1)


def drawn(mix: Mix, count: int = 200, seed: int = 0) -> list[Example]:
    rng = np.random.default_rng(seed)
    examples = Examples(people(), Asking(films()), mix)
    return [examples.draw(rng) for _ in range(count)]


@given(seeds)
def test_an_example_asks_for_what_was_not_swiped_yet(seed: int) -> None:
    for example in drawn(Mix(), 5, seed):
        swiped = [swipe.item for swipe in example.swipes]
        assert example.liked.shape == (N_FILMS,)
        assert example.liked.sum() > 0
        assert not example.liked[swiped].any()
        assert len(swiped) <= MAX_SWIPES
        moments = [swipe.timestamp for swipe in example.swipes]
        assert moments == sorted(moments)
        assert example.now == (moments[-1] if moments else 0)


def test_wanted_films_are_the_persons_own_likes() -> None:
    ratings = list(people().by_user.values())
    for example in drawn(Mix(someone_else=0.0, with_query=0.0)):
        liked = {rating.item for rating in ratings[example.person] if rating.value >= 4}
        assert set(np.flatnonzero(example.liked)) <= liked


def test_in_time_swipes_come_before_what_is_wanted() -> None:
    ratings = list(people().by_user.values())
    for example in drawn(Mix(in_time=1.0, someone_else=0.0)):
        moment = {rating.item: rating.timestamp for rating in ratings[example.person]}
        assert all(moment[film] > example.now for film in np.flatnonzero(example.liked).tolist())


def test_someone_else_likes_another_genre_most_of_the_time() -> None:
    genres = Counter(
        bool(set(np.flatnonzero(e.liked) % 4) - {(e.person + 1) % 4})
        for e in drawn(Mix(someone_else=1.0, with_query=0.0))
    )
    assert genres[True] > genres[False]
    assert all(e.someone_else for e in drawn(Mix(someone_else=1.0), 5))


def test_shares_are_kept() -> None:
    examples = drawn(Mix(with_query=0.5, someone_else=0.2), 600)
    assert np.mean([bool(e.query) for e in examples]) == pytest.approx(0.5, abs=0.08)
    assert np.mean([e.someone_else for e in examples]) == pytest.approx(0.2, abs=0.08)


def test_equal_seeds_draw_equal_examples() -> None:
    first, second = drawn(Mix(), 20), drawn(Mix(), 20)
    assert [(e.person, e.swipes, e.query) for e in first] == [
        (e.person, e.swipes, e.query) for e in second
    ]


def test_who_liked_little_is_left_out() -> None:
    few = [Rating(film, 5.0, film) for film in range(5)]
    many = Interactions(N_FILMS, {**people().by_user, 99: few})
    last = len(many.by_user) - 1
    rng = np.random.default_rng(0)
    examples = Examples(many, Asking(films()), Mix(someone_else=0.0))
    assert last not in {examples.draw(rng).person for _ in range(300)}
    with pytest.raises(TooFewPeople, match="Nobody of 1 people has 6 likes"):
        Examples(Interactions(N_FILMS, {99: few}), Asking(films()))


@given(seeds, st.integers(0, N_FILMS - 1))
def test_a_query_fits_the_film_it_was_drawn_for(seed: int, film: int) -> None:
    words, fits = Asking(films()).draw(film, np.random.default_rng(seed)) or ("", None)
    assert words
    assert fits is not None
    assert fits[film]


def test_free_words_are_the_films_own_and_mean_it_alone() -> None:
    asking, rng = Asking(films(), free=1.0), np.random.default_rng(0)
    for film in range(N_FILMS):
        found = asking.draw(film, rng)
        if found and found[1].sum() == 1:
            text = films()[film].text.lower()
            assert all(word in text for word in found[0].split())


def test_held_out_terms_are_never_asked_for() -> None:
    assert any("heist" in query.parts for query in all_queries(films()))
    asking, rng = Asking(films(), free=0.0, held_out=["heist"]), np.random.default_rng(0)
    asked = [asking.draw(1, rng) for _ in range(200)]
    assert not any("heist" in found[0] for found in asked if found)
    assert any("heist" in found[0] for _ in range(200) if (found := Asking(films()).draw(1, rng)))


def test_a_world_is_cross_fitted() -> None:
    texts = HashingEncoder(384).encode([film.text for film in films()])
    world = build_world(films(), people(), texts, folds=3, seed=1)
    assert world.added.shape == (3, 2, N_FILMS, RANK)
    assert sorted(np.bincount(world.fold)) == [10, 10, 10]
    assert not np.allclose(world.added[0], world.added[1])  # each fold was fitted without it
    again = build_world(films(), people(), texts, folds=3, seed=1)
    np.testing.assert_array_equal(world.fold, again.fold)
    np.testing.assert_array_equal(world.added, again.added)
