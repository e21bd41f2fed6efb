"""The run in figures: JSON for machines, a table for people."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from tests.load.resources import Reading
from tests.load.samples import Sample

Figures = dict[str, Any]
ALL = "all"


def figures(samples: Sequence[Sample], readings: Sequence[Reading], seconds: float) -> Figures:
    """Latencies in ms by kind and for all, over ``seconds`` of run; memory and processor time."""
    kinds = sorted({sample.kind for sample in samples})
    failures = Counter(sample.detail for sample in samples if sample.outcome == "failed")
    return {
        "seconds": seconds,
        "latencies": {
            ALL: latencies(samples, seconds),
            **{kind: latencies([s for s in samples if s.kind == kind], seconds) for kind in kinds},
        },
        "sent_late_p99": percentiles([1000 * sample.late for sample in samples])[2],
        "failures": dict(failures.most_common(10)),
        "cores": cores(readings),
        "readings": [asdict(reading) for reading in readings],
    }


def latencies(samples: Sequence[Sample], seconds: float) -> Figures:
    """How many came to what, and the percentiles of those that were served."""
    outcomes = Counter(sample.outcome for sample in samples)
    served = [1000 * sample.seconds for sample in samples if sample.outcome == "ok"]
    p50, p95, p99 = percentiles(served)
    return {
        "n": len(samples),
        "a_second": len(samples) / seconds,
        "failed": outcomes["failed"],
        "refused": outcomes["refused"],
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "max": max(served, default=0.0),
    }


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The 50th, 95th and 99th; zeros of nothing."""
    if not values:
        return 0.0, 0.0, 0.0
    cuts = statistics.quantiles([*values, *values], n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def cores(readings: Sequence[Reading]) -> Figures:
    """How many cores each took on average, from the first reading to the last."""
    first, last = readings[0], readings[-1]
    passed = (last.at - first.at) or 1.0
    return {
        who: (getattr(last, f"{who}_seconds") - getattr(first, f"{who}_seconds")) / passed
        for who in ("server", "balancer", "database", "client")
    }


def recovery(samples: Sequence[Sample], steps: Sequence[float], limit: float) -> Figures:
    """Each step of an overload, and how long after the rush somebody was last turned away or
    waited longer than ``limit`` seconds.
    """
    moments, rates = steps[::2], steps[1::2]
    parts = []
    for (begin, end), rate in zip(pairwise(moments), rates, strict=True):
        within = [sample for sample in samples if begin <= sample.due < end]
        refusals = [1000 * s.seconds for s in within if s.outcome == "refused"]
        told = percentiles(refusals)
        parts.append(
            {"asked_a_second": rate, "begin": begin, "end": end}
            | latencies(within, end - begin)
            | {"refused_p50": told[0], "refused_p95": told[1], "refused_p99": told[2]}
        )
    rush_over = moments[-2]
    bad = [s.due for s in samples if s.outcome != "ok" or s.seconds > limit]
    return {"steps": parts, "recovered_after": max([0.0, *(due - rush_over for due in bad)])}


def table(report: Figures) -> Iterator[str]:
    """Lines for people."""
    yield f"{'milliseconds':<14}{'n':>9}{'a second':>10}{'failed':>8}{'refused':>9}" + "".join(
        f"{name:>9}" for name in ("p50", "p95", "p99", "max")
    )
    for kind, row in report["latencies"].items():
        yield (
            f"{kind:<14}{row['n']:>9}{row['a_second']:>10.1f}{row['failed']:>8}{row['refused']:>9}"
            + "".join(f"{row[name]:>9.1f}" for name in ("p50", "p95", "p99", "max"))
        )
    for part in report.get("overload", {}).get("steps", ()):
        yield (
            f"{part['asked_a_second']:.0f} a second from {part['begin']:.0f} s: "
            f"{part['n']} asked, {part['refused']} refused (p50 {part['refused_p50']:.1f}, "
            f"p99 {part['refused_p99']:.1f} ms), {part['failed']} failed, "
            f"served p50 {part['p50']:.1f}, p95 {part['p95']:.1f}, p99 {part['p99']:.1f} ms"
        )
    if "overload" in report:
        yield f"as before {report['overload']['recovered_after']:.1f} s after the rush"
    yield f"sent late: p99 {report['sent_late_p99']:.1f} ms"
    servers = report["plan"]["servers"]
    called = {"server": f"{servers} servers together"} if servers > 1 else {}
    for who, share in report["cores"].items():
        if who != "balancer" or servers > 1:
            yield f"{called.get(who, who)}: {share:.2f} cores"
    first, last = report["readings"][0], report["readings"][-1]
    for who in ("server", "database"):
        most = max(reading[f"{who}_mib"] for reading in report["readings"])
        yield (
            f"{called.get(who, who)}: {first[f'{who}_mib']:.0f} MiB at first, "
            f"{last[f'{who}_mib']:.0f} at last, {most:.0f} at most"
        )
    for detail, count in report["failures"].items():
        yield f"{count} × {detail}"
