"""`python -m fusion.evaluate`: tune and measure the peers, store the runs, print the tables."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from fusion.errors import FusionError
from fusion.evaluate.data import load
from fusion.evaluate.harness import Harness, Plan
from fusion.evaluate.peers.registry import Peer, standard_peers
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.report import read_runs, report, store
from fusion.onnx_encoder import OnnxTextEncoder


def main(
    data: Annotated[Path, typer.Option(help="Unpacked MovieLens folder.")],
    catalogue: Annotated[Path, typer.Option(help="Films with texts, one JSON object a line.")],
    out: Annotated[Path, typer.Option(help="Folder of the runs and of cached vectors.")],
    only: Annotated[list[str] | None, typer.Option(help="Peers to run, by name.")] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(help="More peers: module:function, called with films, text space, split."),
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Measure on the test strangers too.")
    ] = False,
    seed: int = Plan().seed,
) -> None:
    """Tune each peer on validation strangers, measure it, and print the tables."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        harness = Harness(load(data, catalogue), Plan(seed=seed))
        for peer in _chosen(harness, out, only, peers or []):
            trials = harness.tune(peer)
            for on_test in (False, True) if final else (False,):
                store(harness.measure(peer, trials, on_test), out)
        typer.echo(report(read_runs(out / ("test" if final else "validation"))))
    except FusionError as error:
        raise SystemExit(str(error)) from error


def _chosen(harness: Harness, out: Path, only: list[str] | None, more: list[str]) -> list[Peer]:
    films = harness.dataset.films
    space = TextSpace(films, OnnxTextEncoder(), out / "vectors")
    found = standard_peers(films, space)
    for spec in more:
        module, function = spec.split(":")
        found += getattr(import_module(module), function)(films, space, harness.split)
    unknown = set(only or []) - {peer.name for peer in found}
    if unknown:
        raise SystemExit(f"No peer is called {', '.join(sorted(unknown))}.")
    return [peer for peer in found if not only or peer.name in only]


if __name__ == "__main__":
    typer.run(main)
