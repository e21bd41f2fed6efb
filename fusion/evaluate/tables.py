"""The tables made of stored runs, as Markdown."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from fusion.evaluate import metrics
from fusion.evaluate.data import DataUnusable
from fusion.evaluate.harness import Plan, Run
from fusion.evaluate.ranking import JudgedQuery, Result
from fusion.evaluate.tasks import NEW, QUERY, SWIPES

Rows = list[list[str]]

BARS = {SWIPES: "EASE", QUERY: "RRF + EASE", NEW: "centroid difference"}
"""What each task is to be better than."""
NDCG = "ndcg@10"
SIGNIFICANT = 0.05


def all_tables(runs: Sequence[Run]) -> str:
    """All tables of runs of one plan and data, measured on the same people.

    Raises:
        DataUnusable: the runs are not of one plan and data, so their people and queries differ.
    """
    plan = common_plan(runs)
    at = plan.worded_at
    results = [result for run in runs for result in run.results]
    parts = [
        ("Swipes to films: NDCG@10 over the number of swipes", curve(results)),
        (f"Swipes to films at {at} swipes", table(of(results, SWIPES, at))),
        (f"A query and {at} swipes to films", query_table(results, at)),
        ("The same by the kind of query, NDCG@10", kinds_table(of(results, QUERY, at))),
        (f"{at} swipes to new films, which alone are candidates", table(of(results, NEW, at))),
    ]
    return "\n\n".join(f"### {title}\n\n{markdown(rows)}" for title, rows in parts if rows[1:])


def common_plan(runs: Sequence[Run]) -> Plan:
    """The plan that all runs share.

    Raises:
        DataUnusable: there is no run, or they are of different plans or data.
    """
    plans = {(run.plan, run.data, run.measured_on) for run in runs}
    if len(plans) != 1:
        raise DataUnusable(
            f"The runs are of {len(plans)} plans and data, not of one: "
            "take another folder, or run all anew with --again."
        )
    return runs[0].plan


def table(results: Sequence[Result]) -> Rows:
    """One row a scorer, best NDCG@10 first, with 95 % intervals over people.

    The last columns are the relative gain over the task's bar, paired by person, and its p.
    """
    bar = bar_of(results)
    against = f"against {bar.scorer}" if bar else "against the bar"
    head = ["method", "NDCG@10", "recall@20", "coverage@10", "novelty", "diversity", "ms"]
    p_values = p_against(bar, results)
    rows = [[*head, against, "p"]]
    for result in best_first(results):
        p = _p(p_values[result.scorer]) if result.scorer in p_values else ""
        rows.append([*_row(result), gain(result, bar), p])
    return rows


def query_table(results: Sequence[Result], at: int) -> Rows:
    """The same for queries, and each search's gain over itself without the person."""
    impersonal = without_person(results, at)
    with_person = of(results, QUERY, at)
    head, *rows = table(with_person)
    gains = (gain(ours, impersonal.get(ours.scorer)) for ours in best_first(with_person))
    wider = ([*row, lift] for row, lift in zip(rows, gains, strict=True))
    return [[*head, "against itself without the person"], *wider]


def kinds_table(results: Sequence[Result]) -> Rows:
    """NDCG@10 of each scorer (rows) on each kind of query (columns), mean over people."""
    counts = Counter(query.kind for result in results[:1] for query in result.queries)
    rows = [["method", *(f"{kind} ({n} queries)" for kind, n in sorted(counts.items()))]]
    for result in best_first(results):
        means = [interval(_per_person(result.queries, kind)) for kind in sorted(counts)]
        rows.append([name(result.scorer), *means])
    return rows


def curve(results: Iterable[Result], intervals: bool = True) -> Rows:
    """NDCG@10 of each scorer (rows) at each number of swipes (columns), with 95 % `intervals`.

    ▲ and ▼: significantly above and below the bar at this number of swipes.
    """
    swipes = [r for r in results if r.task == SWIPES]
    columns = [of(swipes, SWIPES, n) for n in sorted({r.n_swipes for r in swipes})]
    cells: defaultdict[str, list[str]] = defaultdict(list)
    for column in columns:
        p_values = p_against(bar_of(column), column)
        for result in column:
            values = result.per_person(NDCG)
            mean = interval(values) if intervals else shown(values.mean())
            cells[result.scorer].append(mean + _mark(result, bar_of(column), p_values))
    head = [f"{column[0].n_swipes} ({len(column[0].users)} people)" for column in columns]
    best = [result.scorer for result in best_first(columns[-1])] if columns else []
    return [["method", *head], *([name(scorer), *cells[scorer]] for scorer in best)]


def of(results: Iterable[Result], kind: str, n: int) -> list[Result]:
    """The results with the person on one kind of task after `n` swipes."""
    return [r for r in results if r.task == kind and r.n_swipes == n and r.personal]


def without_person(results: Iterable[Result], at: int) -> dict[str, Result]:
    """By scorer, the results on queries of which the scorer was not shown the swipes."""
    wanted = (QUERY, at, False)
    return {r.scorer: r for r in results if (r.task, r.n_swipes, r.personal) == wanted}


def best_first(results: Iterable[Result]) -> list[Result]:
    """The results by falling NDCG@10."""
    return sorted(results, key=lambda result: -result.mean(NDCG))


def bar_of(results: Sequence[Result]) -> Result | None:
    """The one to be better than, of results on one task."""
    return next((result for result in results if result.scorer == BARS[result.task]), None)


def p_against(bar: Result | None, results: Sequence[Result]) -> Mapping[str, float]:
    """p of each scorer's difference to the bar, Holm-adjusted for the number of scorers."""
    if bar is None:
        return {}
    others = [result for result in results if result.scorer != bar.scorer]
    raw = [
        metrics.randomisation(result.per_person(NDCG), bar.per_person(NDCG)) for result in others
    ]
    adjusted = metrics.holm(raw)
    return {result.scorer: p for result, p in zip(others, adjusted, strict=True)}


def interval(values: metrics.Floats, decimals: int = 3) -> str:
    """A mean over people and its 95 % interval."""
    around = metrics.interval(values)
    mean, low, high = (shown(value, decimals) for value in (values.mean(), *around))
    return f"{mean} [{low}, {high}]"


def shown(value: float, decimals: int = 3) -> str:
    """A value with so many decimals, the same on every machine.

    Means of values with 4 decimals often lie on the edge between two roundings, where the last
    digit of the sum would decide, and with it the machine.
    """
    return f"{round(float(value), 9):.{decimals}f}"


def gain(ours: Result, theirs: Result | None) -> str:
    """The relative gain in NDCG@10 with its 95 % interval; empty against nobody or itself."""
    if theirs is None or ours is theirs:
        return ""
    relative, low, high = metrics.lift(ours.per_person(NDCG), theirs.per_person(NDCG))
    return f"{relative:+.1%} [{low:+.1%}, {high:+.1%}]"


def is_ours(scorer: str) -> bool:
    """Whether a scorer is one of the product's own: all are called some fusion."""
    return "fusion" in scorer


def name(scorer: str) -> str:
    """A scorer's name, ours in bold."""
    return f"**{scorer}**" if is_ours(scorer) else scorer


def markdown(rows: Rows) -> str:
    """Rows, the first of them the head, as a Markdown table."""
    lines = [" | ".join(row) for row in rows]
    lines.insert(1, " | ".join("---" for _ in rows[0]))
    return "\n".join(f"| {line} |" for line in lines)


def _row(result: Result) -> list[str]:
    of = result.per_person
    return [
        name(result.scorer),
        interval(of(NDCG)),
        interval(of("recall@20")),
        shown(result.coverage),
        interval(of("novelty"), 2),
        interval(of("diversity"), 2),
        f"{result.milliseconds:.1f}",
    ]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else shown(value)


def _mark(result: Result, bar: Result | None, p_values: Mapping[str, float]) -> str:
    if bar is None or p_values.get(result.scorer, 1.0) >= SIGNIFICANT:
        return ""
    return " ▲" if result.mean(NDCG) > bar.mean(NDCG) else " ▼"


def _per_person(queries: Iterable[JudgedQuery], kind: str) -> metrics.Floats:
    """Each person's mean NDCG@10 over their queries of one kind, shape (people,)."""
    values: defaultdict[int, list[float]] = defaultdict(list)
    for query in queries:
        if query.kind == kind:
            values[query.user].append(query.ndcg)
    return np.array([np.mean(same) for same in values.values()])
