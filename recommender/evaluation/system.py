"""Recommender.search measured: how well it ranks, how much it shows, how long it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import TextEncoder
from fusion.evaluate import metrics
from fusion.evaluate.ranking import JudgedQuery, Result
from fusion.evaluate.tasks import Case, Task
from fusion.fusion_encoder import FusionEncoder
from recommender.evaluation.world import swipes_of
from recommender.experiments.variants import Variant
from recommender.models import SearchRequest
from recommender.service import Recommender
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores

K = 10
NOTHING = -1


class SystemResult(Result):
    """A result with the times of single searches, in milliseconds."""

    median: float
    p95: float


@dataclass(frozen=True)
class Answers:
    """What a search returned for each case, best first, shape (cases, 10); -1: it was shorter.

    ``milliseconds`` (cases,) are the times of the searches, without the swiping before them.
    """

    top: NDArray[np.int64]
    milliseconds: NDArray[np.float64]


class System:
    """One setting of the product before strangers; each history becomes a user of its own."""

    def __init__(
        self,
        name: str,
        stores: Stores,
        encoder: TextEncoder,
        settings: RecommenderSettings,
        ids: Sequence[str],
        fusions: Mapping[Variant, FusionEncoder],
    ) -> None:
        """``ids`` are the films by the index that tasks use; ``stores.items`` holds them."""
        self._name = name
        self._stores = stores
        self._recommender = Recommender(stores, encoder, settings, fusions=fusions)
        self._ids = ids
        self._index = {item_id: index for index, item_id in enumerate(ids)}
        self._users: dict[object, str] = {}

    def answer(self, task: Task) -> Answers:
        """Let each case's stranger swipe and search."""
        top = np.full((len(task.cases), K), NOTHING, dtype=np.int64)
        milliseconds = np.zeros(len(task.cases))
        for row, case in enumerate(task.cases):
            request = SearchRequest(user_id=self._user(case), query=case.query or "", k=K)
            started = perf_counter()
            items = self._recommender.search(request).items
            milliseconds[row] = 1e3 * (perf_counter() - started)
            top[row, : len(items)] = [self._index[item.item_id] for item in items]
        return Answers(top, milliseconds)

    def judge(self, task: Task, genres: NDArray[np.bool_]) -> SystemResult:
        """The metrics of a task, each the mean over the cases of a person.

        ``genres`` says which film has which, shape (n_items, n_genres).
        """
        answers = self.answer(task)
        by_case = {
            "ndcg@10": ndcg(answers.top, task),
            "diversity": np.array([_diversity(row, genres) for row in answers.top]),
        }
        users, place = np.unique([case.user for case in task.cases], return_inverse=True)
        times = answers.milliseconds
        return SystemResult(
            scorer=self._name,
            task=task.kind,
            n_swipes=task.n_swipes,
            personal=True,
            users=users.tolist(),
            values={name: _means(values, place) for name, values in by_case.items()},
            queries=[
                JudgedQuery(case.user, case.kind, case.term, float(value))
                for case, value in zip(task.cases, by_case["ndcg@10"], strict=True)
                if case.query
            ],
            coverage=len(set(answers.top.flat) - {NOTHING}) / int(task.candidates.sum()),
            milliseconds=float(times.mean()),
            median=float(np.median(times)),
            p95=float(np.percentile(times, 95)),
        )

    def quality(self, task: Task) -> float:
        """Mean NDCG@10 over the cases: what is tuned for."""
        return float(ndcg(self.answer(task).top, task).mean())

    def _user(self, case: Case) -> str:
        """The user of this history, who swipes it when first met.

        The log is written as ``record_swipe`` writes it; preferences are then learned once, by the
        search, and not after each swipe.
        """
        known = case.user, case.history
        if known not in self._users:
            user_id = self._users[known] = f"{self._name} {len(self._users)}"
            for swipe in swipes_of(user_id, case.history, self._ids):
                self._stores.swipes.append(swipe)
        return self._users[known]


def ndcg(top: NDArray[np.int64], task: Task) -> metrics.Floats:
    """NDCG@10 of each case, shape (cases,)."""
    hits = [
        [item in case.relevant for item in row] for row, case in zip(top, task.cases, strict=True)
    ]
    relevant = np.array([len(case.relevant) for case in task.cases])
    return metrics.ndcg(np.array(hits, dtype=bool).reshape(top.shape), relevant, K)


def _diversity(row: NDArray[np.int64], genres: NDArray[np.bool_]) -> float:
    shown = row[row != NOTHING]
    return float(metrics.diversity(shown[None], genres)[0]) if len(shown) > 1 else 0.0


def _means(values: metrics.Floats, place: NDArray[np.intp]) -> list[float]:
    means: list[float] = (np.bincount(place, weights=values) / np.bincount(place)).tolist()
    return means
