"""Strangers who never swipe and mention two films they like: what those are worth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.tables import Rows
from fusion.evaluate.tasks import Case, Task
from recommender.evaluation.bench import Bench
from recommender.evaluation.system import NOTHING, K, ndcg
from recommender.models import Mention, SearchRequest
from recommender.service import Recommender
from recommender.settings import RecommenderSettings

MENTIONED = 2
NOBODY = "nobody"
WAYS: Sequence[str] = ("nothing mentioned", "history", "similar_to")


def measure_mentions(bench: Bench, seed: int = 0) -> Rows:
    """NDCG@10 and recall@10 by task for each of `WAYS`, means over the cases.

    Of the swipes before a case two likes are drawn and mentioned; the others are unknown, and
    their films, which nobody can be shown to like again, count as misses for every way alike.
    """
    settings = RecommenderSettings(enable_search_cache=False)
    recommender = Recommender(bench.stores(), bench.encoder, settings, fusions=bench.fusions)
    head = ["task", *(f"{way}: {metric}" for way in WAYS for metric in ("NDCG@10", "recall@10"))]
    rows = [head]
    for task in (task for task in bench.tasks if task.n_swipes >= MENTIONED):
        mentioned = _drawn(task, bench.ids, np.random.default_rng(seed))
        row = [f"{task.n_swipes} swipes, {task.kind}"]
        for way in WAYS:
            top = _answers(recommender, task, mentioned, way, bench.ids)
            row += [f"{ndcg(top, task).mean():.3f}", f"{_recall(top, task):.3f}"]
        rows.append(row)
    return rows


def _drawn(task: Task, ids: Sequence[str], rng: np.random.Generator) -> list[list[str]]:
    liked = [[ids[swipe.item] for swipe in case.history if swipe.liked] for case in task.cases]
    return [list(rng.permutation(films)[:MENTIONED]) for films in liked]


def _answers(
    recommender: Recommender,
    task: Task,
    mentioned: Sequence[Sequence[str]],
    way: str,
    ids: Sequence[str],
) -> NDArray[np.int64]:
    index = {item_id: number for number, item_id in enumerate(ids)}
    top = np.full((len(task.cases), K), NOTHING, dtype=np.int64)
    for row, (case, films) in enumerate(zip(task.cases, mentioned, strict=True)):
        items = recommender.search(_request(case, films, way)).items
        top[row, : len(items)] = [index[item.item_id] for item in items]
    return top


def _request(case: Case, films: Sequence[str], way: str) -> SearchRequest:
    said: dict[str, dict[str, object]] = {
        "nothing mentioned": {},
        "history": {"history": tuple(Mention(item_id=film) for film in films)},
        "similar_to": {"similar_to": tuple(films)},
    }
    asked: dict[str, object] = {"user_id": NOBODY, "query": case.query or "", "k": K}
    return SearchRequest.model_validate(asked | said[way])


def _recall(top: NDArray[np.int64], task: Task) -> float:
    """The share of the relevant films, at most ten, that are in the answer."""
    shares = [
        len(set(case.relevant) & set(row.tolist())) / min(K, len(case.relevant))
        for row, case in zip(top, task.cases, strict=True)
    ]
    return float(np.mean(shares))
