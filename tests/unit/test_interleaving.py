"""Team-draft interleaving keeps its promises for any two rankings."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.experiments.interleaving import Drafted, team_draft

rankings = st.lists(st.sampled_from([f"film-{number}" for number in range(30)]), unique=True)
sizes = st.integers(1, 40)
seeds = st.integers(0, 2**64)


@given(rankings, rankings, sizes, seeds)
def test_a_list_without_duplicates_as_long_as_can_be(
    first: list[str], second: list[str], k: int, seed: int
) -> None:
    drafted = [film for film, _ in team_draft(first, second, k, seed)]
    assert len(drafted) == len(set(drafted)) == min(k, len({*first, *second}))
    assert set(drafted) <= {*first, *second}


@given(rankings, rankings, sizes, seeds)
def test_every_prefix_is_fair(first: list[str], second: list[str], k: int, seed: int) -> None:
    """After each round the teams are of one size, in between one is ahead by one."""
    teams = [team for _, team in team_draft(first, second, k, seed)]
    for length in range(len(teams) + 1):
        counts = Counter(teams[:length])
        assert abs(counts[0] - counts[1]) <= 1
        if length % 2 == 0 and None not in counts:
            assert counts[0] == counts[1]


@given(rankings, rankings, sizes, seeds)
def test_each_pick_is_the_best_that_was_free(
    first: list[str], second: list[str], k: int, seed: int
) -> None:
    taken: set[str] = set()
    for film, team in team_draft(first, second, k, seed):
        free = [[f for f in ranking if f not in taken] for ranking in (first, second)]
        if team is None:
            assert not all(free)
            assert film == (free[0] or free[1])[0]
        else:
            assert film == free[team][0]
        taken.add(film)


@given(rankings, rankings, sizes, seeds)
def test_deterministic_for_a_seed(first: list[str], second: list[str], k: int, seed: int) -> None:
    assert team_draft(first, second, k, seed) == team_draft(first, second, k, seed)


@given(rankings, sizes, seeds)
def test_a_ranking_with_itself_is_itself(ranking: list[str], k: int, seed: int) -> None:
    assert [film for film, _ in team_draft(ranking, ranking, k, seed)] == ranking[:k]


def test_the_rest_of_the_longer_ranking_counts_for_nobody() -> None:
    for seed in range(8):
        drafted = team_draft(["a"], ["b", "c", "d"], 3, seed)
        assert sorted(drafted[:2]) == [("a", 0), ("b", 1)]
        assert drafted[2] == Drafted("c", None)
    assert team_draft([], ["b", "c"], 5, 0) == [("b", None), ("c", None)]
    assert team_draft([], [], 5, 0) == []


@pytest.mark.parametrize("place", [0, 2, 4])
def test_both_teams_begin_each_round_equally_often(place: int) -> None:
    first, second = ["a", "b", "c", "d"], ["w", "x", "y", "z"]
    begun = Counter(team_draft(first, second, 8, seed)[place].team for seed in range(2000))
    assert begun.keys() == {0, 1}
    assert abs(begun[0] - 1000) < 5 * 500**0.5
