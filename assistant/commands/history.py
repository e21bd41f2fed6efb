"""``reelwise history``: what somebody watched elsewhere becomes swipes, after a look at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from assistant.composition import load_encoder, open_recommender
from assistant.refusal import mendable
from assistant.settings import Settings
from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.models import HistoryReceipt, HistorySite, UserIdentifier

SHOWN = 10
"""Matches and films without one that are listed; --all lists every one."""


def history(
    site: Annotated[HistorySite, typer.Argument(help="Whose export it is.")],
    file: Annotated[Path, typer.Argument(help="The export as the site gave it, zipped or not.")],
    user: Annotated[str | None, typer.Option(help="Whose it is; default: the local user.")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Record it; without, only look at it.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every film.")] = False,
) -> None:
    """Take over what was rated on Letterboxd, IMDb or Trakt as likes and dislikes."""
    with _opened() as (settings, recommender):
        user_id = TypeAdapter(UserIdentifier).validate_python(user or settings.local_user_id)
        content = _content(file)
        receipt = recommender.import_history(user_id, site, file.name, content, confirm=yes)
    for line in _lines(receipt, None if everything else SHOWN):
        typer.echo(line)
    if not yes and receipt.matches:
        typer.echo("Nothing is recorded yet. Record it with: --yes")


@contextmanager
def _opened() -> Iterator[tuple[Settings, Recommender]]:
    with mendable():
        settings = Settings()
        with open_recommender(settings, load_encoder(settings)) as recommender:
            yield settings, recommender


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}.") from error


def _lines(receipt: HistoryReceipt, shown: int | None) -> Iterator[str]:
    said = "recorded" if receipt.status == "recorded" else "matched"
    yield f"{len(receipt.matches):,} {said}:"
    for match in receipt.matches[:shown]:
        how = match.matched_by if match.score == 1.0 else f"{match.matched_by}, {match.score:.2f}"
        yield f"  {match.direction.value}: {match.title} ({match.year}), by {how}"
    yield from _more(len(receipt.matches), shown)
    yield f"{len(receipt.unmatched):,} without a match:"
    for film in receipt.unmatched[:shown]:
        yield f"  {film.title} ({film.year}): {film.reason}"
    yield from _more(len(receipt.unmatched), shown)
    yield f"{receipt.known:,} swiped here already, {receipt.neutral:,} neither liked nor disliked."


def _more(count: int, shown: int | None) -> Iterator[str]:
    if shown is not None and count > shown:
        yield f"  and {count - shown:,} more (--all)"
