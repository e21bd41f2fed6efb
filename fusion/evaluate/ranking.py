"""Ranking every case of a task with a scorer, and judging the rankings."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from fusion.evaluate import metrics
from fusion.evaluate.protocol import Scorer, Scores
from fusion.evaluate.tasks import Case, Task

DEPTH = 20
LIST = 10
DECIMALS = 4


@dataclass(frozen=True)
class Rankings:
    """The best 20 films of each case, shape (cases, 20), and which of them are relevant."""

    top: NDArray[np.int64]
    hits: NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """What judging needs to know: ratings and people of train, genres (n_items, n_genres)."""

    raters: NDArray[np.int64]
    people: int
    genres: NDArray[np.bool_]


class JudgedQuery(NamedTuple):
    """How one query of a person fared: what it was made of, and NDCG@10."""

    user: int
    kind: str
    term: str
    ndcg: float


class Result(BaseModel):
    """One scorer on one task: a value for each person and metric, in the order of `users`.

    `queries` holds the single queries of a query task, else nothing. Values have 4 decimals, so
    that runs are small enough to keep.
    """

    scorer: str
    task: str
    n_swipes: int
    personal: bool
    users: list[int]
    values: dict[str, list[float]]
    queries: list[JudgedQuery] = []
    coverage: float
    milliseconds: float
    """Mean time of one ranking: scoring and sorting."""

    def mean(self, metric: str) -> float:
        """The mean over people."""
        return float(np.mean(self.values[metric]))

    def per_person(self, metric: str) -> metrics.Floats:
        """The values in the order of `users`, shape (people,)."""
        return np.array(self.values[metric])


def rank(scorer: Scorer, task: Task, personal: bool = True) -> Rankings:
    """Rank the candidates of each case but the swiped; ties fall at random.

    With `personal` False the scorer is not shown the swipes: the same search without the person.
    """
    top = np.empty((len(task.cases), DEPTH), dtype=np.int64)
    for row, case in zip(top, task.cases, strict=True):
        scores = scorer.score(case.history if personal else (), case.query)
        row[:] = _best(scores, case, task)
    hits = [
        [item in case.relevant for item in row] for row, case in zip(top, task.cases, strict=True)
    ]
    return Rankings(top, np.array(hits, dtype=bool).reshape(top.shape))


def judge(name: str, scorer: Scorer, task: Task, facts: Facts, personal: bool = True) -> Result:
    """All metrics of a scorer on a task, each the mean over the cases of a person."""
    started = perf_counter()
    ranked = rank(scorer, task, personal)
    elapsed = perf_counter() - started
    first = ranked.top[:, :LIST]
    relevant = np.array([len(case.relevant) for case in task.cases])
    by_case = {
        "ndcg@10": metrics.ndcg(ranked.hits, relevant, LIST),
        "recall@20": metrics.recall(ranked.hits, relevant, DEPTH),
        "novelty": metrics.novelty(first, facts.raters, facts.people),
        "diversity": metrics.diversity(first, facts.genres),
    }
    users, by_user = _by_user(task, by_case)
    return Result(
        scorer=name,
        task=task.kind,
        n_swipes=task.n_swipes,
        personal=personal,
        users=users,
        values=by_user,
        queries=_queries(task, by_case["ndcg@10"]),
        coverage=metrics.coverage(first, int(task.candidates.sum())),
        milliseconds=1e3 * elapsed / max(len(task.cases), 1),
    )


def _queries(task: Task, ndcg: metrics.Floats) -> list[JudgedQuery]:
    return [
        JudgedQuery(case.user, case.kind, case.term, round(float(value), DECIMALS))
        for case, value in zip(task.cases, ndcg, strict=True)
        if case.query
    ]


def quality(scorer: Scorer, task: Task) -> float:
    """Mean NDCG@10 over the cases: what is tuned for."""
    relevant = np.array([len(case.relevant) for case in task.cases])
    return float(metrics.ndcg(rank(scorer, task).hits, relevant, LIST).mean())


def _best(scores: Scores, case: Case, task: Task) -> NDArray[np.intp]:
    allowed = task.candidates.copy()
    allowed[[swipe.item for swipe in case.history]] = False
    masked = np.where(allowed, scores, -np.inf)
    chance = np.random.default_rng(case.user).random(len(scores))
    return np.lexsort((chance, -masked))[:DEPTH]


def _by_user(
    task: Task, by_case: Mapping[str, metrics.Floats]
) -> tuple[list[int], dict[str, list[float]]]:
    users, place = np.unique([case.user for case in task.cases], return_inverse=True)
    counts = np.bincount(place)
    means = {
        metric: (np.bincount(place, weights=values) / counts).round(DECIMALS).tolist()
        for metric, values in by_case.items()
    }
    return users.tolist(), means
