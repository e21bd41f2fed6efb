"""Reading figures out of the metrics: sums over labels, and percentiles of histograms."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf

from prometheus_client import REGISTRY, CollectorRegistry


class Readings:
    """All samples of a registry as of one moment."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in registry.collect():
            for sample in family.samples:
                self._samples[sample.name].append((sample.labels, sample.value))

    def total(self, name: str, **labels: str) -> int:
        """The sum over all series of ``name`` that have these labels."""
        return round(sum(value for _, value in self._series(name, labels)))

    def values(self, name: str, label: str, **labels: str) -> list[str]:
        """Which values a label has, sorted."""
        return sorted({found[label] for found, _ in self._series(name, labels)})

    def share(self, name: str, **labels: str) -> float | None:
        """The share of the series with these labels in all of ``name``."""
        return ratio(self.total(name, **labels), self.total(name))

    def quantile(self, q: float, name: str, **labels: str) -> float | None:
        """As Prometheus' ``histogram_quantile``: linear within a bucket, and the highest bound for
        what lies above it. None without observations.
        """
        buckets = self.buckets(name, **labels)
        rank = q * sum(buckets.values())
        if not rank:
            return None
        below = 0.0
        for low, high in pairwise([0.0, *buckets]):
            if buckets[high] and below + buckets[high] >= rank:
                return low if high == inf else low + (high - low) * (rank - below) / buckets[high]
            below += buckets[high]
        return None

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """How many observations lie in each bucket, by its upper bound, lowest first."""
        reached: dict[float, float] = defaultdict(float)
        for found, value in self._series(f"{name}_bucket", labels):
            reached[float(found["le"])] += value
        bounds = sorted(reached)
        counts = [reached[bound] for bound in bounds]
        return {
            bound: count - before
            for bound, count, before in zip(bounds, counts, [0.0, *counts], strict=False)
        }

    def _series(
        self, name: str, labels: Mapping[str, str]
    ) -> Iterator[tuple[Mapping[str, str], float]]:
        for found, value in self._samples[name]:
            if labels.items() <= found.items():
                yield found, value


def ratio(part: float, whole: float) -> float | None:
    """None where there is nothing to be a part of."""
    return part / whole if whole else None
