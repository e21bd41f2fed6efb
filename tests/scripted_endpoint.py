"""An HTTP server in a thread that answers what a test scripts, as SageMaker's runtime would."""

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Act = Callable[["Handler"], None]
PATIENT = 60.0


class Handler(BaseHTTPRequestHandler):
    """One connection; each request is answered by the next act of the script."""

    server: "ScriptedEndpoint"

    def do_GET(self) -> None:
        self.do_POST()

    def do_HEAD(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests.append(self)
        self.server.next_act()(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class ScriptedEndpoint(ThreadingHTTPServer):
    """Answers with ``script`` and then, for ever, with its last act."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: deque[Act] = deque()
        self.requests: list[Handler] = []
        self.released = threading.Event()
        self._turn = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_act(self) -> Act:
        with self._turn:
            return self.script.popleft() if len(self.script) > 1 else self.script[0]


@contextmanager
def scripted_endpoint() -> Iterator[ScriptedEndpoint]:
    """A running server; what still hangs is released on exit."""
    with ScriptedEndpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def reply(status: int, body: bytes, content_type: str = "application/json") -> Act:
    def act(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def aws_error(status: int, code: str, **details: object) -> Act:
    """An error as AWS's JSON services write it."""
    return reply(status, json.dumps({"__type": code, "message": code, **details}).encode())


def quote_request(status: int) -> Act:
    """An error that quotes the request, as SageMaker quotes what a container answers."""
    return lambda handler: aws_error(status, "ModelError", message=handler.body.decode())(handler)


def break_off(handler: Handler) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"model_version"')


def reset(handler: Handler) -> None:
    """Close with RST, as a killed process's kernel does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hang(handler: Handler) -> None:
    """Answer nothing until the test is over."""
    handler.server.released.wait(PATIENT)


def hang_in_body(handler: Handler) -> None:
    """Answer half, and then nothing until the test is over."""
    break_off(handler)
    handler.wfile.flush()
    hang(handler)


def act_of(request: pytest.FixtureRequest) -> Act | None:
    """The act that the test is parametrised with, if it is."""
    given = getattr(request.node, "callspec", None)
    return given.params.get("act") if given else None


def patience(act: Act | None, little: float) -> float:
    """How many seconds a client is to wait: ``little`` only where there is nothing to come."""
    return little if act in (hang, hang_in_body) else PATIENT
