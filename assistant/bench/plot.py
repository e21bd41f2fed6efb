"""The plot of a bench (extra ``[bench]``): time and memory over films, the plain stack beside, and
a person's requests over swipes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from assistant.bench.figures import People, Report, Size, Timing
from assistant.bench.report import called, names
from fusion.evaluate.plot_style import COLOURS, GREYS, STYLE

SMALL: Any = {
    "font.size": 9,
    "axes.titlesize": 11,
    "svg.hashsalt": "bench",
    "svg.fonttype": "none",
}
PALETTE = (*COLOURS, "#E69F00", "#56B4E9", GREYS[0])


def draw(report: Report, path: Path) -> None:
    """Write it as SVG, the same for the same figures."""
    with mpl.rc_context({**STYLE, **SMALL}):
        figure = Figure(figsize=(13, 8))
        panels = figure.subplots(2, 2).flat
        _over_films(next(panels), report.sizes)
        _beside(next(panels), report.sizes)
        _memory(next(panels), report.sizes)
        _over_swipes(next(panels), report.people)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _over_films(axes: Axes, sizes: Sequence[Size]) -> None:
    axes.set_title("Requests: p50, bars to p95")
    for name, colour in zip(names(size.timings for size in sizes), PALETTE, strict=False):
        found = [(size.films, called(name, size.timings)) for size in sizes]
        _line(axes, name, [(films, each) for films, each in found if each], colour)
    _logarithmic(axes, [size.films for size in sizes], "films", "milliseconds")


def _beside(axes: Axes, sizes: Sequence[Size]) -> None:
    if not any(size.pairs for size in sizes):
        axes.set_axis_off()
        return
    axes.set_title("The plain stack: times as long, p50")
    for name, colour in zip(names(size.pairs for size in sizes), PALETTE, strict=False):
        found = [(size.films, called(name, size.pairs)) for size in sizes]
        points = [(films, part.ratio) for films, part in found if part]
        axes.plot(*zip(*points, strict=True), "o-", color=colour, label=name.partition(":")[0])
    axes.axhline(1, color=GREYS[0], linewidth=1)
    _logarithmic(axes, [size.films for size in sizes], "films", "times as long")


def _memory(axes: Axes, sizes: Sequence[Size]) -> None:
    axes.set_title("Resident memory at most")
    films = [size.films for size in sizes]
    ours = [size.served.memory.peak for size in sizes]
    axes.plot(films, ours, "o-", color=COLOURS[0], label="Reelwise")
    stored = [(s.films, s.served.memory.database) for s in sizes if s.served.memory.database]
    if stored:
        axes.plot(*zip(*stored, strict=True), "o-", color=COLOURS[2], label="its PostgreSQL")
    theirs = [(size.films, size.baseline.memory.peak) for size in sizes if size.baseline]
    if theirs:
        axes.plot(*zip(*theirs, strict=True), "o-", color=GREYS[0], label="plain stack")
    _logarithmic(axes, films, "films", "MB")


def _over_swipes(axes: Axes, people: People | None) -> None:
    if people is None:
        axes.set_axis_off()
        return
    axes.set_title(f"A person's requests over {people.films:,} films: p50, bars to p95")
    measured = people.people
    for name, colour in zip(names(p.timings for p in measured), PALETTE, strict=False):
        found = [(person.swipes, called(name, person.timings)) for person in measured]
        _line(axes, name, [(swipes, each) for swipes, each in found if each], colour)
    _logarithmic(axes, [person.swipes for person in measured], "swipes", "milliseconds")


def _line(axes: Axes, name: str, points: Sequence[tuple[int, Timing]], colour: str) -> None:
    at, times = [x for x, _ in points], [each for _, each in points]
    p50 = [each.p50 for each in times]
    above = [each.p95 - each.p50 for each in times]
    below = [0.0] * len(above)
    axes.errorbar(at, p50, [below, above], fmt="o-", color=colour, label=name, elinewidth=1)


def _logarithmic(axes: Axes, at: Sequence[int], x: str, y: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=x, ylabel=f"{y} (log scale)")
    axes.set_xticks(at, [f"{each:,}" for each in at])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
