"""Figures read out of metrics, and the alarms over them."""

from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from assistant.dashboard.alarms import ALARMS, Alarm, read_alarms
from assistant.dashboard.figures import ENOUGH_ANSWERS, figures
from assistant.dashboard.readings import Readings
from recommender.telemetry import BUCKETS


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def seconds(registry: CollectorRegistry, values: list[float]) -> None:
    histogram = Histogram(
        "reelwise_search_seconds", "x", ["strategy", "cached"], buckets=BUCKETS, registry=registry
    )
    for value in values:
        histogram.labels("light", "false").observe(value)


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_percentiles_are_those_of_the_values_as_far_as_buckets_tell(
    registry: CollectorRegistry, q: float
) -> None:
    values = np.random.default_rng(1).lognormal(-3.5, 0.8, 5000)
    seconds(registry, values.tolist())
    found = Readings(registry).quantile(q, "reelwise_search_seconds", strategy="light")
    exact = float(np.quantile(values, q))
    above = next(bound for bound in BUCKETS if bound >= exact)
    below = max([0.0, *(bound for bound in BUCKETS if bound < exact)])
    assert found is not None
    assert below <= found <= above


def test_what_lies_above_all_buckets_is_the_highest_bound(registry: CollectorRegistry) -> None:
    seconds(registry, [99.0] * 10)
    assert Readings(registry).quantile(0.5, "reelwise_search_seconds") == 10


def test_nothing_observed_has_no_percentile(registry: CollectorRegistry) -> None:
    seconds(registry, [])
    assert Readings(registry).quantile(0.5, "reelwise_search_seconds") is None
    assert Readings(registry).quantile(0.5, "reelwise_unheard_of") is None


def test_totals_add_up_the_series_with_the_labels(registry: CollectorRegistry) -> None:
    counter = Counter("reelwise_x", "x", ["a", "b"], registry=registry)
    for a, b, times in (("1", "1", 2), ("1", "2", 3), ("2", "2", 5)):
        counter.labels(a, b).inc(times)
    readings = Readings(registry)
    assert readings.total("reelwise_x_total") == 10
    assert readings.total("reelwise_x_total", a="1") == 5
    assert readings.total("reelwise_x_total", a="1", b="2") == 3
    assert readings.share("reelwise_x_total", b="2") == 0.8
    assert readings.values("reelwise_x_total", "b", a="2") == ["2"]


def count(name: str, *label: str) -> Callable[[CollectorRegistry, float, float], None]:
    """Makes a counter with so many of the label's first value and so many of its second."""

    def made(registry: CollectorRegistry, first: float, second: float) -> None:
        counter = Counter(name, "x", [label[0]], registry=registry)
        counter.labels(label[1]).inc(first)
        counter.labels(label[2]).inc(second)

    return made


def latency(registry: CollectorRegistry, first: float, second: float) -> None:
    seconds(registry, [1.2] * round(first) + [0.02] * round(second))


def errors_of(failures: str, total: str) -> Callable[[CollectorRegistry, float, float], None]:
    def made(registry: CollectorRegistry, first: float, second: float) -> None:
        Counter(failures, "x", ["why"], registry=registry).labels("?").inc(first)
        Counter(total, "x", ["status"], registry=registry).labels("?").inc(first + second)

    return made


def search_errors(registry: CollectorRegistry, first: float, second: float) -> None:
    Counter("reelwise_search_failures", "x", ["error"], registry=registry).labels("?").inc(first)
    latency(registry, 0, second)


MADE: dict[str, tuple[Callable[[CollectorRegistry, float, float], None], tuple[int, int]]] = {
    "Search latency, p95": (latency, (6, 94)),
    "Search errors": (search_errors, (3, 97)),
    "Inference failures": (count("reelwise_inferences", "outcome", "failed", "made"), (4, 96)),
    "Embedding cache hits": (count("reelwise_embedding_cache", "outcome", "hit", "miss"), (59, 41)),
    "Endpoint errors": (errors_of("reelwise_http_failures", "reelwise_http_requests"), (2, 98)),
    "Preference failures": (
        count("reelwise_preference_updates", "outcome", "failed", "learned"),
        (6, 94),
    ),
    "Survey completion": (count("reelwise_surveys", "event", "completed", "started"), (59, 100)),
}


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
@pytest.mark.parametrize("sounds", [True, False])
def test_an_alarm_sounds_just_past_its_limit(
    registry: CollectorRegistry, alarm: Alarm, sounds: bool
) -> None:
    name = alarm.name
    make, (first, second) = MADE[name]
    one = 1 if alarm.sounds == "below" else -1
    rest = 0 if name == "Survey completion" else one
    make(registry, *((first, second) if sounds else (first + one, second - rest)))
    states = {reading.name: reading.state for reading in read_alarms(Readings(registry))}
    assert states.pop(name) == ("sounding" if sounds else "quiet")
    if name != "Search errors":  # these are counted among the searches that were timed
        states.pop("Search errors")
        assert set(states.values()) == {"unknown"}


def test_a_lift_is_told_of_enough_answers(registry: CollectorRegistry) -> None:
    answers = Counter("reelwise_answers", "x", ["strategy", "variant"], registry=registry)
    reactions = Counter(
        "reelwise_reactions", "x", ["strategy", "variant", "direction"], registry=registry
    )
    answers.labels("generic", "v").inc(2 * ENOUGH_ANSWERS)
    answers.labels("personal", "v").inc(ENOUGH_ANSWERS - 1)
    reactions.labels("generic", "v", "like").inc(ENOUGH_ANSWERS)
    reactions.labels("personal", "v", "like").inc(ENOUGH_ANSWERS)
    reactions.labels("personal", "v", "dislike").inc()
    assert figures(registry).lift is None
    answers.labels("personal", "v").inc()
    found = figures(registry)
    assert found.lift == pytest.approx(1.0), "one like an answer instead of a half"
    assert found.acceptance[-1].dislikes == 1
    assert [each.strategy for each in found.acceptance] == ["generic", "light", "personal"]
