"""``reelwise key``: make a user's API key, or revoke those there are."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from assistant.api.keys import make_key, revoke_keys
from assistant.api.settings import ApiSettings
from assistant.refusal import mendable, refuse
from assistant.settings import Settings
from recommender.models import UserIdentifier

FILE = "api-keys.json"


def key(
    user: Annotated[str, typer.Argument(help="Whom the key acts for.")],
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make none: revoke all keys of this user.")
    ] = False,
) -> None:
    """Make an API key for a user and print it, this once; only its hash is kept."""
    with mendable():
        _check(user)
        path = ApiSettings().api_keys_file or Settings().reelwise_home / FILE
        if revoke:
            typer.echo(f"Revoked: {revoke_keys(path, user)} of {user}.")
            return
        typer.echo(make_key(path, user))
        typer.echo(f"Its hash is in {path}. Serve with API_KEYS_FILE={path}", err=True)


def _check(user: str) -> None:
    try:
        TypeAdapter[str](UserIdentifier).validate_python(user)
    except ValidationError as error:
        refuse(f"{user!r} cannot be a user id: {error.errors()[0]['msg']}")
