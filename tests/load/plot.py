"""Latency, answers and memory over time, as SVG."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from tests.load.report import percentiles
from tests.load.resources import Reading
from tests.load.samples import Sample

BIN_SECONDS = 5


def draw(
    samples: Sequence[Sample],
    readings: Sequence[Reading],
    limit: float,
    file: Path,
    bin_seconds: int = BIN_SECONDS,
) -> None:
    """Three panels over one clock; ``limit`` seconds is the line that p95 is to stay under."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    latency, outcomes, memory = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 2))
    bins: dict[int, list[Sample]] = {}
    for sample in samples:
        bins.setdefault(int(sample.due // bin_seconds), []).append(sample)
    times = [bin_seconds * (each + 0.5) for each in sorted(bins)]
    within = [bins[each] for each in sorted(bins)]
    cuts = [percentiles([1000 * s.seconds for s in some if s.outcome == "ok"]) for some in within]
    for place, name in enumerate(("p50", "p95", "p99")):
        latency.plot(times, [cut[place] for cut in cuts], label=name)
    latency.axhline(1000 * limit, color="grey", linestyle="--", linewidth=1)
    latency.set(ylabel="ms", title=f"Latency in {bin_seconds} s each", ylim=(0, None))
    for outcome in ("ok", "refused", "failed"):
        rates = [sum(s.outcome == outcome for s in some) / bin_seconds for some in within]
        outcomes.plot(times, rates, label=outcome)
    outcomes.set(ylabel="a second", ylim=(0, None))
    at = [reading.at for reading in readings]
    memory.plot(at, [reading.server_mib for reading in readings], label="server (RSS)")
    memory.plot(at, [reading.database_mib for reading in readings], label="PostgreSQL (PSS)")
    memory.set(ylabel="MiB", xlabel="seconds", ylim=(0, None))
    for axes in (latency, outcomes, memory):
        axes.legend(loc="upper left", ncols=3, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
