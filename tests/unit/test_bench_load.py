"""Open-loop load: who is held up by a slow answer counts with their wait."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.load import closed_loop, open_loop, poisson


class OneServer(Executor):
    """Answers one request after the other, without a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class FakeClock:
    """Moves only when somebody waits or works."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait_until(self, moment: float) -> None:
        self.time = max(self.time, moment)

    def work(self, seconds: float) -> None:
        self.time += seconds


seconds = st.floats(0, 10)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=30))
def test_latency_counts_from_when_a_request_was_meant_to_be_sent(
    drawn: list[tuple[float, float]],
) -> None:
    """One server with a queue: a wait is what Lindley's recursion (1952) says."""
    times, work = np.cumsum([gap for gap, _ in drawn]).tolist(), [each for _, each in drawn]
    clock = FakeClock()
    measured = open_loop(work, times, clock.work, OneServer(), clock)
    waited, expected = 0.0, []
    for place, (gap, _) in enumerate(drawn):
        waited = max(0.0, waited + work[place - 1] - gap) if place else 0.0
        expected.append(1000 * (waited + work[place]))
    assert measured == pytest.approx(expected, abs=1e-6)


@given(st.lists(seconds, max_size=20))
def test_in_a_closed_loop_nobody_waits(work: list[float]) -> None:
    clock = FakeClock()
    expected = [1000 * each for each in work]
    assert closed_loop(work, clock.work, clock) == pytest.approx(expected, abs=1e-6)


@given(st.floats(0.1, 1000), st.integers(1, 50), st.integers(0, 5))
def test_arrivals_ascend_and_are_the_same_for_the_same_seed(
    rate: float, count: int, seed: int
) -> None:
    times = poisson(rate, count, np.random.default_rng(seed))
    assert len(times) == count
    assert times == sorted(times)
    assert times == poisson(rate, count, np.random.default_rng(seed))


def test_gaps_are_exponential_of_the_rate() -> None:
    times = poisson(4.0, 20_000, np.random.default_rng(0))
    gaps = np.diff([0.0, *times])
    assert gaps.mean() == pytest.approx(0.25, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)


def test_what_goes_wrong_with_one_request_is_raised() -> None:
    def refuse(_: str) -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        closed_loop(["one"], refuse, FakeClock())
