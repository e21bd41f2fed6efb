"""The report of stored runs: `report.md` with two plots, and the results section of a README."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from fusion.evaluate.data import DataUnusable
from fusion.evaluate.harness import TEST, VALIDATION, Run
from fusion.evaluate.ranking import Result
from fusion.evaluate.runs import read_runs
from fusion.evaluate.tables import (
    NDCG,
    Rows,
    all_tables,
    best_first,
    common_plan,
    curve,
    gain,
    interval,
    is_ours,
    markdown,
    name,
    of,
    shown,
    without_person,
)
from fusion.evaluate.tasks import NEW, QUERY, SWIPES

BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
REPORT, CURVE, LATENCY = "report.md", "quality-over-swipes.png", "quality-against-latency.png"
PROTOCOL = """\
Strangers are people whose ratings nobody was trained on. Their swipes are drawn at random from
their ratings (4 and more is a like, 2.5 and less a dislike); every film they did not swipe is a
candidate. A value is the mean over people, with its 95 % bootstrap interval over people in
brackets; coverage is one number for all lists together. Gains are paired by person. p is of
Fisher's randomisation test, adjusted by Holm for the number of methods in the table; ▲ and ▼ mark
a mean significantly (p < .05) above and below EASE's after as many swipes. Times are of one
ranking, scoring and sorting."""
PEOPLE = {
    TEST: "Test strangers: trained on everybody else, settings chosen on validation strangers.",
    VALIDATION: "Validation strangers: settings were chosen on these very people, which flatters "
    "most the methods with most settings.",
}
IN_BRIEF = {
    SWIPES: ("popularity", "ItemKNN", "BPR", "iALS", "SASRec", "EASE", "EASE + text neighbours"),
    QUERY: ("BM25", "MiniLM", "RRF", "centroid difference", "EASE", "RRF + EASE"),
    NEW: ("centroid difference", "contrastive", "text neighbours", "centroid + popularity"),
}
"""The peers that are shown in brief, beside ours."""


def write_report(out: Path) -> Path:
    """Write `out`/report.md and its plots from the runs stored in `out`.

    Raises:
        DataUnusable: there is no run, or the runs of a folder do not compare.
    """
    latest = best_runs(out)
    from fusion.evaluate.plots import draw_curve, draw_latency  # matplotlib is an extra

    title = PEOPLE[latest[0].measured_on].partition(":")[0]
    draw_curve(latest, out / CURVE, title)
    draw_latency(latest, out / LATENCY, title)
    path = out / REPORT
    path.write_text(report(out), encoding="utf-8")
    return path


def report(out: Path) -> str:
    """The page of all tables of the runs stored in `out`.

    Raises:
        DataUnusable: the runs of a folder do not compare, or a file is no run.
    """
    parts = ["# Results", PROTOCOL, f"![Quality over swipes]({CURVE})"]
    parts.append(f"![Quality against latency]({LATENCY})")
    for measured_on, people in PEOPLE.items():
        if runs := read_runs(out / measured_on):
            parts += [f"## {people}", all_tables(runs)]
    return "\n\n".join(parts) + "\n"


def best_runs(out: Path) -> list[Run]:
    """The runs on test strangers, or while there are none, those on validation strangers.

    Raises:
        DataUnusable: there is no run.
    """
    runs = read_runs(out / TEST) or read_runs(out / VALIDATION)
    if not runs:
        raise DataUnusable(f"No run is stored in {out}. Make some with: reelwise evaluate --data …")
    return runs


def renew_readme(readme: Path, out: Path) -> None:
    """Put the results of `out` between the markers of a page.

    Raises:
        DataUnusable: the page cannot be read or lacks the markers, or there is no run.
    """
    put_between(BEGIN, END, readme, in_brief(best_runs(out)))


def put_between(begin: str, end: str, readme: Path, section: str) -> None:
    """Put a section between two lines of a page, in place of what is there.

    Raises:
        DataUnusable: the page cannot be read or lacks the lines.
    """
    try:
        page = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise DataUnusable(f"{readme} cannot be read: {error.strerror}.") from error
    before, begun, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise DataUnusable(f"{readme} lacks the lines {begin} and {end} around its results.")
    readme.write_text(f"{before}{begin}\n{section}\n{end}{after}", encoding="utf-8")


def in_brief(runs: Sequence[Run]) -> str:
    """The results section of a README: who was measured, and a small table for each task.

    Raises:
        DataUnusable: the runs do not compare.
    """
    at = common_plan(runs).worded_at
    results = [r for run in runs for r in run.results if _is_shown(r)]
    parts = [
        PEOPLE[runs[0].measured_on] + " NDCG@10 after so many swipes:",
        markdown(_brief_curve(results, at)),
        f"A query and {at} swipes, NDCG@10:",
        markdown(_brief_queries(results, at)),
        f"{at} swipes, then only films that training never saw, NDCG@10:",
        markdown([["method", "NDCG@10"], *_means(of(results, NEW, at))]),
    ]
    return "\n\n".join(parts)


def _is_shown(result: Result) -> bool:
    return is_ours(result.scorer) or result.scorer in IN_BRIEF[result.task]


def _brief_curve(results: Iterable[Result], at: int) -> Rows:
    """The curve's means without intervals, and coverage at `at` swipes."""
    (method, *swipes), *rows = curve(results, intervals=False)
    coverage = {name(r.scorer): shown(r.coverage) for r in of(results, SWIPES, at)}
    head = [method, *swipes, f"coverage@10 at {at}"]
    return [head, *([*row, coverage[row[0]]] for row in rows)]


def _brief_queries(results: Sequence[Result], at: int) -> Rows:
    impersonal = without_person(results, at)
    with_person = best_first(of(results, QUERY, at))
    gains = [gain(result, impersonal.get(result.scorer)) for result in with_person]
    rows = [[*row, lift] for row, lift in zip(_means(with_person), gains, strict=True)]
    return [["method", "NDCG@10", "against itself without the person"], *rows]


def _means(results: Iterable[Result]) -> Rows:
    return [[name(r.scorer), interval(r.per_person(NDCG))] for r in best_first(results)]
