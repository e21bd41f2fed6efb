"""The three vector strategies against straightforward solutions of the same problems."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.preferences.vectors import (
    DISLIKE_SHARE,
    RIDGE,
    centroid,
    contrastive,
    unit,
    weighted_centroid,
)

Matrix = NDArray[np.float32]
DIM = 12
SEEDS = st.integers(0, 10_000)
COUNTS = st.integers(0, 25)


def films(count: int, seed: int, around: int | None = None) -> Matrix:
    """Random centred item vectors, shape (count, DIM), perhaps in a cloud around an axis."""
    rows = np.random.default_rng(seed).normal(size=(count, DIM))
    if around is not None:
        rows = 0.3 * rows + 2 * np.eye(DIM)[around]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)


def close(vector: Matrix | None, wanted: NDArray[np.floating[Any]] | None) -> bool:
    assert vector is not None
    assert wanted is not None
    return bool(np.allclose(vector, wanted, atol=1e-4))


def normalised(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def logistic_boundary(liked: Matrix, disliked: Matrix) -> NDArray[np.float64]:
    """Ridge logistic regression by gradient descent in the embedding space, free intercept."""
    films = np.vstack([liked, disliked, np.zeros((1, DIM))]).astype(np.float64)
    rows = np.hstack([films, np.ones((len(films), 1))])
    target = np.r_[np.ones(len(liked)), np.zeros(len(disliked) + 1)]
    ridge = RIDGE * np.r_[np.ones(DIM), 0.0]
    weights = np.zeros(DIM + 1)
    step = 1.0 / (RIDGE + 0.25 * np.linalg.norm(rows, 2) ** 2)
    for _ in range(3000):
        chance = 1 / (1 + np.exp(-rows @ weights))
        weights -= step * (rows.T @ (chance - target) + ridge * weights)
    return normalised(weights[:-1])


def test_unit() -> None:
    assert close(unit(np.array([3, 4], np.float32)), np.array([0.6, 0.8]))
    assert unit(np.zeros(5, np.float32)) is None


@pytest.mark.parametrize("strategy", [centroid, contrastive])
def test_nothing_swiped_points_nowhere(strategy: object) -> None:
    assert callable(strategy)
    assert strategy(films(0, 1), films(0, 2)) is None


@given(SEEDS, COUNTS, COUNTS)
def test_every_strategy_makes_unit_vectors(seed: int, likes: int, dislikes: int) -> None:
    liked, disliked = films(likes, seed), films(dislikes, seed + 1)
    for strategy in (centroid, contrastive):
        vector = strategy(liked, disliked)
        if likes + dislikes:
            assert vector is not None
            assert vector.dtype == np.float32
            assert vector.shape == (DIM,)
            assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@given(SEEDS, st.integers(1, 25), st.integers(1, 25))
def test_centroid_is_mean_of_likes_minus_share_of_dislikes(seed: int, n: int, m: int) -> None:
    liked, disliked = films(n, seed), films(m, seed + 1)
    wanted = liked.mean(axis=0, dtype=float) - DISLIKE_SHARE * disliked.mean(axis=0, dtype=float)
    assert close(centroid(liked, disliked), normalised(wanted))
    alone = normalised(liked.mean(axis=0, dtype=float))
    assert close(centroid(liked, films(0, 0)), alone)


@given(SEEDS, st.integers(1, 12))
def test_a_weight_counts_like_so_many_copies(seed: int, n: int) -> None:
    liked, disliked = films(n, seed), films(3, seed + 1)
    copies = np.random.default_rng(seed).integers(1, 5, size=n)
    weighted = weighted_centroid(liked, disliked, copies.astype(float), np.ones(3))
    repeated = centroid(np.repeat(liked, copies, axis=0), disliked)
    assert close(weighted, repeated)


@given(SEEDS)
def test_weights_of_nothing_forget_the_films(seed: int) -> None:
    liked = films(4, seed)
    weighted = weighted_centroid(liked, films(0, 0), np.array([0.0, 0, 1, 0]), np.ones(0))
    assert close(weighted, liked[2])
    assert weighted_centroid(liked, films(0, 0), np.zeros(4), np.zeros(0)) is None


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("likes", "dislikes"), [(1, 0), (5, 5), (12, 3), (3, 12), (25, 20)])
def test_contrastive_is_the_logistic_boundary(seed: int, likes: int, dislikes: int) -> None:
    liked, disliked = films(likes, seed, around=0), films(dislikes, seed + 50)
    found = contrastive(liked, disliked)
    assert found is not None
    assert float(found @ logistic_boundary(liked, disliked)) > 0.9999


@given(SEEDS, st.integers(1, 20), st.integers(1, 20))
def test_strategies_put_separate_tastes_on_the_right_sides(seed: int, n: int, m: int) -> None:
    liked, disliked = films(n, seed, around=1), films(m, seed + 1, around=2)
    for strategy in (centroid, contrastive):
        vector = strategy(liked, disliked)
        assert vector is not None
        assert (liked @ vector).min() > (disliked @ vector).max()


@given(SEEDS, st.integers(1, 20))
def test_dislikes_alone_point_away_from_them(seed: int, count: int) -> None:
    disliked = films(count, seed, around=3)
    for strategy in (centroid, contrastive):
        vector = strategy(films(0, 0), disliked)
        assert vector is not None
        assert (disliked @ vector).max() < 0
