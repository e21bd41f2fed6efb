"""Choosing each peer's settings on validation strangers."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np
from pydantic import BaseModel

from fusion.evaluate.peers.registry import Grid, Peer
from fusion.evaluate.protocol import Interactions
from fusion.evaluate.ranking import quality
from fusion.evaluate.tasks import Task

log = logging.getLogger(__name__)

Tick = Callable[[], object]
"""Called as work goes on, to show progress."""


class Trial(BaseModel):
    """One point of a grid and the mean NDCG@10 it reached on one kind of task."""

    kind: str
    point: dict[str, Any]
    quality: float
    seconds: float
    """From building to the last ranking of this kind."""


def try_grid(peer: Peer, train: Interactions, tasks: Sequence[Task], tick: Tick) -> list[Trial]:
    """Measure every point of a peer's grid on validation tasks, one fit and one `tick` a point.

    Gives a trial for each point and kind of task.
    """
    kinds = {task.kind: [t for t in tasks if t.kind == task.kind] for task in tasks}
    trials = []
    for point in points(peer.grid):
        started = perf_counter()
        scorer = peer.build(**point)
        scorer.fit(train)
        for kind, same in kinds.items():
            reached = float(np.mean([quality(scorer, task) for task in same]))
            seconds = perf_counter() - started
            trials.append(Trial(kind=kind, point=dict(point), quality=reached, seconds=seconds))
            log.info("%s, %s: %.4f with %s in %.0f s", peer.name, kind, reached, point, seconds)
        tick()
    return trials


def best_trial(trials: Sequence[Trial], kind: str) -> Trial:
    """The trial of the highest quality on one kind of task, the first of equals."""
    return max((t for t in trials if t.kind == kind), key=lambda trial: trial.quality)


def covers(trials: Sequence[Trial], peer: Peer) -> bool:
    """Whether the trials are of exactly the peer's kinds of task and points."""
    expected = [(kind, point) for kind in peer.tasks for point in points(peer.grid)]
    found = [(trial.kind, trial.point) for trial in trials]
    return len(found) == len(expected) and all(one in found for one in expected)


def points(grid: Grid) -> Iterator[Mapping[str, Any]]:
    """Every combination of the grid's values; one empty point for an empty grid."""
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
