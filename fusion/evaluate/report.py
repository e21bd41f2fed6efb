"""Stored runs, and the tables made of them."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from fusion.evaluate.data import DataUnusable
from fusion.evaluate.harness import Run
from fusion.evaluate.metrics import interval, lift
from fusion.evaluate.ranking import Result
from fusion.evaluate.tasks import NEW, QUERY, SWIPES

Rows = list[list[str]]


def store(run: Run, folder: Path) -> Path:
    """Write a run as JSON, `folder`/`measured_on`/`peer`.json, over an earlier one."""
    slug = re.sub(r"[^a-z0-9]+", "-", run.peer.lower()).strip("-")
    path = folder / run.measured_on / f"{slug}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(run.model_dump_json(indent=1), encoding="utf-8")
    return path


def read_runs(folder: Path) -> list[Run]:
    """Read the stored runs of a folder, `out`/test or `out`/validation."""
    paths = sorted(folder.glob("*.json"))
    return [Run.model_validate_json(path.read_text(encoding="utf-8")) for path in paths]


def report(runs: Sequence[Run], at: int = 20) -> str:
    """The curve and a table for each task, as Markdown.

    Raises:
        DataUnusable: the runs are not of one plan, so their people and queries differ.
    """
    if len({run.plan for run in runs}) > 1:
        raise DataUnusable("The runs are of different plans: take another folder, or run all anew.")
    results = [result for run in runs for result in run.results]
    parts = [
        ("Swipes to films, NDCG@10 over the number of swipes", curve(results)),
        (f"Swipes to films at {at} swipes", table(_of(results, SWIPES, at), "EASE")),
        ("Query and swipes to films", query_table(results, at)),
        (
            "New films (only they are candidates)",
            table(_of(results, NEW, at), "centroid difference"),
        ),
    ]
    return "\n\n".join(f"### {title}\n\n{_markdown(rows)}" for title, rows in parts if rows[1:])


def table(results: Sequence[Result], baseline: str) -> Rows:
    """One row a scorer, best NDCG@10 first, with 95 % intervals over people.

    The last column is the relative gain over the scorer called `baseline`, paired by person.
    """
    head = "method", "NDCG@10", "95 %", "recall@20", "coverage@10", "novelty", "diversity", "ms"
    rows = [[*head, f"against {baseline}"]]
    bar = next((result for result in results if result.scorer == baseline), None)
    for result in sorted(results, key=lambda r: -r.mean("ndcg@10")):
        low, high = interval(np.array(result.values["ndcg@10"]))
        cells = [
            result.scorer,
            f"{result.mean('ndcg@10'):.3f}",
            f"{low:.3f}–{high:.3f}",
            f"{result.mean('recall@20'):.3f}",
            f"{result.coverage:.3f}",
            f"{result.mean('novelty'):.2f}",
            f"{result.mean('diversity'):.2f}",
            f"{result.milliseconds:.1f}",
        ]
        rows.append([*cells, _gain(result, bar)])
    return rows


def query_table(results: Sequence[Result], at: int) -> Rows:
    """The same for queries, and each search's gain over itself without the person."""
    with_person, without = (
        [r for r in results if (r.task, r.n_swipes, r.personal) == (QUERY, at, personal)]
        for personal in (True, False)
    )
    impersonal = {result.scorer: result for result in without}
    personal = {result.scorer: result for result in with_person}
    head, *rows = table(with_person, "RRF + EASE")
    gains = ([*row, _gain(personal[row[0]], impersonal[row[0]])] for row in rows)
    return [[*head, "against itself without the person"], *gains]


def curve(results: Iterable[Result]) -> Rows:
    """NDCG@10 of each scorer (rows) at each number of swipes (columns)."""
    by_scorer: dict[str, dict[int, float]] = {}
    for result in results:
        if result.task == SWIPES:
            by_scorer.setdefault(result.scorer, {})[result.n_swipes] = result.mean("ndcg@10")
    swipes = sorted({n for means in by_scorer.values() for n in means})
    rows = [["method", *map(str, swipes)]]
    for scorer, means in sorted(by_scorer.items(), key=lambda pair: -max(pair[1].values())):
        rows.append([scorer, *(f"{means[n]:.3f}" if n in means else "" for n in swipes)])
    return rows


def _of(results: Iterable[Result], kind: str, n: int) -> list[Result]:
    return [r for r in results if r.task == kind and r.n_swipes == n and r.personal]


def _gain(ours: Result, theirs: Result | None) -> str:
    if theirs is None or ours is theirs:
        return ""
    ndcg, bar = (np.array(result.values["ndcg@10"]) for result in (ours, theirs))
    gain, low, high = lift(ndcg, bar)
    return f"{gain:+.1%} ({low:+.1%} to {high:+.1%})"


def _markdown(rows: Rows) -> str:
    lines = [" | ".join(row) for row in rows]
    lines.insert(1, " | ".join("---" for _ in rows[0]))
    return "\n".join(f"| {line} |" for line in lines)
