import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.calibration import markdown, reliability, wilson

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


def test_bins_hold_what_was_predicted_against_what_came() -> None:
    found = reliability([0.11, 0.13, 0.91, 1.0], [0, 1, 1, 1])
    first, last = found.bins
    assert (first.count, first.observed, last.count, last.observed) == (2, 0.5, 2, 1.0)
    assert first.predicted == pytest.approx(0.12)
    assert found.ece == pytest.approx((2 * 0.38 + 2 * 0.045) / 4)
    assert found.brier == pytest.approx((0.11**2 + 0.87**2 + 0.09**2) / 4)


@given(PAIRS, st.integers(1, 20))
def test_bins_lose_nobody_and_lie_within_their_intervals(
    pairs: list[tuple[float, int]], bins: int
) -> None:
    predicted, observed = zip(*pairs, strict=True)
    found = reliability(predicted, observed, bins)
    assert sum(one.count for one in found.bins) == len(pairs)
    assert all(0 <= one.low <= one.observed <= one.high <= 1 for one in found.bins)
    assert 0 <= found.ece <= 1
    assert found.ece**2 <= found.brier + 1e-9


def test_honest_chances_are_calibrated_and_boastful_ones_are_not() -> None:
    rng = np.random.default_rng(2)
    honest = rng.random(20_000)
    came_true = rng.random(20_000) < honest
    assert reliability(honest, came_true).ece < 0.02
    assert reliability(honest**0.25, came_true).ece > 0.2


def test_wilson_agrees_with_the_published_example() -> None:
    """Newcombe (1998), table I: 81 of 263."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_table_shows_each_bin() -> None:
    text = markdown(reliability([0.2, 0.2, 0.7], [0, 1, 1]))
    assert "| 0.200 | 0.500 [0.095, 0.905] | 2 |" in text
    assert text.count("\n| 0.") == 2


@pytest.mark.parametrize(
    ("predicted", "observed"),
    [([], []), ([0.5], [0, 1]), ([1.5], [1]), ([float("nan")], [1]), ([0.5], [0.5])],
)
def test_what_does_not_pair_is_refused(predicted: list[float], observed: list[float]) -> None:
    with pytest.raises(ValueError, match=r"pair|0\.\.1|neither"):
        reliability(predicted, observed)
