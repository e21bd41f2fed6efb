"""``reelwise evaluate``: measure the peers on MovieLens, and make the report of stored runs.

Nothing of the evaluation is imported before it runs: ``reelwise serve`` needs none of it.
"""

import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.commands.survey import measure_surveys
from assistant.commands.system import measure_mentioned, measure_system
from assistant.refusal import mendable, need, refuse
from recommender.indexer import STARTER

if TYPE_CHECKING:
    from fusion.evaluate.harness import Harness
    from fusion.evaluate.peers.registry import Peer


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Unpacked MovieLens folder, such as ml-latest-small.")
    ] = None,
    catalogue: Annotated[
        Path, typer.Option(help="Films with texts, one JSON object a line.", show_default=False)
    ] = STARTER,
    out: Annotated[Path, typer.Option(help="Folder of the runs and of the report.")] = Path("runs"),
    only: Annotated[list[str] | None, typer.Option(help="Peers to run, by name.")] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(help="More peers: module:function, called with films, text space, split."),
    ] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Train on validation people too, measure on test.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Do stored runs anew.")] = False,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Measure nothing, report stored runs.")
    ] = False,
    readme: Annotated[
        Path | None, typer.Option(help="Also renew the results between this page's markers.")
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", help="Measure settings of the whole search instead.")
    ] = False,
    mentions: Annotated[
        bool,
        typer.Option("--mentions", help="Measure what films are worth that are only mentioned."),
    ] = False,
    dialogues: Annotated[
        Path | None,
        typer.Option(help="Measure how the offline planner understands a file of dialogues."),
    ] = None,
    conversations: Annotated[
        Path | None,
        typer.Option(
            help="Measure what is found for people who only talked, on a public benchmark's file: "
            "INSPIRED, ReDial or Reddit as published by He et al. 2023."
        ),
    ] = None,
    explanations: Annotated[
        list[Path] | None,
        typer.Option(
            help="Measure how explanations are checked on files of labelled sentences; with "
            "--data also how true they are."
        ),
    ] = None,
    survey: Annotated[
        bool, typer.Option("--survey", help="Measure the survey that learns against a fixed one.")
    ] = False,
    postgres: Annotated[
        bool, typer.Option("--postgres", help="With --system: search in PostgreSQL, as served.")
    ] = False,
) -> None:
    """Tune peers on validation strangers, measure them, and write OUT/report.md with plots."""
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(message)s")
    with mendable():
        if system:
            page = measure_system(_named(data), catalogue, out, only or [], final, postgres)
            typer.echo(f"Wrote {page}")
            return
        if dialogues:
            from assistant.dialogues import measure_dialogues

            typer.echo(measure_dialogues(_existing(dialogues)))
            return
        if conversations:
            from assistant.commands.conversations import measure_conversations

            typer.echo(measure_conversations(conversations, catalogue))
            return
        if explanations:
            from assistant.commands.explanations import measure_explanations

            files = [_existing(path) for path in explanations]
            typer.echo(measure_explanations(files, data, catalogue, final))
            return
        if mentions:
            typer.echo(measure_mentioned(_named(data), catalogue, final))
            return
        if survey:
            typer.echo(measure_surveys(_named(data), catalogue, final))
            return
        need("evaluate", "matplotlib", "adjustText")
        if not report_only:
            _measure(data, catalogue, out, only or [], peers or [], final, again)
        _report(out, readme)


def _measure(
    data: Path | None,
    catalogue: Path,
    out: Path,
    only: list[str],
    more: list[str],
    final: bool,
    again: bool,
) -> None:
    from fusion.evaluate.campaign import measure_peer
    from fusion.evaluate.data import load
    from fusion.evaluate.harness import Harness, Plan

    harness = Harness(load(_named(data), catalogue), Plan())
    chosen = _chosen(harness, out, only, more)
    need("evaluate", *(module for peer in chosen for module in peer.needs))
    for peer in chosen:
        measure_peer(harness, peer, out, final, again)


def _named(data: Path | None) -> Path:
    if data is None:
        refuse("Name an unpacked MovieLens folder with --data, or ask for --report-only.")
    return data


def _existing(path: Path) -> Path:
    if not path.is_file():
        refuse(f"{path} is not there. Name a file such as tests/dialogues/held_out.txt.")
    return path


def _chosen(harness: "Harness", out: Path, only: list[str], more: list[str]) -> list["Peer"]:
    from fusion.evaluate.peers.registry import standard_peers
    from fusion.evaluate.peers.textual import TextSpace
    from fusion.onnx_encoder import OnnxTextEncoder

    films = harness.dataset.films
    space = TextSpace(films, OnnxTextEncoder(), out / "vectors")
    found = standard_peers(films, space, out / "models")
    for spec in more:
        module, _, function = spec.partition(":")
        found += getattr(import_module(module), function)(films, space, harness.split)
    unknown = set(only) - {peer.name for peer in found}
    if unknown:
        refuse(f"No peer is called {', '.join(sorted(unknown))}.")
    return [peer for peer in found if not only or peer.name in only]


def _report(out: Path, readme: Path | None) -> None:
    from fusion.evaluate.report import renew_readme, write_report

    typer.echo(f"Wrote {write_report(out)}")
    if readme:
        renew_readme(readme, out)
        typer.echo(f"Renewed the results in {readme}")


if __name__ == "__main__":
    typer.run(evaluate)
