"""The plots of a report: ours in colour, rivals in greys, each named directly beside its line."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
from adjustText import adjust_text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullLocator

from fusion.evaluate.calibration import Reliability
from fusion.evaluate.harness import Run
from fusion.evaluate.metrics import interval
from fusion.evaluate.plot_style import COLOURS, GREYS, INK, STYLE
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
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
LEADER = {"arrowstyle": "-", "color": GREYS[2], "lw": 0.8}


@dataclass(frozen=True)
class Look:
    """How a method is drawn."""

    colour: str
    dash: str | tuple[float, tuple[float, ...]]
    ours: bool


Looks = Mapping[str, Look]


def draw_curve(runs: Sequence[Run], path: Path, people: str) -> None:
    """Draw NDCG@10 over the number of swipes, with 95 % bands over people, as a PNG."""
    lines: defaultdict[str, list[Result]] = defaultdict(list)
    for n in common_plan(runs).swipes:
        for result in _drawn(runs, n):
            lines[result.scorer].append(result)
    looks = _looks(list(lines))
    subtitle = f"{people}; bands: 95 % intervals over people"
    with _axes(path, "Quality over the number of swipes", subtitle) as (_, axes):
        for scorer, results in lines.items():
            _draw_line(axes, results, looks[scorer])
        swipes = common_plan(runs).swipes
        # Few swipes matter most and lie close together: a root gives them room.
        axes.set_xscale("function", functions=(lambda n: abs(n) ** 0.5, lambda root: root**2))
        axes.set_xticks(swipes, [str(n) for n in swipes])
        axes.set(xlabel="swipes", ylabel="NDCG@10", xlim=(0, swipes[-1]))
        ends = {scorer: (swipes[-1], rs[-1].mean(NDCG)) for scorer, rs in lines.items()}
        _name_ends(axes, ends, looks)


def draw_latency(runs: Sequence[Run], path: Path, people: str) -> None:
    """Draw NDCG@10 against the time of one ranking, as a PNG."""
    at = common_plan(runs).worded_at
    results = _drawn(runs, at)
    looks = _looks([result.scorer for result in results])
    subtitle = f"{people}, after {at} swipes; bars: 95 % intervals over people"
    with _axes(path, "Quality against latency", subtitle) as (figure, axes):
        for result in results:
            _draw_point(axes, result, looks[result.scorer])
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel="milliseconds a ranking (log scale)", ylabel="NDCG@10")
        points = {r.scorer: (r.milliseconds, r.mean(NDCG)) for r in results}
        times = [x for x, _ in points.values()]
        axes.set_xlim(min(times) / 2, max(times) * 2.5)
        _name_points(figure, axes, points, looks)


def draw_reliability(reliability: Reliability, path: Path, title: str) -> None:
    """Draw observed over predicted with 95 % intervals, and how many are predicted, as a PNG."""
    bins = reliability.bins
    figures = f"expected calibration error {reliability.ece:.3f}, Brier {reliability.brier:.3f}"
    with _axes(path, title, figures, (6.0, 6.4)) as (_, axes):
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
            clip_on=False,
        )
        for one in bins:
            axes.annotate(
                f"{one.count:,}",
                (one.predicted, one.observed),
                (7, -10),
                textcoords="offset points",
                fontsize=9,
                annotation_clip=False,
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted", ylabel="observed")


@contextmanager
def _axes(
    path: Path, title: str, subtitle: str, size: tuple[float, float] = (9.5, 6.0)
) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=size)
        axes = figure.add_subplot()
        axes.set_title(title, pad=28)
        axes.annotate(subtitle, (0, 1), (0, 10), "axes fraction", "offset points", color=GREYS[0])
        yield figure, axes
        # No date and no version in the file: the same runs give the same picture.
        figure.savefig(path, metadata={"Software": None})


def _drawn(runs: Sequence[Run], n: int) -> list[Result]:
    results = of([result for run in runs for result in run.results], SWIPES, n)
    return [result for result in results if is_ours(result.scorer) or result.scorer in RIVALS]


def _looks(scorers: Sequence[str]) -> Looks:
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
    axes.fill_between(
        swipes, low, high, color=look.colour, alpha=0.13 if look.ours else 0.035, lw=0
    )
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


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Move positions so that neighbours are at least `gap` apart, in order, each group centred."""
    groups: list[list[int]] = []
    for k in sorted(range(len(wanted)), key=lambda k: wanted[k]):
        groups.append([k])
        while len(groups) > 1 and _meet(groups[-2], groups[-1], wanted, gap):
            last = groups.pop()
            groups[-1] += last
    placed = list(wanted)
    for group in groups:
        for k, position in zip(group, _places(group, wanted, gap), strict=True):
            placed[k] = position
    return placed


def _meet(below: list[int], above: list[int], wanted: Sequence[float], gap: float) -> bool:
    return _places(above, wanted, gap)[0] - _places(below, wanted, gap)[-1] < gap - 1e-12


def _places(group: Sequence[int], wanted: Sequence[float], gap: float) -> list[float]:
    middle = sum(wanted[k] for k in group) / len(group)
    return [middle + gap * (place - (len(group) - 1) / 2) for place in range(len(group))]


def _name_ends(axes: Axes, ends: Mapping[str, tuple[float, float]], looks: Looks) -> None:
    """Write each line's name right of its end, moved up or down where names would meet."""
    low, high = axes.get_ylim()
    heights = spread([y for _, y in ends.values()], gap=0.042 * (high - low))
    for (scorer, end), height in zip(ends.items(), heights, strict=True):
        axes.annotate(
            scorer,
            end,
            (end[0] * 1.07, height),
            **_lettering(looks[scorer]),
            annotation_clip=False,
            arrowprops={**LEADER, "relpos": (0, 0.5)},
        )
    axes.set_ylim(low, high)


def _name_points(
    figure: Figure, axes: Axes, points: Mapping[str, tuple[float, float]], looks: Looks
) -> None:
    """Write each point's name near it, where it meets no other."""
    names = [
        axes.text(x * 1.09, y, scorer, **_lettering(looks[scorer]))
        for scorer, (x, y) in points.items()
    ]
    # Names are placed in the final layout, and by a number of steps, not by time: the same runs
    # give the same picture.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    x, y = zip(*points.values(), strict=True)
    adjust_text(
        names,
        target_x=x,
        target_y=y,
        objects=axes.scatter(x, y, s=160, alpha=0),
        force_pull=(0, 0),
        iter_lim=500,
        arrowprops=LEADER,
        ax=axes,
    )


def _lettering(look: Look) -> dict[str, Any]:
    return {
        "color": look.colour if look.ours else INK,
        "weight": "bold" if look.ours else "normal",
        "va": "center",
        "zorder": 4,
        "path_effects": [withStroke(linewidth=3, foreground="white")],
    }
