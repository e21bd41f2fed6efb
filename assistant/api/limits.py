"""What a client may send: how often, and how much at once."""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from inspect import iscoroutinefunction
from math import ceil, inf
from time import monotonic
from typing import Any

import limits
from anyio import CapacityLimiter, to_thread
from cachetools import TTLCache
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from assistant.api.concurrency import Bulkhead, Bulkheads
from assistant.context import USER

MOST_READ_AT_ONCE = 2**20
"""Bytes of JSON, read in some 5 ms."""
_THREADS: ContextVar[CapacityLimiter] = ContextVar("threads")
"""Those for the request that is handled: a handler that is wrapped sees no request."""


@dataclass(frozen=True)
class Standing:
    """What is left of a caller's quota, and in how many seconds it is whole again."""

    quota: "Quota"
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": self.quota.policy,
            "RateLimit": f'"{self.quota.name}";r={self.remaining};t={self.reset_seconds}',
        }


@dataclass
class _Window:
    ends_at: float
    count: int = 0


class Quota:
    """Counts requests per caller in this process; a window opens with its first request.

    ``name`` says what kind of caller is counted. By ``clock``, which nobody sets back: a window
    that ended a day later would lock its caller out. Not for several threads at once.
    """

    def __init__(self, name: str, rate: str, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self._rate = limits.parse(rate)
        self._seconds = self._rate.get_expiry()
        self._clock = clock
        self._windows: TTLCache[str, _Window] = TTLCache(inf, self._seconds, timer=clock)

    @property
    def policy(self) -> str:
        """The quota as a field value: how many requests, in how many seconds."""
        return f'"{self.name}";q={self._rate.amount};w={self._seconds}'

    def charge(self, caller: str) -> Standing:
        """Count one request of ``caller``. Raises HTTPException 429 past the quota."""
        now = self._clock()
        window = self._windows.get(caller)
        if window is None:
            window = self._windows[caller] = _Window(now + self._seconds)
        window.count += 1
        remaining = max(0, self._rate.amount - window.count)
        standing = Standing(self, remaining, max(1, ceil(window.ends_at - now)))
        if window.count > self._rate.amount:
            retry = {"Retry-After": str(standing.reset_seconds)}
            raise HTTPException(429, headers=retry | standing.headers())
        return standing


@dataclass(frozen=True)
class Quotas:
    """What each user may ask for, and each client address, behind which many users may sit."""

    user: Quota
    address: Quota


class BoundedRequest(Request):
    """A request whose body is refused as soon as it is known to be too large."""

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int) -> None:
        super().__init__(scope, receive)
        self._max_bytes = max_bytes

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body's chunks. Raises HTTPException 413."""
        self._check(int(self.headers.get("content-length", 0)))
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            self._check(size)
            yield chunk

    async def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body's content. One that takes long to read is read beside the event loop.

        Raises ValueError for what is no JSON.
        """
        body = await self.body()
        if len(body) <= MOST_READ_AT_ONCE:
            return await super().json()
        if not hasattr(self, "_json"):
            self._json = await to_thread.run_sync(json.loads, body)
        return self._json

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise HTTPException(413)


def bounded(receive: Receive, max_bytes: int) -> Receive:
    """The same for an application that is mounted: HTTPException 413 while it reads the body."""
    size = 0

    async def count() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > max_bytes:
            raise HTTPException(413)
        return message

    return count


def _beside_the_loop(handle: Callable[..., Any]) -> Callable[..., Any]:
    """A handler that blocks, in a thread. FastAPI would take it to one as well, and then go to
    another one to look through what it returned, which takes longer than looking.
    """
    if iscoroutinefunction(handle):
        return handle

    @wraps(handle)
    async def handled(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return await to_thread.run_sync(partial(handle, *args, **kwargs), limiter=_THREADS.get())

    return handled


class LimitedRoute(APIRoute):
    """A route that charges the client's address and the user, and bounds the body.

    It is worked on if there is a place, and refused if there is none.
    """

    upload = False
    """Whether the body carries a file."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:  # noqa: ANN401
        """See `APIRoute`."""
        super().__init__(path, _beside_the_loop(endpoint), **kwargs)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler, so that requests which turn out to be invalid count as well."""
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            state = request.app.state
            most = state.max_upload_bytes if self.upload else state.max_body_bytes
            bounded = BoundedRequest(request.scope, request.receive, most)
            bulkhead = self.bulkhead(state.bulkheads)
            _THREADS.set(bulkhead.threads)
            standing = await self._charge(state.quotas, bounded)
            # Not before the body is there: who sends it slowly would keep others out.
            with bulkhead.place():
                response = await handle(bounded)
            response.headers.update(standing.headers())
            return response

        return limited

    def bulkhead(self, bulkheads: Bulkheads) -> Bulkhead:
        """Whose place and thread a request takes."""
        return bulkheads.quick

    async def user(self, request: Request) -> str | None:  # noqa: ARG002
        """Whose quota the request counts against beside its address's; here nobody's."""
        return None

    async def _charge(self, quotas: Quotas, request: Request) -> Standing:
        standing = quotas.address.charge(request.client.host if request.client else "unknown")
        if user_id := await self.user(request):
            USER.set(user_id)
            of_user = quotas.user.charge(user_id)
            standing = min(standing, of_user, key=lambda each: each.remaining)
        return standing
