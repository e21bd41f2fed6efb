"""The report finds what is there, and does not find what is not."""

from collections.abc import Iterable

import numpy as np
import pytest

from recommender.errors import InvalidRequest, UnknownExperiment
from recommender.experiments.intervals import (
    lift,
    lift_interval,
    mean_interval,
    share_interval,
)
from recommender.experiments.reactions import Side, Tally
from recommender.experiments.report import ExperimentReport, UserTallies, compare, report
from recommender.experiments.variants import Variant
from recommender.stores.memory import memory_stores


def test_mean_interval_is_the_bootstrap_of_the_mean() -> None:
    values = np.random.default_rng(1).normal(3, 2, 200)
    low, high = mean_interval(list(values))
    error = values.std() / 200**0.5
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.03)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.03)
    assert mean_interval(list(values)) == (low, high)
    assert mean_interval([2.0] * 9) == (2.0, 2.0)


def test_lift_is_relative() -> None:
    assert lift([1, 3], [1, 1]) == pytest.approx(1.0)
    assert lift([1, 1], [1, 3]) == pytest.approx(-0.5)
    assert lift([1], [0]) == np.inf
    assert lift([0], [0]) == 0


def test_groups_of_different_sizes_are_resampled_apart() -> None:
    """Against the delta method's interval for a ratio of two independent means."""
    rng = np.random.default_rng(2)
    ours, theirs = rng.poisson(4, 500) / 2, rng.poisson(3, 300) / 2
    ratio = ours.mean() / theirs.mean()
    relative = ours.var() / 500 / ours.mean() ** 2 + theirs.var() / 300 / theirs.mean() ** 2
    half = 1.96 * ratio * relative**0.5
    low, high = lift_interval(list(ours), list(theirs))
    assert low == pytest.approx(ratio - 1 - half, abs=0.02)
    assert high == pytest.approx(ratio - 1 + half, abs=0.02)


def test_intervals_of_two_equal_groups_hold_0_as_often_as_they_say() -> None:
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        ours, theirs = (list(rng.binomial(10, 0.2, 60) / 2) for _ in "ab")
        low, high = lift_interval(ours, theirs, seed, samples=500)
        held += low <= 0 <= high
    assert 0.91 <= held / 300 <= 0.985


@pytest.mark.parametrize(
    ("wins", "trials", "low", "high"),
    # R: binom::binom.wilson
    [
        (0, 10, 0.0, 0.2775),
        (3, 3, 0.4385, 1.0),
        (15, 50, 0.1910, 0.4375),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilsons_interval(wins: int, trials: int, low: float, high: float) -> None:
    assert share_interval(wins, trials) == pytest.approx((low, high), abs=1e-4)


def users(
    variant: Variant, likes: Iterable[int], exposures: int = 2, *, interleaved: bool = False
) -> list[UserTallies]:
    side = Side(variant, interleaved)
    return [{side: Tally(exposures, 10 * exposures, n, 1)} for n in likes]


def poisson(mean: float, people: int, seed: int) -> list[int]:
    return [int(n) for n in np.random.default_rng(seed).poisson(mean, people)]


def test_a_better_variant_is_found() -> None:
    people = users("preference_vector", poisson(2, 300, 1))
    people += users("embedding_fusion", poisson(3, 300, 2))
    found = compare("e", people)
    assert found.baseline == "preference_vector"
    control, fused = found.variants
    assert (control.variant, fused.variant) == ("preference_vector", "embedding_fusion")
    assert control.like_rate == pytest.approx(1, abs=0.1)
    assert fused.like_rate == pytest.approx(1.5, abs=0.1)
    assert fused.lift == pytest.approx(0.5, abs=0.15)
    assert fused.lift_interval is not None
    assert 0 < fused.lift_interval[0] < 0.5 < fused.lift_interval[1]
    assert (control.lift, control.lift_interval) == (None, None)
    assert (fused.users, fused.exposures, fused.films_shown) == (300, 600, 6000)
    assert (fused.likes, fused.dislikes) == (sum(poisson(3, 300, 2)), 300)


def test_of_two_equal_variants_none_is_found_better() -> None:
    people = users("generic", poisson(2, 300, 3)) + users("token_fusion", poisson(2, 300, 4))
    (_, other) = compare("e", people).variants
    assert other.lift_interval is not None
    assert other.lift_interval[0] < 0 < other.lift_interval[1]


def test_a_busy_user_counts_as_one() -> None:
    """Users are the unit: 1 like in 1 exposure weighs as much as 0 likes in 99."""
    people = [*users("generic", [1], exposures=1), *users("generic", [0], exposures=99)]
    assert compare("e", people).variants[0].like_rate == 0.5


def test_any_shown_variant_can_be_the_baseline() -> None:
    people = users("generic", [1] * 20) + users("token_fusion", [2] * 20)
    found = compare("e", people, "token_fusion")
    assert [figures.lift for figures in found.variants] == [-0.5, None]
    with pytest.raises(InvalidRequest, match=r"did not show embedding_fusion.*generic, token_f"):
        compare("e", people, "embedding_fusion")


def test_who_saw_several_variants_is_left_out() -> None:
    both = {Side("generic", False): Tally(1, 10, 9), Side("token_fusion", False): Tally(1, 10, 9)}
    found = compare("e", [*users("generic", [1, 1]), *users("token_fusion", [2]), both])
    assert found.mixed_users == 1
    assert [(f.users, f.likes) for f in found.variants] == [(2, 2), (1, 2)]


def test_few_users_get_no_interval() -> None:
    few = compare("e", users("generic", [1] * 9) + users("token_fusion", [2] * 10))
    assert [f.like_rate_interval is None for f in few.variants] == [True, False]
    assert few.variants[1].lift == 1.0
    assert few.variants[1].lift_interval is None


def duelling(likes: Iterable[tuple[int, int]]) -> list[UserTallies]:
    return [
        {
            Side("preference_vector", True): Tally(2, 9, b),
            Side("token_fusion", True): Tally(2, 9, a),
        }
        for a, b in likes
    ]


def test_interleaving_counts_users_won() -> None:
    found = compare("e", duelling([(2, 0)] * 40 + [(3, 4)] * 10 + [(1, 1)] * 5 + [(0, 0)] * 5))
    assert found.variants == ()
    (duel,) = found.duels
    assert (duel.variant, duel.baseline) == ("token_fusion", "preference_vector")
    assert (duel.users, duel.wins, duel.losses, duel.ties) == (60, 40, 10, 10)
    assert (duel.likes, duel.baseline_likes) == (115, 45)
    assert duel.win_share == 0.8
    assert duel.win_share_interval == share_interval(40, 50)
    (mirrored,) = compare("e", duelling([(2, 0)] * 3 + [(0, 1)]), "token_fusion").duels
    assert (mirrored.variant, mirrored.wins, mirrored.losses) == ("preference_vector", 1, 3)


def test_without_a_winner_there_is_no_share() -> None:
    (duel,) = compare("e", duelling([(1, 1), (0, 0)])).duels
    assert (duel.ties, duel.win_share, duel.win_share_interval) == (2, None, None)


def test_one_experiment_may_have_run_both_ways() -> None:
    people = users("generic", [1] * 10) + users("token_fusion", [1] * 10)
    people += [
        {Side("generic", True): Tally(1, 5, 0), Side("token_fusion", True): Tally(1, 5, 1)},
        {Side("generic", False): Tally(1, 5, 3), Side("token_fusion", True): Tally(1, 1, 1)},
    ]
    found = compare("e", people)
    assert [figures.users for figures in found.variants] == [11, 10]
    assert [(duel.users, duel.wins) for duel in found.duels] == [(1, 1)]
    assert found.mixed_users == 0


def test_figures_without_bounds_are_null_in_json() -> None:
    people = users("generic", [0] * 12) + users("token_fusion", [1] * 12)
    found = compare("e", people)
    assert found.variants[1].lift == np.inf
    assert '"lift":null' in found.model_dump_json()
    assert ExperimentReport.model_validate_json(
        compare("e", users("generic", [1] * 12)).model_dump_json()
    )


def test_an_unknown_experiment_is_told_what_exists() -> None:
    with pytest.raises(UnknownExperiment, match=r"No experiment 'e' .* None has run yet"):
        report(memory_stores(), "e")
