"""What metrics gained while a test ran."""

from prometheus_client import REGISTRY


class Gains:
    """Differences to the moment at which this was made: metrics are of the whole process."""

    def __init__(self) -> None:
        self._before = _samples()

    def __call__(self, name: str, **labels: str) -> float:
        """How much all series of ``name`` with these labels gained together."""
        return sum(
            value - self._before.get(key, 0.0)
            for key, value in _samples().items()
            if key[0] == name and labels.items() <= dict(key[1]).items()
        )


def _samples() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
    }
