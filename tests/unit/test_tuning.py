"""The search for weights, on objectives whose best point is known."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.tasks import QUERY, SWIPES
from recommender.evaluation.tuning import KNOBS, Knob, Step, coordinate_search, with_value
from recommender.ranking_weights import TasteMix
from recommender.settings import RecommenderSettings

BOTH = frozenset({SWIPES, QUERY})
START = RecommenderSettings()
GRID = (0.1, 0.2, 0.3, 0.4, 0.5)
SHOWN = (
    Knob("ranking.prior_alone", GRID, frozenset({SWIPES})),
    Knob("ranking.prior_with_words", GRID, frozenset({QUERY})),
    Knob("mmr_lambda", GRID, BOTH),
)


def hill(settings: RecommenderSettings, kinds: frozenset[str]) -> Mapping[str, float]:
    """Highest at 0.4, 0.2 and 0.3; each kind sees its own settings only."""
    shared = -abs(settings.mmr_lambda - 0.3)
    own = {
        SWIPES: -abs(settings.ranking.prior_alone - 0.4),
        QUERY: -abs(settings.ranking.prior_with_words - 0.2),
    }
    return {kind: own[kind] + shared for kind in kinds}


def best(steps: list[Step]) -> RecommenderSettings:
    return [step.settings for step in steps if step.taken][-1]


@given(seed=st.integers(0, 50))
def test_finds_the_top_of_a_hill_from_any_order(seed: int) -> None:
    found = best(list(coordinate_search(hill, START, SHOWN, 1, seed)))
    assert found.ranking.prior_alone == 0.4
    assert found.ranking.prior_with_words == 0.2
    assert found.mmr_lambda == 0.3


def test_same_seed_same_steps_and_what_stands_never_falls() -> None:
    one, other = (list(coordinate_search(hill, START, SHOWN, 2, 3)) for _ in range(2))
    assert one == other
    standing = [sum(step.quality.values()) for step in one if step.taken]
    assert standing == sorted(standing)


def test_asks_only_for_the_kinds_that_a_setting_changes() -> None:
    asked: list[frozenset[str]] = []

    def flat(_: RecommenderSettings, kinds: frozenset[str]) -> Mapping[str, float]:
        asked.append(kinds)
        return dict.fromkeys(kinds, 0.5)

    steps = list(coordinate_search(flat, START, SHOWN[:1], 1, 0))
    assert asked == [frozenset({SWIPES})] * 6
    assert best(steps) == START


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_every_value_can_be_set(knob: Knob) -> None:
    for value in knob.values:
        changed = with_value(START, knob.name, value)
        RecommenderSettings.model_validate(changed.model_dump())
        found: object = changed
        for part in knob.name.split("."):
            found = getattr(found, part)
        assert found == value
    assert with_value(START, knob.name, knob.values[0]) != with_value(
        START, knob.name, knob.values[-1]
    )


@given(st.sampled_from(list(TasteMix.model_fields)), st.floats(0, 1))
def test_the_shares_of_a_mix_keep_their_sum(name: str, share: float) -> None:
    mix = with_value(START.ranking.personal_mix, name, share)
    assert sum(mix.shares) == pytest.approx(1, abs=1e-5)
    assert all(0 <= other <= 1 for other in mix.shares)
