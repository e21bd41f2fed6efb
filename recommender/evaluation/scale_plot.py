"""The plot of ``bench-index`` (extra ``[bench]``): p95 and recall over the number of films."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from fusion.evaluate.plot_style import COLOURS, GREYS, STYLE
from recommender.evaluation.scale import AIM, Results

SMALL: Any = {"font.size": 9, "axes.titlesize": 11, "svg.hashsalt": "scale", "svg.fonttype": "none"}
LOOKS = {
    "memory": (COLOURS[2], "D"),
    "exact": (GREYS[0], "s"),
    "chroma": ("#E69F00", "P"),
    "hnsw": (COLOURS[3], "v"),
    "hnsw, halfvec": (COLOURS[0], "o"),
    "hnsw, binary": (COLOURS[1], "^"),
}
LINES = {"text": "-", "fused": "--"}
SHOWN = ("none", "a genre and a decade")


def draw(results: Results, path: Path) -> None:
    """Write it as SVG, the same for the same figures."""
    films = sorted({figures.films for figures in results.figures})
    with mpl.rc_context({**STYLE, **SMALL}):
        figure = Figure(figsize=(12, 7))
        panels = figure.subplots(2, len(SHOWN), sharex=True, sharey="row")
        for (times, recalls), filters in zip(panels.T, SHOWN, strict=True):
            _lines(times, results, filters, "p95")
            _lines(recalls, results, filters, "recall")
            times.set_title(f"Filter: {filters}")
            times.set_yscale("log")
            times.yaxis.set_major_formatter("{x:g}")
            times.yaxis.set_minor_formatter(NullFormatter())
            recalls.axhline(AIM, color=GREYS[2], linewidth=1, zorder=0)
            _films(recalls, films)
        panels[0, 0].set_ylabel("p95, milliseconds (log scale)")
        panels[1, 0].set_ylabel(f"recall@10 (aim: {AIM})")
        shown = dict(zip(*reversed(panels[0, 0].get_legend_handles_labels()), strict=True))
        figure.legend(
            shown.values(), shown.keys(), frameon=False, loc="outside right upper", handlelength=3
        )
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _lines(axes: Axes, results: Results, filters: str, value: str) -> None:
    for search, (colour, marker) in LOOKS.items():
        for space, line in LINES.items():
            points = sorted(
                (figures.films, getattr(each, value))
                for figures in results.figures
                if figures.search == search
                for each in figures.searches
                if (each.space, each.filters) == (space, filters)
            )
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    color=colour,
                    marker=marker,
                    linestyle=line,
                    markerfacecolor=colour if space == "text" else "white",
                    label=f"{search}: {space}",
                )


def _films(axes: Axes, films: Sequence[int]) -> None:
    axes.set(xscale="log", xlabel="films (log scale)")
    axes.set_xticks(films, [f"{each:,}" for each in films])
    axes.xaxis.set_minor_locator(NullLocator())
