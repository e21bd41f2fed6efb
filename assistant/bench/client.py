"""Asking a server over HTTP at little cost: httpx takes a millisecond more a request, which would
be an eighth of what is measured.
"""

import json
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from recommender.errors import InvalidRequest

IDLE_SECONDS = 4.0
"""Connections that were idle for longer are opened anew: servers close them after five."""
TIMEOUT = 600.0
"""An import of five thousand swipes takes minutes of a busy machine."""


class Request(NamedTuple):
    """``body`` becomes JSON; None: no body."""

    path: str
    body: dict[str, Any] | None = None
    method: str = "POST"


class Client:
    """A client of one server, for many threads; a context that closes what it opened."""

    def __init__(self, url: str) -> None:
        """``url`` is http://host:port. Raises InvalidRequest when it is not."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise InvalidRequest(f"{url} is no address like http://localhost:8000.")
        self._url, self._host, self._port = url, parts.hostname, parts.port
        self._idle: list[tuple[float, HTTPConnection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def send(self, request: Request) -> Any:  # noqa: ANN401 - whatever JSON it answers
        """The answer; None for one without a body. Raises InvalidRequest for one that is none."""
        body = None if request.body is None else json.dumps(request.body).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        connection = self._connection()
        try:
            connection.request(request.method, request.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise InvalidRequest(
                f"{self._url} does not answer ({error}). Start it with: reelwise serve"
            ) from error
        self._idle.append((monotonic(), connection))
        if answer.status >= 400:
            told = content.decode(errors="replace")
            raise InvalidRequest(
                f"{self._url}{request.path} answers {answer.status}, so it cannot be timed: {told}"
            )
        return json.loads(content) if content else None

    def _connection(self) -> HTTPConnection:
        """One that is open and idle, or else a new one."""
        with suppress(IndexError):  # another thread took the last
            used, connection = self._idle.pop()
            if monotonic() - used > IDLE_SECONDS:
                connection.close()  # it opens again when it is used
            return connection
        return HTTPConnection(self._host, self._port, timeout=TIMEOUT)
