"""``reelwise bench``: how quick the product is, how much it takes, and how that grows."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.refusal import mendable, need
from assistant.settings import Settings

SIZES = (1_590, 25_000, 100_000)


def bench(
    films: Annotated[
        list[int] | None,
        typer.Option(min=100, help=f"How many; may be given again. Default: {SIZES}."),
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Of which the spread is shown.")] = 3,
    requests: Annotated[int, typer.Option(min=1, help="Of each kind in a run.")] = 60,
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
    """Measure servers of its own over films by the thousand, and write a report with a plot."""
    need(
        "bench", "matplotlib", "pyarrow", *(("chromadb", "rank_bm25", "torch") if baseline else ())
    )
    with mendable():
        from assistant.bench.measure import Plan
        from assistant.bench.measure import bench as measured

        kept = data or Settings().reelwise_home / "bench"
        plan = Plan(films or SIZES, runs, requests, kept, baseline)
        report = measured(plan, lambda doing: typer.echo(doing, err=True))
        out.mkdir(parents=True, exist_ok=True)
        (out / "bench.json").write_text(report.model_dump_json(indent=1) + "\n")
