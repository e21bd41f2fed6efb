"""How a command ends when a person can mend what is wrong: one line, and exit code 2."""

from typing import NoReturn

import typer

USAGE_ERROR = 2


def refuse(message: str) -> NoReturn:
    """Say what to mend and leave.

    Raises:
        typer.Exit: always, with exit code 2.
    """
    typer.echo(f"reelwise: {message}", err=True)
    raise typer.Exit(USAGE_ERROR)
