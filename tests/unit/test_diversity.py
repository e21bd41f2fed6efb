"""Maximal marginal relevance against a literal reading of its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommender.diversity import mmr, represented

SEEDS = st.integers(0, 10_000)
BALANCES = st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.9, 1.0])


def candidates(count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    rows = np.abs(rng.normal(size=(count, 6)))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rng.random(count), np.asarray(rows / lengths, dtype=np.float32)


def greedy(
    relevance: NDArray[np.float64], vectors: NDArray[np.float32], k: int, balance: float
) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        gains = {
            row: balance * relevance[row]
            - (1 - balance) * max([0.0, *(float(vectors[row] @ vectors[c]) for c in chosen)])
            for row in range(len(relevance))
            if row not in chosen
        }
        chosen.append(max(gains, key=lambda row: gains[row]))
    return chosen


@given(SEEDS, st.integers(0, 25), st.integers(1, 30), BALANCES)
def test_equals_the_definition(seed: int, count: int, k: int, balance: float) -> None:
    relevance, vectors = candidates(count, seed)
    chosen = mmr(relevance, vectors, k, balance)
    assert len(chosen) == len(set(chosen)) == min(k, count)
    assert chosen == greedy(relevance, vectors, k, balance)


@given(SEEDS, st.integers(1, 30))
def test_all_for_relevance_is_sorting(seed: int, count: int) -> None:
    relevance, vectors = candidates(count, seed)
    assert mmr(relevance, vectors, count, 1.0) == list(np.argsort(-relevance, kind="stable"))


def test_a_twin_waits_for_something_else() -> None:
    relevance = np.array([1.0, 0.99, 0.6])
    vectors = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    assert mmr(relevance, vectors, 3, 0.5) == [0, 2, 1]
    assert mmr(relevance, vectors, 3, 0.95) == [0, 1, 2]


@pytest.mark.parametrize("k", [0, 5])
def test_nothing_of_nothing(k: int) -> None:
    assert mmr(np.zeros(0), np.zeros((0, 6), dtype=np.float32), k, 0.9) == []


@given(
    st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=12, max_size=30),
    st.integers(1, 5),
)
def test_every_group_gets_its_places_as_far_as_the_pool_goes(
    members: list[list[bool]], places: int
) -> None:
    member = np.array(members)
    pool = np.arange(len(member))
    chosen = represented(range(10), pool, member, places)
    assert len(chosen) == len(set(chosen)) == 10
    if 2 * places <= 10:
        for group in range(2):
            assert member[chosen, group].sum() >= min(places, int(member[:, group].sum()))


def test_who_need_not_give_way_stays_in_place() -> None:
    member = np.array([[False], [False], [False], [True]])
    pool = np.arange(4)
    assert represented([0, 1, 2], pool, member, 1) == [0, 1, 3]
    assert represented([0, 1, 2], pool, member[:, :0], 1) == [0, 1, 2]
    assert represented([3, 1, 2], np.array([3, 1, 2, 0]), member, 1) == [3, 1, 2]
