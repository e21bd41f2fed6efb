"""The domain's metrics, one definition each, and the steps of which a trace is made.

The doors expose them: Prometheus reads ``/metrics``; on AWS ``assistant/emf.py`` writes the same
names as CloudWatch's Embedded Metric Format, with each label as a dimension, and once without any.
The chat's own are in ``assistant/turns.py`` and ``assistant/chat/history.py``, those of HTTP in
``assistant/api/metrics.py``.

What each alarm divides by what. ``{label=value}`` is the dimension to ask for, its absence the sum
over all; of a histogram, ``count`` is CloudWatch's SampleCount. A counter that did not move sends
nothing: write ``FILL(metric, 0)``.

search latency > 800 ms
    p95 of reelwise_search_seconds
search errors > 2 %
    reelwise_search_failures_total
    / (reelwise_search_failures_total + count of reelwise_search_seconds)
inference failures > 3 %
    reelwise_inferences_total{outcome=failed} / reelwise_inferences_total
embedding cache hits < 60 %
    reelwise_embedding_cache_total{outcome=hit} / reelwise_embedding_cache_total
endpoint errors > 1 %
    of REST: reelwise_http_failures_total / reelwise_http_requests_total
    of SageMaker: AWS's own Invocation5XXErrors / Invocations, namespace AWS/SageMaker
preference failures > 5 %
    reelwise_preference_updates_total{outcome=failed} / reelwise_preference_updates_total
survey completion < 60 %
    reelwise_surveys_total{event=completed} / reelwise_surveys_total{event=started}

Also asked: the share of cached searches is count of reelwise_search_seconds{cached=true} / count of
reelwise_search_seconds; the fused embedding's latency is reelwise_step_seconds{step=fuse}. A
strategy's acceptance is reelwise_reactions_total{strategy,direction=like}
/ reelwise_answers_total{strategy}; the lift of personalisation is how much higher it is for
``personal`` than for ``generic``. Who swiped enough to be answered personally may like more anyway:
an experiment that holds some people back in the variant ``generic`` tells.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import Protocol

from prometheus_client import Counter, Histogram

BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1, 1.5,
    2.5, 5, 10,
)  # fmt: skip
"""Seconds; 0.8 is where the alarm of searches sounds."""

SEARCH_SECONDS = Histogram(
    "reelwise_search_seconds", "Seconds that answered searches took", ["strategy", "cached"],
    buckets=BUCKETS,
)  # fmt: skip
SEARCH_FAILURES = Counter(
    "reelwise_search_failures", "Searches that no fault of their own left unanswered", ["error"]
)
ANSWERS = Counter("reelwise_answers", "Answers shown", ["strategy", "variant"])
REACTIONS = Counter(
    "reelwise_reactions",
    "Opinions of films that a recent answer showed, by the latest one that did",
    ["strategy", "variant", "direction"],
)
SWIPES = Counter("reelwise_swipes", "Swipes recorded", ["direction"])
SURVEYS = Counter(
    "reelwise_surveys", "Surveys started, and those that reached their end", ["event"]
)
PREFERENCE_UPDATES = Counter("reelwise_preference_updates", "Profiles learned", ["outcome"])
PREFERENCE_CONFIDENCE = Histogram(
    "reelwise_preference_confidence",
    "How sure profiles are when they are learned, 0 to 1",
    buckets=[tenth / 10 for tenth in range(1, 11)],
)
EXPLANATION_SECONDS = Histogram(
    "reelwise_explanation_seconds", "Seconds that explanations took", ["model"], buckets=BUCKETS
)
EXPLANATION_SENTENCES = Counter(
    "reelwise_explanation_sentences",
    "Sentences of a chat model's explanations, by whether the evidence bears them out",
    ["outcome"],
)
EMBEDDING_CACHE = Counter("reelwise_embedding_cache", "Embedding look-ups", ["outcome"])
INFERENCES = Counter("reelwise_inferences", "Vectors asked of an encoder", ["part", "outcome"])
FALLBACKS = Counter("reelwise_fallbacks", "Times a failing part was done without", ["part"])
STEP_SECONDS = Histogram(
    "reelwise_step_seconds", "Seconds spent in each step of the service", ["step"], buckets=BUCKETS
)


class Span(Protocol):
    """A stretch of work in a trace, named as OpenTelemetry names it."""

    def update_name(self, name: str) -> None:
        """Call it something else."""

    def set_attribute(self, key: str, value: str | bool | int | float) -> None:
        """Say something of it; never anybody's words."""


class _Untraced:
    def update_name(self, name: str) -> None: ...

    def set_attribute(self, key: str, value: str | bool | int | float) -> None: ...


Spans = Callable[[str, Mapping[str, str] | None], AbstractContextManager[Span]]
_UNTRACED = nullcontext[Span](_Untraced())


def _no_spans(_name: str, _caller: Mapping[str, str] | None) -> AbstractContextManager[Span]:
    return _UNTRACED


_spans: Spans = _no_spans


def trace_with(spans: Spans | None) -> None:
    """Have every later span opened by ``spans``; None: by nobody, which costs next to nothing."""
    global _spans
    _spans = spans or _no_spans


def span(name: str, caller: Mapping[str, str] | None = None) -> AbstractContextManager[Span]:
    """Trace what is done within, below the current span, or that of the ``caller``'s headers."""
    return _spans(name, caller)


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Observe how long a step took, also when it failed, and trace it."""
    start = perf_counter()
    try:
        with span(step):
            yield
    finally:
        STEP_SECONDS.labels(step).observe(perf_counter() - start)
