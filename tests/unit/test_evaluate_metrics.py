import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate import metrics

ORACLE = json.loads((Path(__file__).parent / "oracle_ranx.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "metric"), [("ndcg@10", metrics.ndcg), ("recall@20", metrics.recall)]
)
def test_agrees_with_ranx(name: str, metric: Callable[..., metrics.Floats]) -> None:
    hits = np.array([[item in case["relevant"] for item in case["ranked"]] for case in ORACLE])
    relevant = np.array([len(case["relevant"]) for case in ORACLE])
    np.testing.assert_allclose(metric(hits, relevant), [case[name] for case in ORACLE], atol=1e-12)


def test_coverage_counts_each_film_once() -> None:
    assert metrics.coverage(np.array([[0, 1], [1, 2]]), candidates=6) == 0.5


def test_novelty_is_in_bits_and_finite_for_a_film_without_ratings() -> None:
    bits = metrics.novelty(np.array([[0, 0], [1, 1]]), np.array([0, 3]), people=7)
    np.testing.assert_allclose(bits, [3.0, 1.0])


def test_diversity_is_the_mean_jaccard_distance_of_genres() -> None:
    genres = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    values = metrics.diversity(np.array([[0, 1], [0, 2], [3, 3]]), genres)
    np.testing.assert_allclose(values, [0.5, 1.0, 0.0])


def test_the_interval_covers_the_true_mean_about_95_times_in_100() -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(1.0, 1.0, size=(400, 60))
    intervals = [metrics.interval(sample, samples=500) for sample in samples]
    covered = np.mean([low <= 1.0 <= high for low, high in intervals])
    assert 0.90 <= covered <= 0.99


def test_lift_is_paired() -> None:
    theirs = np.random.default_rng(1).random(50) + 0.1
    gain, low, high = metrics.lift(1.2 * theirs, theirs, samples=200)
    np.testing.assert_allclose([gain, low, high], 0.2)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.arange(30.0)
    assert metrics.interval(values, seed=4) == metrics.interval(values, seed=4)
    assert metrics.interval(values, seed=4) != metrics.interval(values, seed=5)


def test_lift_over_nothing_is_infinite() -> None:
    gain, _, high = metrics.lift(np.ones(4), np.zeros(4), samples=50)
    assert gain == high == np.inf


def test_randomisation_agrees_with_all_swaps_counted() -> None:
    rng = np.random.default_rng(6)
    ours, theirs = rng.random((2, 10))
    differences = ours - theirs
    swaps = np.array(list(product((1, -1), repeat=10)))
    exact = np.mean(np.abs(swaps @ differences) >= abs(differences.sum()) - 1e-12)
    assert metrics.randomisation(ours, theirs) == pytest.approx(exact, abs=0.02)


def test_randomisation_finds_few_differences_where_there_are_none() -> None:
    pairs = np.random.default_rng(8).random((200, 2, 40))
    p_values = [metrics.randomisation(ours, theirs, samples=400) for ours, theirs in pairs]
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09


def test_randomisation_of_the_same_is_one() -> None:
    values = np.random.default_rng(1).random(30)
    assert metrics.randomisation(values, values) == 1.0


def test_holm_steps_down() -> None:
    assert metrics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_each_p_and_bonferroni(p_values: list[float]) -> None:
    adjusted = metrics.holm(p_values)
    for raw, one in zip(p_values, adjusted, strict=True):
        assert raw <= one <= min(1.0, raw * len(p_values)) + 1e-12


def test_a_ratio_counts_each_thing_once_and_resamples_people_whole() -> None:
    sums, counts = np.array([1.0, 0.0, 8.0]), np.array([1.0, 1.0, 8.0])
    mean, low, high = metrics.ratio_interval(sums, counts, samples=2000)
    assert mean == 0.9
    assert (low, high) == (0.0, 1.0)


def test_a_ratio_of_nothing_counted_is_zero() -> None:
    np.testing.assert_array_equal(metrics.ratio_interval(np.zeros(2), np.zeros(2)), np.zeros(3))
