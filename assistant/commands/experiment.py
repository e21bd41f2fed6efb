"""``reelwise experiment report``: what an A/B experiment found."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

import typer

from assistant.composition import open_stores
from assistant.refusal import mendable
from assistant.settings import Settings
from recommender.experiments.intervals import Interval
from recommender.experiments.reactions import WINDOW
from recommender.experiments.report import Duel, ExperimentReport, VariantFigures
from recommender.experiments.report import report as make_report
from recommender.experiments.variants import Variant
from recommender.settings import RecommenderSettings

app = typer.Typer(no_args_is_help=True, help="A/B experiments.")

COLUMNS = "{:<18} {:>6} {:>9} {:>7} {:>7} {:>8}  {:<26} {}"
UNSURE = "too few users to say"


@app.callback()
def experiment() -> None:
    """A/B experiments: what was shown to whom, and what came of it."""


@app.command()
def report(
    experiment: Annotated[
        str | None, typer.Option(help="Its name; default: EXPERIMENT_NAME.")
    ] = None,
    baseline: Annotated[
        Variant | None, typer.Option(help="What to compare with; default: the simplest shown.")
    ] = None,
    days: Annotated[
        float, typer.Option(min=0, help="How long after an answer reactions to it count.")
    ] = WINDOW / timedelta(days=1),
    json: Annotated[bool, typer.Option("--json", help="All figures, as JSON.")] = False,
) -> None:
    """Compare the variants of an experiment by what people said of the films they were shown."""
    with mendable():
        settings = RecommenderSettings()
        with open_stores(Settings(), settings) as stores:
            name = settings.experiment_name if experiment is None else experiment
            found = make_report(stores, name, baseline, timedelta(days=days))
    if json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        for line in _page(found):
            typer.echo(line)


def _page(found: ExperimentReport) -> Iterator[str]:
    yield (
        f"Experiment {found.experiment}: reactions within {found.reaction_window_days:g} days, "
        f"baseline {found.baseline}, intervals 95 % over users"
    )
    if found.variants:
        yield ""
        yield COLUMNS.format(
            "variant", "users", "exposures", "films", "likes", "dislikes", "likes per exposure",
            "lift",
        )  # fmt: skip
        yield from map(_row, found.variants)
    if found.mixed_users:
        yield f"Left out, for they saw more than one variant: {found.mixed_users} users"
    for duel in found.duels:
        yield ""
        yield from _outcome(duel)


def _row(of: VariantFigures) -> str:
    rate = f"{of.like_rate:.2f} {_span(of.like_rate_interval, '{:.2f}')}"
    lift = "" if of.lift is None else f"{of.lift:+.0%} {_span(of.lift_interval, '{:+.0%}')}"
    return COLUMNS.format(
        of.variant, of.users, of.exposures, of.films_shown, of.likes, of.dislikes, rate, lift
    ).rstrip()


def _outcome(duel: Duel) -> Iterator[str]:
    yield f"Interleaved, {duel.variant} against {duel.baseline}: {duel.users} users"
    yield f"  likes {duel.likes} : {duel.baseline_likes}"
    yield f"  users won {duel.wins}, lost {duel.losses}, tied {duel.ties}"
    if duel.win_share is not None:
        yield f"  win share {duel.win_share:.0%} {_span(duel.win_share_interval, '{:.0%}')}"


def _span(interval: Interval | None, number: str) -> str:
    if interval is None:
        return f"({UNSURE})"
    low, high = map(number.format, interval)
    return f"({low} to {high})"
