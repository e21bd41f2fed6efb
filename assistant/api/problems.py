"""Errors as RFC 9457 problem details: a stable ``type``, and a ``detail`` that says how to mend."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from assistant.api import kinds
from recommender.errors import ReelwiseError

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
STORE_RETRY_SECONDS = 2

# Where the validator speaks of Python, clients are told in JSON's words.
_MESSAGES: Mapping[str, str] = {
    "model_attributes_type": "Input should be a JSON object",
    "model_type": "Input should be a JSON object",
    "tuple_type": "Input should be a JSON array",
    "extra_forbidden": "There is no such field",
}


class FieldError(BaseModel):
    """One value that was refused: where it stood and why."""

    location: Literal["body", "path", "query", "header", "cookie"]
    pointer: str = Field(description="JSON pointer (RFC 6901) as a URI fragment")
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457), with the members ``request_id`` and ``errors`` added."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None = None
    errors: list[FieldError] | None = None


def respond(
    request: HTTPConnection,
    kind: kinds.Kind,
    detail: str | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldError] | None = None,
) -> Response:
    """The response for a problem of this kind."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail or kind.mend,
        instance=quote(request.scope["path"], errors="replace"),
        request_id=getattr(request.state, "request_id", None),
        errors=list(errors) if errors else None,
    )
    # Escaped to ASCII: a refused field's name may hold lone surrogates, which UTF-8 cannot carry.
    body = problem.model_dump_json(exclude_none=True, ensure_ascii=True)
    return Response(body, kind.status, headers, MEDIA_TYPE)


class Refusal(Exception):
    """A request that is not served: the kind of problem, its own detail, and headers."""

    def __init__(
        self,
        kind: kinds.Kind,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.title)
        self.kind, self.detail, self.headers = kind, detail, headers


def install(app: FastAPI) -> None:
    """Make the application answer every failure it can foresee with a problem."""
    app.exception_handler(ReelwiseError)(_domain_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(Refusal)(_refusal)


async def _domain_error(request: Request, error: ReelwiseError) -> Response:
    for cls in type(error).__mro__:
        if kind := kinds.OF_DOMAIN_ERROR.get(cls):
            headers = {"Retry-After": str(STORE_RETRY_SECONDS)} if kind.status == 503 else None
            return respond(request, kind, str(error), headers=headers)
    raise error


async def _refusal(request: Request, refusal: Refusal) -> Response:
    return respond(request, refusal.kind, refusal.detail, headers=refusal.headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    kind = kinds.OF_STATUS.get(error.status_code) or kinds.Kind(
        None, error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail)
    )
    return respond(request, kind, headers=error.headers)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return respond(request, kinds.MALFORMED_JSON, _where_json_broke(found[0]))
    if isinstance(error.body, bytes):
        return respond(request, kinds.UNSUPPORTED_MEDIA_TYPE)
    errors = [_field_error(each) for each in found[:MAX_ERRORS]]
    return respond(request, kinds.INVALID_REQUEST, _summary(errors), errors=errors)


def _where_json_broke(error: Mapping[str, Any]) -> str:
    return f"{error['ctx']['error']} at character {error['loc'][1]}. {kinds.MALFORMED_JSON.mend}"


def _summary(errors: Sequence[FieldError]) -> str:
    first = errors[0]
    more = f" ({len(errors) - 1} more in 'errors')" if len(errors) > 1 else ""
    return f"{first.location} {first.pointer}: {first.message}{more}"


def _field_error(error: Mapping[str, Any]) -> FieldError:
    location, *path = error["loc"]
    message = _MESSAGES.get(error["type"], error["msg"]).removeprefix("Value error, ")
    return FieldError(location=location, pointer=_pointer(path), message=message)


def _pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 section 6: a JSON pointer as a URI fragment."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "#" + "".join(f"/{quote(part, errors='replace')}" for part in parts)
