"""Linear fusion in a world of two tastes: films 0-14 are loved by one camp, 15-29 by the other."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.peers.linear import LinearFusionScorer, reactions
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.protocol import Interactions, Rating, Swipe
from fusion.facts import FactVocabulary
from fusion.fake import HashingEncoder
from fusion.linear_fusion import (
    DIM,
    FusionInputUnusable,
    LinearFusion,
    Reactions,
    Settings,
    fit_linear_fusion,
)
from fusion.regression import Matrix, ease, few_swipes_ridge
from tests.unit.evaluate_world import N_FILMS, films, people

N, CAMP = 30, 15
UNRATED = (14, 29)
"""One film of each camp that nobody has seen; only its text and facts tell its camp."""
SMALL = Settings(text=1.0, ease_ridge=20.0, unrated_ridge=1.0)


def camps() -> Reactions:
    """60 people like most films of their camp and dislike most of the other, early films more."""
    rng = np.random.default_rng(5)
    mine = (np.arange(60)[:, None] % 2) == (np.arange(N) // CAMP)
    seen = rng.random((60, N)) < np.linspace(0.95, 0.4, CAMP)[np.arange(N) % CAMP]
    seen[:, UNRATED] = False
    neutral = seen & (rng.random((60, N)) < 0.1)
    return Reactions(seen & mine & ~neutral, seen & ~mine & ~neutral, neutral)


def camp_texts() -> Matrix:
    noise = np.random.default_rng(6).normal(0.0, 0.2, (N, 8))
    noise[:, 0] += np.where(np.arange(N) < CAMP, 1.0, -1.0)
    lengths: Matrix = np.linalg.norm(noise, axis=1, keepdims=True)
    return noise / lengths


def camp_facts() -> Matrix:
    return np.eye(2)[np.arange(N) // CAMP]


def fitted(settings: Settings = SMALL) -> LinearFusion:
    return fit_linear_fusion(camps(), camp_texts(), camp_facts(), settings)


@cache
def model() -> LinearFusion:
    return fitted()


def ranked(swipes: dict[int, bool]) -> list[int]:
    scores = model().items @ model().fuse(swipes)
    return [item for item in np.argsort(-scores).tolist() if item not in swipes]


def test_vectors_have_384_numbers() -> None:
    assert model().items.shape == (N, DIM) == (30, 384)
    assert model().taste_maps.shape == (2, DIM - 2, DIM - 2)
    assert model().fuse({3: True}).shape == (DIM,)
    assert model().items.dtype == model().fuse({}).dtype == np.float32


@pytest.mark.parametrize("camp", [0, 1])
def test_likes_bring_the_films_of_their_camp(camp: int) -> None:
    best = ranked({camp * CAMP + 5: True, camp * CAMP + 8: True})[:10]
    assert all(item // CAMP == camp for item in best)


def test_dislikes_push_their_camp_down() -> None:
    best = ranked({2: False, 6: False, 11: False})[:12]
    assert all(item >= CAMP for item in best)


@given(st.integers(0, 13), st.integers(15, 28))
def test_a_dislike_lowers_what_a_like_raises(item: int, other: int) -> None:
    liked, disliked = (model().items @ model().fuse({item: liked}) for liked in (True, False))
    near = np.delete(np.arange(CAMP), item)
    assert (liked - disliked)[near].mean() > (liked - disliked)[other]


def test_in_a_small_world_nothing_of_the_regressions_is_lost() -> None:
    """With fewer films than numbers the scores are those of both regressions, summed."""
    rated = camps().rated
    known = camps().of(rated)
    texts = (camp_texts() - camp_texts().mean(axis=0))[rated]
    by_text, by_facts = texts @ texts.T, camp_facts()[rated] @ camp_facts()[rated].T
    few, intercept = few_swipes_ridge(known.inputs, known.liking(0.3), by_text + by_facts, 5, 4.0)
    gram = known.liking(0.5).T @ known.liking(0.5) + by_text + 2.0 * by_facts
    wanted = few[len(gram) + 3] + 8.0 * ease(gram, 20.0)[3] + few[20 - 1] + intercept
    scores = model().items @ model().fuse({3: True, 20: False})  # Film 14, unrated, lies between.
    np.testing.assert_allclose(scores[rated], wanted, atol=0.05)


def test_without_swipes_the_most_liked_come_first() -> None:
    likes = camps().likes.sum(axis=0)
    scores = model().items @ model().fuse({})
    seen = np.delete(np.arange(N), UNRATED)
    assert (np.diff(likes[seen][np.argsort(-scores[seen], kind="stable")]) <= 0).all()


def test_films_without_ratings_follow_their_text_and_facts() -> None:
    first, second = UNRATED
    order = ranked({1: True, 4: True, 20: False})
    assert order.index(first) < order.index(second)
    order = ranked({18: True, 21: True, 4: False})
    assert order.index(second) < order.index(first)


def test_a_swipe_on_an_unrated_film_teaches_what_its_text_and_facts_tell() -> None:
    order = ranked({UNRATED[0]: True})
    assert all(item < CAMP for item in order[:5])


def test_exploring_takes_popularity_off() -> None:
    greedy, curious = (model().items @ model().fuse({3: True}, e) for e in (0.0, 0.5))
    likes = camps().likes.sum(axis=0)
    seen = np.delete(np.arange(N), UNRATED)
    moved = (curious - greedy)[seen]
    assert (np.diff(moved[np.argsort(likes[seen], kind="stable")]) <= 1e-6).all()


def test_the_same_data_give_the_same_vectors() -> None:
    again = fitted()
    np.testing.assert_array_equal(again.items, model().items)
    np.testing.assert_array_equal(again.taste_maps, model().taste_maps)


def test_the_order_of_swipes_does_not_matter() -> None:
    forwards, backwards = model().fuse({1: True, 20: False}), model().fuse({20: False, 1: True})
    np.testing.assert_allclose(forwards, backwards, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("item", [-1, N, 10**9])
def test_unknown_films_are_refused(item: int) -> None:
    with pytest.raises(FusionInputUnusable, match=str(item)):
        model().fuse({item: True})


def test_arrays_of_different_films_are_refused() -> None:
    with pytest.raises(FusionInputUnusable, match="30 films, texts of 29"):
        fit_linear_fusion(camps(), camp_texts()[1:], camp_facts())


def test_nothing_is_learned_from_nothing() -> None:
    nobody = np.zeros((4, N), dtype=bool)
    with pytest.raises(FusionInputUnusable, match="No film"):
        fit_linear_fusion(Reactions(nobody, nobody, nobody), camp_texts(), camp_facts())


def test_the_peer_ranks_a_genre_by_its_likes() -> None:
    scorer = LinearFusionScorer(films(), TextSpace(films(), HashingEncoder()), ease_ridge=20.0)
    scorer.fit(people(40, seed=1))
    scores = scorer.score([Swipe(2, True, 1), Swipe(6, True, 2), Swipe(0, False, 3)], None)
    assert scores.shape == (N_FILMS,)
    assert sum(item % 4 == 2 for item in np.argsort(-scores)[:8]) >= 6


def test_ratings_become_likes_dislikes_and_neither() -> None:
    found = reactions(Interactions(4, {7: [Rating(0, 4.0, 1), Rating(1, 2.5, 2), Rating(2, 3, 3)]}))
    assert found.likes.tolist() == [[True, False, False, False]]
    assert found.dislikes.tolist() == [[False, True, False, False]]
    assert found.neutral.tolist() == [[False, False, True, False]]
    assert found.rated.tolist() == [True, True, True, False]


def test_facts_of_fewer_than_three_films_are_left_out() -> None:
    facts = FactVocabulary.of(films()).matrix(films())
    assert len(facts) == N_FILMS
    assert (np.count_nonzero(facts, axis=0) >= 3).all()
    assert FactVocabulary.of(films()[:2]).names == ()


def test_the_expected_ridge_is_the_mean_over_all_draws() -> None:
    """One person with three swipes, two drawn: the three draws written out, and solved."""
    likes, ridge = np.array([1.0, 1.0, 1.0, 0.0]), 0.7
    draws = [(0, 1), (0, 2), (1, 2)]
    system, cross = np.zeros((9, 9)), np.zeros((9, 4))
    for drawn in draws:
        row = np.zeros(9)
        row[[4 + item for item in drawn]] = row[8] = 1.0
        left = likes.copy()
        left[list(drawn)] = 0.0
        system += np.outer(row, row) / len(draws)
        cross += np.outer(row, left) / len(draws)
    system[:8, :8] += ridge * np.eye(8)
    wanted = np.linalg.solve(system, cross)
    inputs = np.concatenate([np.zeros(4), likes])[None]
    weights, intercept = few_swipes_ridge(inputs, likes[None], np.zeros((4, 4)), 2, ridge)
    np.testing.assert_allclose(np.vstack([weights, intercept]), wanted, atol=1e-12)
