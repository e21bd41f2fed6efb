"""What handlers ask for by type."""

import re
from typing import Annotated

from fastapi import Depends, Header, Path
from pydantic import AfterValidator, Field
from starlette.requests import Request

from recommender.models import Identifier, UserIdentifier
from recommender.service import Recommender


async def _recommender(request: Request) -> Recommender:
    # Not a plain def: those cost a hop to a thread.
    service: Recommender = request.app.state.recommender
    return service


_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")

Service = Annotated[Recommender, Depends(_recommender)]
UserId = Annotated[UserIdentifier, Path(examples=["ada"])]
ItemId = Annotated[Identifier, Path(examples=["541"])]
SessionId = Annotated[Identifier, Path(description="From the answer of /survey/start.")]


def _visible_ascii(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("Send 1 to 255 visible ASCII characters (no spaces)")
    return key


_Key = Annotated[
    str, AfterValidator(_visible_ascii), Field(json_schema_extra={"pattern": _KEY.pattern})
]
IdempotencyKey = Annotated[
    _Key | None,
    Header(
        description="1 to 255 visible ASCII characters, new for each action. Sent again with the "
        "same content, the first answer is repeated and nothing is done twice.",
    ),
]
