"""What the dashboard shows, as it is sent to the page."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry

from assistant.dashboard.alarms import SEARCH, Reading, read_alarms
from assistant.dashboard.readings import Readings, ratio
from recommender.models import Frozen

STEPS = {
    "fuse": "words and swipes fused",
    "encode": "words embedded",
    "retrieve": "films retrieved",
    "acknowledge": "swipe acknowledged",
    "learn": "taste learned",
    "start_survey": "survey started",
}
TIERS = ("generic", "light", "personal")
ENOUGH_ANSWERS = 20
"""Of either kind, before a lift is told."""
REACTIONS, ANSWERS = "reelwise_reactions_total", "reelwise_answers_total"


class Latency(Frozen):
    """Percentiles in seconds, interpolated within the buckets of the histogram."""

    name: str
    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class Share(Frozen):
    """So many of so many."""

    name: str
    part: int
    whole: int


class Count(Frozen):
    """How often something happened."""

    name: str
    count: int


class Acceptance(Frozen):
    """What people said of the films that a strategy showed; ``rate`` is likes per answer."""

    strategy: str
    answers: int
    likes: int
    dislikes: int
    rate: float | None


class Figures(Frozen):
    """All figures since this process started. ``lift`` is of personal over generic answers, 0.1
    being ten percent.
    """

    alarms: tuple[Reading, ...]
    latencies: tuple[Latency, ...]
    caches: tuple[Share, ...]
    acceptance: tuple[Acceptance, ...]
    lift: float | None
    surveys: Share
    swipes: tuple[Count, ...]
    confidence: tuple[Count, ...]
    fallbacks: tuple[Count, ...]
    chat: tuple[Count, ...]


def figures(registry: CollectorRegistry = REGISTRY) -> Figures:
    """The figures as of now."""
    readings = Readings(registry)
    acceptance = tuple(_accepted(readings, tier) for tier in TIERS)
    return Figures(
        alarms=tuple(read_alarms(readings)),
        latencies=tuple(_latencies(readings)),
        caches=(
            _hits(readings, "embeddings", "reelwise_embedding_cache_total", outcome="hit"),
            _hits(readings, "whole answers", f"{SEARCH}_count", cached="true"),
        ),
        acceptance=acceptance,
        lift=_lift(acceptance[0], acceptance[-1]),
        surveys=Share(
            name="completed",
            part=readings.total("reelwise_surveys_total", event="completed"),
            whole=readings.total("reelwise_surveys_total", event="started"),
        ),
        swipes=tuple(_counts(readings, "reelwise_swipes_total", "direction")),
        confidence=tuple(_confidences(readings)),
        fallbacks=tuple(_counts(readings, "reelwise_fallbacks_total", "part")),
        chat=tuple(_turns(readings)),
    )


def _latencies(readings: Readings) -> Iterator[Latency]:
    for cached, how in (("false", "computed"), ("true", "cached")):
        for strategy in readings.values(f"{SEARCH}_count", "strategy", cached=cached):
            name = f"search, {strategy}, {how}"
            yield _latency(readings, name, SEARCH, strategy=strategy, cached=cached)
    for step, name in STEPS.items():
        yield _latency(readings, name, "reelwise_step_seconds", step=step)
    yield _latency(readings, "film explained", "reelwise_explanation_seconds")
    yield _latency(readings, "chat turn", "reelwise_chat_turn_seconds")


def _latency(readings: Readings, name: str, metric: str, **labels: str) -> Latency:
    p50, p95, p99 = (readings.quantile(q, metric, **labels) for q in (0.5, 0.95, 0.99))
    count = readings.total(f"{metric}_count", **labels)
    return Latency(name=name, count=count, p50=p50, p95=p95, p99=p99)


def _hits(readings: Readings, name: str, metric: str, **labels: str) -> Share:
    return Share(name=name, part=readings.total(metric, **labels), whole=readings.total(metric))


def _accepted(readings: Readings, tier: str) -> Acceptance:
    answers = readings.total(ANSWERS, strategy=tier)
    likes = readings.total(REACTIONS, strategy=tier, direction="like")
    return Acceptance(
        strategy=tier,
        answers=answers,
        likes=likes,
        dislikes=readings.total(REACTIONS, strategy=tier, direction="dislike"),
        rate=ratio(likes, answers),
    )


def _lift(generic: Acceptance, personal: Acceptance) -> float | None:
    if min(generic.answers, personal.answers) < ENOUGH_ANSWERS or not generic.rate:
        return None
    return (personal.rate or 0.0) / generic.rate - 1


def _counts(readings: Readings, metric: str, label: str) -> Iterator[Count]:
    for value in readings.values(metric, label):
        yield Count(name=value, count=readings.total(metric, **{label: value}))


def _confidences(readings: Readings) -> Iterator[Count]:
    for bound, count in readings.buckets("reelwise_preference_confidence").items():
        if bound <= 1:
            yield Count(name=f"to {bound:.0%}", count=round(count))


def _turns(readings: Readings) -> Iterator[Count]:
    metric = "reelwise_chat_turn_seconds_count"
    for model in readings.values(metric, "model"):
        for outcome in readings.values(metric, "outcome", model=model):
            count = readings.total(metric, model=model, outcome=outcome)
            yield Count(name=f"{outcome} by {model}", count=count)
