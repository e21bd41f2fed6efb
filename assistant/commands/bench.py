"""``reelwise bench``: how quick the product is, how much it takes, and how that grows."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.refusal import mendable, need
from assistant.settings import Settings

SIZES = (1_590, 25_000, 100_000)
"""The starter catalogue, then some that hold it."""


def bench(
    films: Annotated[
        list[int] | None, typer.Option(min=SIZES[0], help="How many; may be given again.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, max=9, help="Of which the spread is shown.")] = 3,
    requests: Annotated[int, typer.Option(min=1, max=500, help="Of each kind in a run.")] = 50,
    baseline: Annotated[bool, typer.Option(help="Beside torch, Chroma and rank-bm25.")] = True,
    data: Annotated[
        Path | None, typer.Option(help="Where indexes are kept; default: in REELWISE_HOME.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("recommender/results"),
    readme: Annotated[
        Path | None, typer.Option(help="A page whose figures are renewed between its markers.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Only time this server, which runs already.")
    ] = None,
) -> None:
    """Time servers over 1,590, 25,000 and 100,000 films (--films) and write a report and a plot."""
    if url:
        return _running(url, runs, requests)
    need(
        "bench", "matplotlib", "pyarrow", *(("chromadb", "rank_bm25", "torch") if baseline else ())
    )
    from assistant.bench.measure import Plan
    from assistant.bench.measure import bench as measured
    from assistant.bench.report import renew_readme, write_report

    home = data or Settings().reelwise_home / "bench"
    plan = Plan(films or SIZES, runs, requests, home, baseline)
    with mendable():
        for report in measured(plan, lambda doing: typer.echo(doing, err=True)):
            page = write_report(report, out)
        if readme:
            renew_readme(readme, report)
        typer.echo(f"Wrote {page}")


def _running(url: str, runs: int, requests: int) -> None:
    from assistant.bench.measure import measure_url

    with mendable():
        timings = measure_url(url, runs, requests)
    typer.echo(f"{'milliseconds':<20}{'n':>6}{'p50':>9}{'p95':>9}{'p99':>9}")
    for each in timings:
        figures = f"{each.p50:>9.1f}{each.p95:>9.1f}{each.p99:>9.1f}"
        typer.echo(f"{each.name:<20}{each.count:>6}{figures}")
