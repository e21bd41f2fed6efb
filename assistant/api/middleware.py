"""Plain ASGI middlewares around every HTTP request.

Websockets pass all but the check of the host untouched.
"""

import logging
import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api import kinds, problems
from assistant.context import serving
from assistant.logs import without_words

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORT = re.compile(r":\d*$")
_JSON_CONTENT = re.compile(r"application/(\w+\+)?json\b")

logger = logging.getLogger("reelwise.api")


class RequestIdMiddleware:
    """Give each request an id (the client's own if it is a sane one) and return it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the id at ``request.state.request_id``."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        offered = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else uuid4().hex
        Request(scope).state.request_id = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        with serving(request_id):
            await self.app(scope, receive, send_with_id)


class SecurityHeadersMiddleware:
    """Add the headers that keep browsers from guessing, framing and leaking.

    JSON also gets a policy that lets a browser load nothing from it; pages set their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Set what the inner application did not set itself."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope["scheme"])
            await send(message)

        await self.app(scope, receive, send_secured)


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}


def _secure(headers: MutableHeaders, scheme: str) -> None:
    for name, value in (SECURITY_HEADERS | (HSTS if scheme == "https" else {})).items():
        headers.setdefault(name, value)
    if _JSON_CONTENT.match(headers.get("Content-Type", "")):
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        headers.setdefault("Cache-Control", "no-store")


class UnexpectedErrorMiddleware:
    """Turn what nobody foresaw into a 500 problem and a log entry that share the request's id.

    The log names types and places only: messages of exceptions may carry users' words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Re-raise once a response has begun: the server must then cut the connection."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started:
                raise
            request = Request(scope)
            logger.error("request %s failed\n%s", request.state.request_id, without_words(error))
            await problems.respond(request, kinds.INTERNAL_ERROR)(scope, receive, send)


class KnownHostMiddleware:
    """Refuse requests and websockets that name a host which this server is not known by.

    A page elsewhere can make its own name point to this machine (DNS rebinding); its requests
    then count as "same origin" to the browser, but the Host header still carries that name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what names a host of ``app.state.known_hosts``, or all if that is None."""
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            known: frozenset[str] | None = connection.app.state.known_hosts
            if known is not None and _host(connection.headers) not in known:
                return await problems.respond(connection, kinds.UNKNOWN_HOST)(scope, receive, send)
        await self.app(scope, receive, send)


def _host(headers: Headers) -> str:
    """The Host header without its port, in lower case."""
    return _PORT.sub("", headers.get("host", "")).lower()
