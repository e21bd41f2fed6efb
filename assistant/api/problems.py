"""Errors as RFC 9457 problem details: every ``type`` is stable, every ``detail`` says how to mend.

The tables here are the only place where failures get their HTTP status.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from recommender.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
    NothingToUndo,
    ReelwiseError,
    StoreUnavailable,
    UnknownItem,
    UnknownSession,
    UnknownUser,
)

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
STORE_RETRY_SECONDS = 2


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its URI's last part, its status, its title and how to mend it."""

    slug: str
    status: int
    title: str
    mend: str

    @property
    def type(self) -> str:
        """The stable URI reference that names this kind; it can be opened."""
        return f"/problems/{self.slug}"


UNKNOWN_ITEM = Kind(
    "unknown-item", 404, "No such film", "Take ids from /search or /survey/start answers."
)
UNKNOWN_USER = Kind(
    "unknown-user", 404, "Nothing is known of this user", "Record a swipe of this user first."
)
UNKNOWN_SESSION = Kind(
    "unknown-session", 404, "No such survey", "Start a survey with POST /survey/start."
)
NOTHING_TO_UNDO = Kind(
    "nothing-to-undo", 404, "There is no swipe to take back", "Record a swipe first."
)
NOT_FOUND = Kind("not-found", 404, "Nothing is here", "The paths that exist are listed at /docs.")
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed",
    405,
    "This path does not take this method",
    "Use a method that the Allow header names.",
)
MALFORMED_JSON = Kind(
    "malformed-json", 400, "The body is not JSON", "Send one valid JSON object, encoded as UTF-8."
)
PAYLOAD_TOO_LARGE = Kind(
    "payload-too-large", 413, "The body is too large", "Send a shorter query and fewer values."
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type",
    415,
    "The body is not declared as JSON",
    "Send the header 'Content-Type: application/json'.",
)
INVALID_REQUEST = Kind(
    "invalid-request", 422, "A value is not acceptable", "Mend the values that 'errors' names."
)
IDEMPOTENCY_KEY_REUSED = Kind(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key belongs to another request",
    "Send a new key with each new action; repeat a key only to repeat the same request.",
)
RATE_LIMITED = Kind(
    "rate-limited",
    429,
    "Too many requests",
    "Wait for as many seconds as the Retry-After header says, then send the request again.",
)
INTERNAL_ERROR = Kind(
    "internal-error",
    500,
    "The service failed",
    "Try again; if it fails again, report the request_id.",
)
STORE_UNAVAILABLE = Kind(
    "store-unavailable",
    503,
    "The database does not answer",
    "Nothing was recorded. Wait as the Retry-After header says, then send the request again.",
)
NOT_READY = Kind(
    "not-ready", 503, "The service cannot serve yet", "Wait until /readyz answers 200."
)

_ALL = (
    UNKNOWN_ITEM, UNKNOWN_USER, UNKNOWN_SESSION, NOTHING_TO_UNDO, NOT_FOUND, METHOD_NOT_ALLOWED,
    MALFORMED_JSON, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST,
    IDEMPOTENCY_KEY_REUSED, RATE_LIMITED, INTERNAL_ERROR, STORE_UNAVAILABLE, NOT_READY,
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.slug: kind for kind in _ALL}

_OF_DOMAIN_ERROR: Mapping[type[ReelwiseError], Kind] = {
    UnknownItem: UNKNOWN_ITEM,
    UnknownUser: UNKNOWN_USER,
    UnknownSession: UNKNOWN_SESSION,
    NothingToUndo: NOTHING_TO_UNDO,
    NotFound: NOT_FOUND,
    InvalidRequest: INVALID_REQUEST,
    IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    StoreUnavailable: STORE_UNAVAILABLE,
}
_OF_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (
        MALFORMED_JSON, NOT_FOUND, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE, RATE_LIMITED
    )
}  # fmt: skip
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
    request: Request,
    kind: Kind,
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
    return _render(problem, headers)


def _render(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    # Escaped to ASCII: a refused field's name may hold lone surrogates, which UTF-8 cannot carry.
    body = problem.model_dump_json(exclude_none=True, ensure_ascii=True)
    return Response(body, problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the application answer every failure it can foresee with a problem."""
    app.exception_handler(ReelwiseError)(_domain_error)
    app.exception_handler(RequestValidationError)(_validation_error)
    app.exception_handler(HTTPException)(_http_error)


async def _domain_error(request: Request, error: ReelwiseError) -> Response:
    for cls in type(error).__mro__:
        if kind := _OF_DOMAIN_ERROR.get(cls):
            headers = {"Retry-After": str(STORE_RETRY_SECONDS)} if kind.status == 503 else None
            return respond(request, kind, str(error), headers=headers)
    raise error


async def _http_error(request: Request, error: HTTPException) -> Response:
    kind = _OF_STATUS.get(error.status_code)
    if kind is None:
        return _blank(request, error)
    return respond(request, kind, headers=error.headers)


def _blank(request: Request, error: HTTPException) -> Response:
    """RFC 9457 section 4.2.1: a problem that says no more than its status does."""
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(error.status_code).phrase,
        status=error.status_code,
        detail=str(error.detail),
        instance=quote(request.scope["path"], errors="replace"),
        request_id=getattr(request.state, "request_id", None),
    )
    return _render(problem, error.headers)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return respond(request, MALFORMED_JSON, _where_json_broke(found[0]))
    if isinstance(error.body, bytes):
        return respond(request, UNSUPPORTED_MEDIA_TYPE)
    errors = [_field_error(each) for each in found[:MAX_ERRORS]]
    return respond(request, INVALID_REQUEST, _summary(errors), errors=errors)


def _where_json_broke(error: Mapping[str, Any]) -> str:
    return f"{error['ctx']['error']} at character {error['loc'][1]}. {MALFORMED_JSON.mend}"


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
