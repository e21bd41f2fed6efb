"""What the chat door can be told."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from recommender.models import UserIdentifier

Auth = Literal["none", "password", "header", "oauth"]
PosterHost = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[a-zA-Z0-9.-]+(:[0-9]{1,5})?$")
]


def passwords_file(home: Path) -> Path:
    """Where the hashed passwords of a data folder are."""
    return home / "passwords.json"


class ChatSettings(BaseModel):
    """Settings of the chat door.

    ``auth`` says how people sign in; with ``none`` everybody is ``user_id``, the owner. ``header``
    believes ``auth_header``; ``password`` looks into ``passwords_file(home)``.
    ``public_url`` is where browsers reach this chat, if not directly: with https, the cookie is
    never sent without.
    ``markdown``: whether the agent writes Markdown, as hosted models do. The planner's replies are
    plain text, in which titles such as ``M*A*S*H`` must read as they are.
    ``poster_hosts`` are those that browsers may fetch posters from.
    ``max_upload_bytes`` bounds a file that somebody sends.
    ``home`` is the data folder; Chainlit's working files go into its ``chat`` folder.
    """

    model_config = ConfigDict(frozen=True)

    home: Path
    user_id: UserIdentifier = "local"
    auth: Auth = "none"
    auth_header: str = "X-Forwarded-User"
    public_url: str | None = None
    markdown: bool = False
    poster_hosts: tuple[PosterHost, ...] = ()
    max_upload_bytes: int = 12 * 2**20
