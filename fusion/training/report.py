"""What is measured of a model that was just trained, as it is served."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from fusion.encoder import Vectors
from fusion.evaluate.calibration import Reliability, reliability
from fusion.fusion_encoder import FusionEncoder, FusionInput, SwipedFilm
from fusion.onnx_fusion import FusionCard
from fusion.training.calibration import SHOWN, Observed
from fusion.training.examples import Example

FAITHFUL = 0.99
"""Mean rank correlation with the network in full precision that a model must keep to be served."""
TOP = 100
COMPARED = 60
SWIPES_TIMED, TIMED, WARMED = 20, 100, 5


@dataclass(frozen=True)
class Progress:
    """How far training came: steps, the running mean of the loss, seconds over all sessions."""

    step: int = 0
    loss: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Parity:
    """Spearman's rank correlation of served and exact scores over the exact first 100 films."""

    mean: float
    least: float
    requests: int

    @property
    def kept(self) -> bool:
        """Whether the served model may stand for the exact one."""
        return self.mean >= FAITHFUL


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one request with 20 swipes and a query, on one thread."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Report:
    """One model: its card, how it was trained and what was measured.

    ``observed`` are the strangers' requests that the calibration was not fitted to; ``learned``
    and ``films`` count people and rated films; ``megabytes`` is by file.
    """

    card: FusionCard
    learned: int
    strangers: int
    ratings: int
    films: int
    progress: Progress
    observed: Observed
    parity: Parity
    latency: Latency
    megabytes: dict[str, float]

    @property
    def confidence(self) -> Reliability:
        """Predicted chance that one of the first three is liked, against what happened."""
        return reliability(self._chances("confidence"), self.observed.hit)

    @property
    def influence(self) -> Reliability:
        """Predicted share of the first ten that the swipes changed, film by film."""
        swiped = self.observed.features[:, 3] > 0
        changed = np.rint(SHOWN * self.observed.changed[swiped]).astype(int)
        films = np.arange(SHOWN) < changed[:, None]
        return reliability(np.repeat(self._chances("influence")[swiped], SHOWN), films.ravel())

    def _chances(self, what: str) -> Vectors:
        fitted = self.card.confidence if what == "confidence" else self.card.influence
        return np.array([fitted.chance(told) for told in self.observed.features])


def spearman(first: Vectors, second: Vectors) -> float:
    """Rank correlation of two rows of scores without ties, shape (n,) each (Spearman 1904)."""
    gaps = first.argsort().argsort() - second.argsort().argsort()
    n = len(gaps)
    return 1.0 - 6.0 * float((gaps**2).sum()) / (n * (n**2 - 1))


def measure_parity(
    exact: Callable[[Example], Vectors],
    served: FusionEncoder,
    asked: Sequence[tuple[Example, FusionInput]],
    items: Vectors,
) -> Parity:
    """Hold what is served against the network, over the first requests with swipes or words."""
    told = [pair for pair in asked if pair[0].swipes or pair[0].query][:COMPARED]
    found = []
    for example, request in told:
        scores = items @ exact(example)
        first = np.argsort(-scores)[:TOP]
        found.append(spearman(scores[first], items[first] @ served.fuse(request).vector))
    return Parity(float(np.mean(found)), float(np.min(found)), len(found))


def measure_latency(served: FusionEncoder, asked: Sequence[FusionInput]) -> Latency:
    """Time requests with 20 swipes, made of the swipes and queries of ``asked``."""
    requests = list(islice(_full(asked), TIMED + WARMED))
    times = []
    for request in requests:
        start = time.perf_counter()
        served.fuse(request)
        times.append(1000 * (time.perf_counter() - start))
    p50, p95 = np.percentile(times[WARMED:], (50, 95))
    return Latency(float(p50), float(p95))


def _full(asked: Sequence[FusionInput]) -> Iterator[FusionInput]:
    """Requests of 20 swipes, without end."""
    swipes: list[SwipedFilm] = [swipe for request in asked for swipe in request.swipes]
    queries = [request.query for request in asked if request.query] or [""]
    endless = cycle(swipes)
    for query in cycle(queries):
        yield FusionInput(query, tuple(islice(endless, SWIPES_TIMED if swipes else 0)))
