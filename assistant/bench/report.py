"""A bench as Markdown: the whole report, and the short table of a README."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

from assistant.bench.figures import Part, People, Report, Served, Size, Timing
from fusion.evaluate.report import put_between
from fusion.evaluate.tables import Rows, markdown

Named = TypeVar("Named", Timing, Part)
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
JSON, PAGE, PLOT = "bench.json", "bench.md", "bench.svg"
HOW = """\
Made by `reelwise bench`. Milliseconds, unless they are named otherwise. Films beyond the 1,590 of
the starter catalogue are synthetic: put together from its films' words, names and sentences; their
vectors are those of the film that each takes after, moved by noise, as embedding so many texts
would take a quarter of an hour and change no time that is measured.

Requests go over HTTP to `reelwise serve` in a process of its own with its own PostgreSQL, from
people with ten likes and ten dislikes; swipes and surveys are newcomers'. They arrive at random
(Poisson) at the rate named, whether earlier ones were answered or not, and latency counts from the
moment that a request was meant to be sent. The rate is lowered where a server would be busy for
more than 30 % of its time. Numeric libraries have one thread each. Each kind is warmed up before
the first run; p50, p95 and p99 are of all runs together, the spread is the least and the greatest
p95 of a run. The fused embedding and turns of the chat, which go through the real agent with the
offline planner, are called in a process of their own, one after the other, without HTTP.

Films are searched by vector in the server's memory (`ITEM_INDEX=memory`). Start to ready is of a
server whose index is built, PostgreSQL included."""
BASELINE = """\
The stack that a tutorial would build, on the same films in the same run: a transformer (MiniLM's,
in full precision on torch) reads query, ten likes and ten dislikes as one text, Chroma finds the
60 nearest films, rank-bm25's `BM25Okapi` the 60 best by words, their ranks are fused, and FastAPI
serves the best 20. It learns nothing, filters nothing, gives no reasons and caches nothing, so it
does less for an answer than Reelwise does. Searches were sent to both in the same way, run by run
in turns. Of the parts, called in turns in one process, its own is named first: the transformer on
torch beside the int8 embedding fusion on ONNX Runtime, over query and swipes; the query alone, by
the same transformer and by the tower of half its layers that learned to make its vectors of short
texts; and either's way to 60 films."""

GROWTH = """\
One person after the other, each request after the one before, milliseconds. The swipes came in one
request each, as an export of Trakt's."""


def write_report(report: Report, out: Path) -> Path:
    """Write JSON, page and plot to a folder; the page."""
    from assistant.bench.plot import draw  # matplotlib is an extra

    out.mkdir(parents=True, exist_ok=True)
    (out / JSON).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    draw(report, out / PLOT)
    (out / PAGE).write_text(page(report), encoding="utf-8")
    return out / PAGE


def renew_readme(readme: Path, report: Report) -> None:
    """Put the short table between the markers of a page. Raises DataUnusable without them."""
    put_between(BEGIN, END, readme, in_brief(report))


def page(report: Report) -> str:
    """The whole report."""
    parts = ["# How quick, and how much it takes", about(report), HOW, f"![The figures]({PLOT})"]
    parts += ["## Requests", markdown(_requests(report.sizes))]
    parts += ["## Start and memory", markdown(_weights(report.sizes))]
    if any(size.pairs for size in report.sizes):
        parts += ["## Beside a plain stack", BASELINE, markdown(_compared(report.sizes))]
    if report.people:
        parts += [f"## As swipes grow, {report.people.films:,} films", GROWTH]
        parts.append(markdown(_grown(report.people)))
    return "\n\n".join(parts) + "\n"


def in_brief(report: Report) -> str:
    """What a README shows: p50 and p95 by size, start, memory, and what the plain stack takes."""
    sizes = report.sizes
    rows = [["milliseconds, p50 / p95", *(f"{size.films:,} films" for size in sizes)]]
    for name in names(size.timings for size in sizes):
        rows.append([name, *(_brief(called(name, size.timings)) for size in sizes)])
    rows.append(["start to ready, s", *(f"{median(size.served.starts):.1f}" for size in sizes)])
    rows.append(["resident at most, MB", *(f"{size.served.memory.peak:,.0f}" for size in sizes)])
    for name in names(size.pairs for size in sizes):
        shown = (_times(called(name, size.pairs)) for size in sizes)
        rows.append([f"plain stack, {name}", *shown])
    return f"{about(report)}\n\n{markdown(rows)}"


def about(report: Report) -> str:
    """The machine, and how busy it was."""
    on = report.machine
    return (
        f"{on.processor}, {on.cores} cores, {on.memory:.0f} GB, {on.system}, Python {on.python}; "
        f"{report.runs} runs. The load average of the minute before was {on.load:.1f}."
    )


def _requests(sizes: Sequence[Size]) -> Rows:
    head = ["request", "films", "a second", "n", "p50", "p95", "p99", "spread of p95"]
    rows = [
        [each.name, f"{size.films:,}", _rate(each), str(each.count), *_quantiles(each)]
        for name in names(size.timings for size in sizes)
        for size in sizes
        for each in size.timings
        if each.name == name
    ]
    return [head, *rows]


def _quantiles(each: Timing) -> list[str]:
    low, high = each.spread
    return [*map(_ms, (each.p50, each.p95, each.p99)), f"{_ms(low)} to {_ms(high)}"]


def _weights(sizes: Sequence[Size]) -> Rows:
    head = ["server", "films", "start to ready, s", "MB when ready"]
    head += ["MB while serving", "MB at most", "PostgreSQL, MB"]
    rows = [head]
    for size in sizes:
        rows.append(["Reelwise", f"{size.films:,}", *_weight(size.served)])
        if size.baseline:
            rows.append(["plain stack", f"{size.films:,}", *_weight(size.baseline)])
    return rows


def _weight(served: Served) -> list[str]:
    low, high = min(served.starts), max(served.starts)
    memory, database = served.memory, served.memory.database
    return [
        f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}",
        *(f"{each:,.0f}" for each in (memory.ready, memory.steady, memory.peak)),
        "" if database is None else f"{database:,.0f}",
    ]


def _compared(sizes: Sequence[Size]) -> Rows:
    head = ["", "films", "Reelwise p50", "p95", "plain stack p50", "p95", "times as long, p50"]
    rows = [
        [
            each.name,
            f"{size.films:,}",
            *map(_ms, (each.ours.p50, each.ours.p95, each.baseline.p50, each.baseline.p95)),
            f"{each.ratio:.1f}",
        ]
        for name in names(size.pairs for size in sizes)
        for size in sizes
        for each in size.pairs
        if each.name == name
    ]
    return [head, *rows]


def _grown(people: People) -> Rows:
    kinds = names(person.timings for person in people.people)
    rows = [["swipes", *(f"{name}, p50 / p95" for name in kinds), "server, MB"]]
    for person in people.people:
        times = (_brief(called(name, person.timings)) for name in kinds)
        rows.append([f"{person.swipes:,}", *times, f"{person.resident:,.0f}"])
    return rows


def names(groups: Iterable[Sequence[Named]]) -> list[str]:
    """Every name once, in the order they come."""
    return list(dict.fromkeys(each.name for group in groups for each in group))


def called(name: str, group: Sequence[Named]) -> Named | None:
    """The first of this name."""
    return next((each for each in group if each.name == name), None)


def _brief(each: Timing | None) -> str:
    return f"{_ms(each.p50)} / {_ms(each.p95)}" if each else ""


def _times(part: Part | None) -> str:
    return f"{part.ratio:.1f} times as long" if part else ""


def _rate(each: Timing) -> str:
    return "one by one" if each.rate is None else f"{each.rate:.1f}"


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
