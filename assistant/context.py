"""Whose request is being served, for lines of the log; it follows a request into its threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
USER: ContextVar[str | None] = ContextVar("user", default=None)
TRACE: ContextVar[str | None] = ContextVar("trace", default=None)


@contextmanager
def serving(request_id: str, user_id: str | None = None) -> Iterator[None]:
    """What is logged within belongs to this request and user; ``USER`` may be set later."""
    request, user = REQUEST.set(request_id), USER.set(user_id)
    try:
        yield
    finally:
        REQUEST.reset(request)
        USER.reset(user)
