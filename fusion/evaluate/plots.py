"""The plots of a report: ours in colour, rivals in greys, each named directly beside its line."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate.calibration import Reliability
from fusion.evaluate.harness import Run
from fusion.evaluate.metrics import interval
from fusion.evaluate.ranking import Result
from fusion.evaluate.tables import NDCG, common_plan, is_ours, of
from fusion.evaluate.tasks import SWIPES

RIVALS = (
    "popularity",
    "ItemKNN",
    "EASE",
    "EASE + text neighbours",
    "iALS",
    "BPR",
    "SASRec",
    "centroid difference",
)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Okabe and Ito's, told apart by colour-blind people too."""
GREYS = ("#5f6670", "#7d848e", "#9aa1aa")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
INK = "#22262c"
STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9aa1aa",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "grid.color": "#e8eaed",
    "savefig.dpi": 200,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Look:
    """How a method is drawn."""

    colour: str
    dash: str | tuple[float, tuple[float, ...]]
    ours: bool


def draw_curve(runs: Sequence[Run], path: Path, people: str) -> None:
    """Draw NDCG@10 over the number of swipes, with 95 % bands over people, as a PNG."""
    lines: defaultdict[str, list[Result]] = defaultdict(list)
    for n in common_plan(runs).swipes:
        for result in _drawn(runs, n):
            lines[result.scorer].append(result)
    looks = _looks(list(lines))
    with _axes(path, f"Quality over the number of swipes ({people})") as axes:
        for scorer, results in lines.items():
            _draw_line(axes, results, looks[scorer])
        swipes = common_plan(runs).swipes
        # Few swipes matter most and lie close together: a root gives them room.
        axes.set_xscale("function", functions=(lambda n: abs(n) ** 0.5, lambda root: root**2))
        axes.set_xticks(swipes, [str(n) for n in swipes])
        axes.set(xlabel="swipes", ylabel="NDCG@10", xlim=(0, swipes[-1]))
        ends = {scorer: (swipes[-1], rs[-1].mean(NDCG)) for scorer, rs in lines.items()}
        _name_at_right(axes, ends, looks)


def draw_latency(runs: Sequence[Run], path: Path, people: str) -> None:
    """Draw NDCG@10 against the time of one ranking, as a PNG."""
    at = common_plan(runs).worded_at
    results = _drawn(runs, at)
    looks = _looks([result.scorer for result in results])
    with _axes(path, f"Quality at {at} swipes against latency ({people})") as axes:
        for result in results:
            _draw_point(axes, result, looks[result.scorer])
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set(xlabel="milliseconds a ranking, one core (log scale)", ylabel="NDCG@10")
        points = {r.scorer: (r.milliseconds, r.mean(NDCG)) for r in results}
        _name_at_right(axes, points, looks)


def draw_reliability(reliability: Reliability, path: Path, title: str) -> None:
    """Draw observed over predicted with 95 % intervals, and how many are predicted, as a PNG."""
    bins = reliability.bins
    with _axes(path, title, size=(6.0, 6.2)) as axes:
        axes.plot((0, 1), (0, 1), color=GREYS[2], linestyle=DASHES[1])
        spans = [(one.observed - one.low, one.high - one.observed) for one in bins]
        axes.errorbar(
            [one.predicted for one in bins],
            [one.observed for one in bins],
            yerr=list(zip(*spans, strict=True)),
            color=COLOURS[0],
            marker="o",
            linewidth=2,
            elinewidth=1,
        )
        for one in bins:
            axes.annotate(f"{one.count:,}", (one.predicted, one.low), (0, -12), **_CENTRED)
        figures = f"ECE {reliability.ece:.3f}, Brier {reliability.brier:.3f}"
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted", ylabel=f"observed ({figures})")


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Move positions so that neighbours are at least `gap` apart, in order, each group centred."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    groups: list[list[int]] = []
    for k in order:
        groups.append([k])
        while len(groups) > 1 and _overlap(groups[-2], groups[-1], wanted, gap):
            last = groups.pop()
            groups[-1] += last
    placed = list(wanted)
    for group in groups:
        for k, position in zip(group, _places(group, wanted, gap), strict=True):
            placed[k] = position
    return placed


def _overlap(below: list[int], above: list[int], wanted: Sequence[float], gap: float) -> bool:
    return _places(above, wanted, gap)[0] - _places(below, wanted, gap)[-1] < gap - 1e-12


def _places(group: Sequence[int], wanted: Sequence[float], gap: float) -> list[float]:
    middle = sum(wanted[k] for k in group) / len(group)
    return [middle + gap * (place - (len(group) - 1) / 2) for place in range(len(group))]


_CENTRED = {"textcoords": "offset points", "ha": "center", "fontsize": 9}


@contextmanager
def _axes(path: Path, title: str, size: tuple[float, float] = (9.5, 5.8)) -> Iterator[Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size)
        axes = figure.add_subplot()
        axes.set_title(title, pad=14)
        yield axes
        # No date and no version in the file: the same runs give the same picture.
        figure.savefig(path, metadata={"Software": None})


def _drawn(runs: Sequence[Run], n: int) -> list[Result]:
    results = of([result for run in runs for result in run.results], SWIPES, n)
    return [result for result in results if is_ours(result.scorer) or result.scorer in RIVALS]


def _looks(scorers: Sequence[str]) -> Mapping[str, Look]:
    colours = cycle(COLOURS)
    greys = cycle((grey, dash) for dash in DASHES for grey in GREYS)
    return {
        scorer: Look(next(colours), "-", True) if is_ours(scorer) else Look(*next(greys), False)
        for scorer in sorted(scorers)
    }


def _draw_line(axes: Axes, results: Sequence[Result], look: Look) -> None:
    swipes = [result.n_swipes for result in results]
    bands = [interval(result.per_person(NDCG)) for result in results]
    low, high = zip(*bands, strict=True)
    front = 3 if look.ours else 2
    axes.fill_between(swipes, low, high, color=look.colour, alpha=0.16 if look.ours else 0.05, lw=0)
    axes.plot(
        swipes,
        [result.mean(NDCG) for result in results],
        color=look.colour,
        linestyle=look.dash,
        linewidth=2.8 if look.ours else 1.5,
        zorder=front,
    )


def _draw_point(axes: Axes, result: Result, look: Look) -> None:
    low, high = interval(result.per_person(NDCG))
    x, y = result.milliseconds, result.mean(NDCG)
    axes.plot((x, x), (low, high), color=look.colour, linewidth=1, alpha=0.5)
    axes.plot(x, y, "o", color=look.colour, markersize=10 if look.ours else 6, zorder=3)


def _name_at_right(
    axes: Axes, points: Mapping[str, tuple[float, float]], looks: Mapping[str, Look]
) -> None:
    """Write each name right of the axes as near its point's height as the others leave room."""
    low, high = axes.get_ylim()
    heights = spread([y for _, y in points.values()], gap=0.042 * (high - low))
    for (scorer, point), height in zip(points.items(), heights, strict=True):
        look = looks[scorer]
        axes.annotate(
            scorer,
            point,
            (1.04, (height - low) / (high - low)),
            textcoords="axes fraction",
            color=look.colour,
            weight="bold" if look.ours else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look.colour, "lw": 0.6, "alpha": 0.6},
        )
    axes.set_ylim(low, high)
