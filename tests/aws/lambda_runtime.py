"""Lambda as a function sees it: the Runtime API that hands out events and takes answers."""

import json
import os
import queue
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.server import Start, end

ROOT = Path(__file__).parents[2]
VERSION = "/2018-06-01/runtime"
SECONDS = 120
Event = dict[str, Any]


class Function:
    """A function whose process asks this for events."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def invoke(self, event: Event) -> Any:  # noqa: ANN401 - what the function returns
        """What the function answers; an AssertionError tells of its failure."""
        self._events.put(event)
        kind, answer = self._answers.get(timeout=SECONDS)
        assert kind == "response", answer
        return answer

    def failed_to_start(self) -> Any:  # noqa: ANN401
        """What a function said that could not be loaded."""
        kind, answer = self._answers.get(timeout=SECONDS)
        assert kind == "init/error"
        return answer

    def next_event(self) -> Event | None:
        return self._events.get()

    def answered(self, kind: str, content: bytes) -> None:
        self._answers.put((kind, json.loads(content)))

    def end(self) -> None:
        self._events.put(None)


def request(method: str, path: str, body: object = None, query: str = "") -> Event:
    """An event of an HTTP API, payload version 2.0, as API Gateway writes it."""
    return {
        "version": "2.0",
        "routeKey": "ANY /{proxy+}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "host": "api.reelwise.example"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.reelwise.example",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "request",
            "routeKey": "ANY /{proxy+}",
            "stage": "$default",
            "timeEpoch": 1700000000000,
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@contextmanager
def function(start: Start, variables: Mapping[str, str], log: Path) -> Iterator[Function]:
    """The function that a runtime client, which ``start`` starts, runs; it writes to ``log``."""
    running = Function(log)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _runtime_api(running))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    api = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"}
    lambda_ = {"AWS_LAMBDA_FUNCTION_NAME": "rest", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}
    told = lambda_ | api | dict(variables)
    output = log.open("wb")
    process = subprocess.Popen(
        start(told),
        env=os.environ | told,
        cwd=ROOT,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        end(process)
        process.wait()
        output.close()
        running.end()
        server.shutdown()
        thread.join()
        server.server_close()


def _runtime_api(running: Function) -> type[BaseHTTPRequestHandler]:
    class RuntimeApi(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            event = running.next_event()
            if event is None:
                return
            content = json.dumps(event).encode()
            self.send_response(200)
            for name, value in {
                "Lambda-Runtime-Aws-Request-Id": "invocation",
                "Lambda-Runtime-Deadline-Ms": "9999999999999",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:x:1:function:rest:live",
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.path.removeprefix(f"{VERSION}/").removeprefix("invocation/invocation/")
            running.answered(kind, content)
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return RuntimeApi
