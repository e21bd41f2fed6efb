"""``reelwise doctor``, ``backup`` and ``restore``: what keeps an installation well."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.composition import open_database
from assistant.doctor import examine
from assistant.refusal import USAGE_ERROR, mendable
from assistant.settings import Settings
from recommender.stores.postgres.backup import back_up
from recommender.stores.postgres.backup import restore as put_back


def doctor() -> None:
    """Look whether this installation is well: a line a check, and exit code 2 for what is not."""
    findings = list(examine())
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.well else 'MEND'} {finding.part}: {finding.says}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(USAGE_ERROR)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; replaced if it is there.")],
) -> None:
    """Write swipes, surveys, conversations and films into a file; servers may go on meanwhile."""
    with mendable(), open_database(Settings()) as database:
        back_up(database, file)
        typer.echo(f"Wrote {file}, {file.stat().st_size / 1e6:.1f} MB. It holds people's data.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `reelwise backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where that loses what people did since.")
    ] = False,
) -> None:
    """Put a backup in the place of what the database holds; stop its servers first."""
    with mendable(), open_database(Settings()) as database:
        put_back(database, file, replace)
        typer.echo(f"Restored {file}. The next start brings the films' index up to date.")
