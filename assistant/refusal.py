"""How a command ends when a person can mend what is wrong: one line, and exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NoReturn

import typer
from pydantic import ValidationError

from fusion.errors import FusionError
from recommender.errors import ReelwiseError

USAGE_ERROR = 2


class ChatModelUnavailable(RuntimeError):
    """The chat model that was asked for cannot be made; the message says what to do."""


def refuse(message: str) -> NoReturn:
    """Say what to mend and leave.

    Raises:
        typer.Exit: always, with exit code 2.
    """
    typer.echo(f"reelwise: {message}", err=True)
    raise typer.Exit(USAGE_ERROR)


def need(extra: str, *modules: str) -> None:
    """Leave, as `refuse` does, naming ``extra`` unless all of its modules are installed."""
    missing = sorted({module for module in modules if find_spec(module) is None})
    if missing:
        names, install = ", ".join(missing), f"pip install -e '.[{extra}]'"
        refuse(f"Packages are missing: {names}. Install them with: {install}")


@contextmanager
def mendable() -> Iterator[None]:
    """What a person can mend ends in one line and exit code 2."""
    try:
        yield
    except ValidationError as error:
        refuse(first_problem(error))
    except (ReelwiseError, FusionError, ChatModelUnavailable) as error:
        refuse(str(error))


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, by its setting's name in capitals if it is one."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"{name.upper() if error.title.endswith('Settings') else name}: {first['msg']}"
