"""The metrics in CloudWatch's Embedded Metric Format: JSON lines that CloudWatch Logs reads.

They are read out of Prometheus' registry, so that each metric is defined once. Counters are written
as what was added since the last time. Of a histogram's observations only the bucket is known:
within it they are taken to be spread evenly, so a percentile is as true as the buckets are narrow,
and the share above one of their bounds is exact.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from threading import Event, Lock, Thread
from typing import TextIO

from prometheus_client import REGISTRY, CollectorRegistry, Metric

PREFIX = "reelwise_"
MOST_VALUES = MOST_METRICS = 100
"""Of one metric in a document, and of metrics in one: CloudWatch takes no more."""

Labels = tuple[tuple[str, str], ...]
Values = dict[str, list[float]]


class EmfExporter:
    """Writes to ``out`` what the metrics of ``registry`` gained. Thread-safe.

    Where threads stand still between requests, as in AWS Lambda, call ``flush`` after each one.
    """

    def __init__(
        self,
        namespace: str,
        out: TextIO = sys.stdout,
        registry: CollectorRegistry = REGISTRY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._namespace = namespace
        self._out = out
        self._registry = registry
        self._clock = clock
        self._seen: dict[tuple[str, Labels], float] = {}
        self._lock = Lock()

    def flush(self) -> None:
        """Write one document for each set of labels that gained something."""
        with self._lock:
            gained: dict[Labels, Values] = defaultdict(dict)
            for family in self._registry.collect():
                if family.name.startswith(PREFIX):
                    for labels, name, values in self._gained(family):
                        gained[labels][name] = values
            now = round(1000 * self._clock())
            for labels, metrics in gained.items():
                for part in _parts(metrics):
                    document = _document(self._namespace, now, labels, part)
                    self._out.write(json.dumps(document) + "\n")
            self._out.flush()

    def _gained(self, family: Metric) -> Iterator[tuple[Labels, str, list[float]]]:
        if family.type == "histogram":
            for labels, counts in self._buckets(family).items():
                if values := _spread(counts):
                    yield labels, family.name, values
        elif family.type == "counter":
            totals = (each for each in family.samples if each.name.endswith("_total"))
            for sample in totals:  # beside it stands when it was created
                labels = _labels(sample.labels)
                if more := self._more(sample.name, labels, sample.value):
                    yield labels, sample.name, [more]

    def _buckets(self, family: Metric) -> dict[Labels, dict[float, float]]:
        """How many observations each bucket gained, by its upper bound, lowest first."""
        gained: dict[Labels, dict[float, float]] = defaultdict(dict)
        below: dict[Labels, float] = defaultdict(float)
        for sample in family.samples:
            if sample.name.endswith("_bucket"):
                bound = sample.labels["le"]
                labels = _labels({k: v for k, v in sample.labels.items() if k != "le"})
                more = self._more(f"{sample.name}{bound}", labels, sample.value)
                gained[labels][float(bound)] = more - below[labels]
                below[labels] = more
        return gained

    def _more(self, name: str, labels: Labels, value: float) -> float:
        before = self._seen.get((name, labels), 0.0)
        self._seen[name, labels] = value
        return value - before


@contextmanager
def exporting(exporter: EmfExporter, seconds: float) -> Iterator[None]:
    """Flush every so many seconds from a thread of its own, and once more at the end."""
    ended = Event()

    def flush_until_the_end() -> None:
        while not ended.wait(seconds):
            exporter.flush()

    thread = Thread(target=flush_until_the_end, name="emf", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        exporter.flush()


def _labels(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _spread(counts: Mapping[float, float]) -> list[float]:
    """One value for each observation; those above all bounds lie on the highest."""
    bounds = [0.0, *list(counts)[:-1]]
    values = [
        low + (place + 0.5) * (high - low) / int(counts[high])
        for low, high in pairwise(bounds)
        for place in range(int(counts[high]))
    ]
    return values + [bounds[-1]] * int(counts[float("inf")])


def _parts(metrics: Values) -> Iterator[Values]:
    """The metrics in portions that CloudWatch takes."""
    while metrics:
        names = list(metrics)[:MOST_METRICS]
        yield {name: metrics[name][:MOST_VALUES] for name in names}
        rest = {name: metrics[name][MOST_VALUES:] for name in names}
        later = {name: metrics[name] for name in list(metrics)[MOST_METRICS:]}
        metrics = {name: values for name, values in (rest | later).items() if values}


def _document(namespace: str, now: int, labels: Labels, metrics: Values) -> dict[str, object]:
    """``now`` is in milliseconds since 1970. Sets of dimensions: none, each label, all labels."""
    names = [name for name, _ in labels]
    sets = [[], *([name] for name in names), *([names] if len(names) > 1 else [])]
    definitions = [{"Name": name, "Unit": _unit(name)} for name in metrics]
    directive = {"Namespace": namespace, "Dimensions": sets, "Metrics": definitions}
    return {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        **dict(labels),
        **{name: values[0] if len(values) == 1 else values for name, values in metrics.items()},
    }


def _unit(name: str) -> str:
    if name.endswith("_seconds"):
        return "Seconds"
    return "Count" if name.endswith("_total") else "None"
