"""The alarms, computed as CloudWatch computes them, from the start of this process on.

What they divide is told in ``recommender/telemetry.py``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.dashboard.readings import Readings, ratio
from recommender.models import Frozen

SEARCH = "reelwise_search_seconds"
State = Literal["quiet", "sounding", "unknown"]


@dataclass(frozen=True)
class Alarm:
    """Sounds when ``measure`` is ``sounds`` the limit; ``events`` says of how many it was taken."""

    name: str
    sounds: Literal["above", "below"]
    limit: float
    unit: Literal["seconds", "share"]
    measure: Callable[[Readings], float | None]
    events: Callable[[Readings], int]


class Reading(Frozen):
    """What an alarm measures now. ``unknown``: nothing has happened yet."""

    name: str
    sounds: Literal["above", "below"]
    limit: float
    unit: Literal["seconds", "share"]
    value: float | None
    events: int
    state: State


def _total(name: str, **labels: str) -> Callable[[Readings], int]:
    return lambda readings: readings.total(name, **labels)


def _share(name: str, **labels: str) -> Callable[[Readings], float | None]:
    return lambda readings: readings.share(name, **labels)


def _searches(readings: Readings) -> int:
    return readings.total("reelwise_search_failures_total") + readings.total(f"{SEARCH}_count")


ALARMS = (
    Alarm(
        "Search latency, p95", "above", 0.8, "seconds",
        lambda readings: readings.quantile(0.95, SEARCH), _total(f"{SEARCH}_count"),
    ),
    Alarm(
        "Search errors", "above", 0.02, "share",
        lambda found: ratio(found.total("reelwise_search_failures_total"), _searches(found)),
        _searches,
    ),
    Alarm(
        "Inference failures", "above", 0.03, "share",
        _share("reelwise_inferences_total", outcome="failed"), _total("reelwise_inferences_total"),
    ),
    Alarm(
        "Embedding cache hits", "below", 0.6, "share",
        _share("reelwise_embedding_cache_total", outcome="hit"),
        _total("reelwise_embedding_cache_total"),
    ),
    Alarm(
        "Endpoint errors", "above", 0.01, "share",
        lambda found: ratio(
            found.total("reelwise_http_failures_total"), found.total("reelwise_http_requests_total")
        ),
        _total("reelwise_http_requests_total"),
    ),
    Alarm(
        "Preference failures", "above", 0.05, "share",
        _share("reelwise_preference_updates_total", outcome="failed"),
        _total("reelwise_preference_updates_total"),
    ),
    Alarm(
        "Survey completion", "below", 0.6, "share",
        lambda found: ratio(
            found.total("reelwise_surveys_total", event="completed"),
            found.total("reelwise_surveys_total", event="started"),
        ),
        _total("reelwise_surveys_total", event="started"),
    ),
)  # fmt: skip


def read_alarms(readings: Readings) -> Iterator[Reading]:
    """Each alarm with what it measures."""
    for alarm in ALARMS:
        value = alarm.measure(readings)
        yield Reading(
            name=alarm.name,
            sounds=alarm.sounds,
            limit=alarm.limit,
            unit=alarm.unit,
            value=value,
            events=alarm.events(readings),
            state=_state(alarm, value),
        )


def _state(alarm: Alarm, value: float | None) -> State:
    if value is None:
        return "unknown"
    sounding = value > alarm.limit if alarm.sounds == "above" else value < alarm.limit
    return "sounding" if sounding else "quiet"
