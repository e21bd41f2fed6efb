"""The domain's metrics, one definition each; the doors expose them."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Histogram

SEARCHES = Counter("reelwise_searches_total", "Searches answered", ["strategy", "cached"])
SWIPES = Counter("reelwise_swipes_total", "Swipes recorded", ["direction"])
FALLBACKS = Counter("reelwise_fallbacks_total", "Times a failing part was done without", ["part"])
EMBEDDING_CACHE = Counter("reelwise_embedding_cache_total", "Embedding look-ups", ["outcome"])
EXPLANATION_SENTENCES = Counter(
    "reelwise_explanation_sentences_total",
    "Sentences of a chat model's explanations, by whether the evidence bears them out",
    ["outcome"],
)
PREFERENCE_UPDATES = Counter("reelwise_preference_updates_total", "Profiles learned", ["outcome"])
STEP_SECONDS = Histogram(
    "reelwise_step_seconds",
    "Time spent in each step of the service",
    ["step"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Observe how long a step took, also when it failed."""
    start = perf_counter()
    try:
        yield
    finally:
        STEP_SECONDS.labels(step).observe(perf_counter() - start)
