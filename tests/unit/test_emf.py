"""What CloudWatch would be told, held to the rules of its Embedded Metric Format."""

import io
from threading import Event
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from assistant.api.metrics import FAILURES as HTTP_FAILURES
from assistant.api.metrics import REQUESTS as HTTP_REQUESTS
from assistant.emf import EmfExporter, exporting
from recommender import telemetry
from tests.emf import conforms

NOW = 1_780_000_000.5


class Log:
    """An exporter of metrics of its own, and what it wrote."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._out = io.StringIO()
        self.exporter = EmfExporter("Test", self._out, self.registry, lambda: NOW)

    def flushed(self) -> list[dict[str, Any]]:
        """The documents of one more flush."""
        start = self._out.tell()
        self.exporter.flush()
        return self.written()[len(self._out.getvalue()[:start].splitlines()) :]

    def written(self) -> list[dict[str, Any]]:
        """All documents so far."""
        return [conforms(line) for line in self._out.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_counter_is_written_as_what_it_gained(log: Log) -> None:
    swipes = Counter("reelwise_swipes", "x", ["direction"], registry=log.registry)
    swipes.labels("like").inc(3)
    (document,) = log.flushed()
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert document["_aws"]["Timestamp"] == 1_780_000_000_500
    assert directive["Namespace"] == "Test"
    assert directive["Metrics"] == [{"Name": "reelwise_swipes_total", "Unit": "Count"}]
    assert directive["Dimensions"] == [[], ["direction"]]
    assert (document["direction"], document["reelwise_swipes_total"]) == ("like", 3)
    assert log.flushed() == []
    swipes.labels("like").inc()
    swipes.labels("skip").inc(2)
    gained = {each["direction"]: each["reelwise_swipes_total"] for each in log.flushed()}
    assert gained == {"like": 1, "skip": 2}


def test_metrics_of_others_stay_out(log: Log) -> None:
    Counter("python_things", "x", registry=log.registry).inc()
    assert log.flushed() == []


def test_a_histogram_is_written_as_one_value_an_observation(log: Log) -> None:
    seconds = Histogram("reelwise_x_seconds", "x", buckets=[0.1, 0.8, 2], registry=log.registry)
    for value in (0.05, 0.05, 0.3, 0.8, 0.9, 7.0):
        seconds.observe(value)
    (document,) = log.flushed()
    (metric,) = document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    assert metric == {"Name": "reelwise_x_seconds", "Unit": "Seconds"}
    values = document["reelwise_x_seconds"]
    assert len(values) == 6
    assert values == sorted(values)
    assert [value > 0.8 for value in values] == [False] * 4 + [True] * 2, "the alarm's share"
    assert max(values) == 2, "no more is known of what lies above all bounds"
    seconds.observe(0.3)
    assert log.flushed()[0]["reelwise_x_seconds"] == pytest.approx(0.45)


def test_more_values_than_a_document_takes_fill_several(log: Log) -> None:
    seconds = Histogram("reelwise_x_seconds", "x", ["cached"], registry=log.registry)
    for _ in range(250):
        seconds.labels("true").observe(0.003)
    documents = log.flushed()
    assert [len(each["reelwise_x_seconds"]) for each in documents] == [100, 100, 50]
    assert {each["cached"] for each in documents} == {"true"}


def test_more_metrics_than_a_document_takes_fill_several(log: Log) -> None:
    for number in range(130):
        Counter(f"reelwise_{number}", "x", registry=log.registry).inc()
    documents = log.flushed()
    sizes = [len(each["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for each in documents]
    assert sizes == [100, 30]


def test_several_labels_are_dimensions_alone_and_together(log: Log) -> None:
    Counter("reelwise_x", "x", ["b", "a"], registry=log.registry).labels("1", "2").inc()
    (document,) = log.flushed()
    sets = document["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    assert sets == [[], ["a"], ["b"], ["a", "b"]]


def test_what_came_last_is_written_at_the_end(log: Log) -> None:
    counter = Counter("reelwise_x", "x", registry=log.registry)
    with exporting(log.exporter, seconds=3600):
        counter.inc(2)
    assert [each["reelwise_x_total"] for each in log.written()] == [2]


def test_it_goes_on_by_itself() -> None:
    class Flushes(EmfExporter):
        count = 0

        def flush(self) -> None:
            self.count += 1
            if self.count == 3:
                enough.set()

    enough = Event()
    with exporting(Flushes("Test", io.StringIO(), CollectorRegistry()), seconds=0.001):
        assert enough.wait(timeout=30)


def test_every_metric_that_an_alarm_needs_is_written() -> None:
    """The names in the docstring of the telemetry are those that are exposed."""
    log = Log(REGISTRY)
    telemetry.SEARCH_SECONDS.labels("generic", "false").observe(0.9)
    telemetry.SEARCH_FAILURES.labels("StoreUnavailable").inc()
    telemetry.INFERENCES.labels("fusion", "failed").inc()
    telemetry.EMBEDDING_CACHE.labels("hit").inc()
    HTTP_FAILURES.labels("/search").inc()
    HTTP_REQUESTS.labels("POST", "/search", "500").inc()
    telemetry.PREFERENCE_UPDATES.labels("failed").inc()
    telemetry.SURVEYS.labels("completed").inc()
    telemetry.SURVEYS.labels("started").inc()
    telemetry.STEP_SECONDS.labels("fuse").observe(0.01)
    telemetry.REACTIONS.labels("personal", "embedding_fusion", "like").inc()
    telemetry.ANSWERS.labels("personal", "embedding_fusion").inc()
    written = {
        metric["Name"]
        for document in log.flushed()
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    told = (telemetry.__doc__ or "").replace("\n", " ").split()
    named = {word.split("{")[0].strip("();,.") for word in told if "reelwise_" in word}
    assert named == {name for name in named if name.startswith("reelwise_")}
    assert named <= written
    assert len(named) >= 10
