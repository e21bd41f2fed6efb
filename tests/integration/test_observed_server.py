"""``reelwise serve`` as AWS runs it: metrics on standard output, a JSON log, traces sent away."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import new_database
from tests.emf import conforms

READY = re.compile(r"Reelwise is ready: chat at (http://\S+)/ ,")


class Collector(ThreadingHTTPServer):
    """Receives traces by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.received: list[ExportTraceServiceRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> dict[str, set[str]]:
        """The names of spans by the service that sent them."""
        found: dict[str, set[str]] = {}
        for request in self.received:
            for resource in request.resource_spans:
                service = next(
                    each.value.string_value
                    for each in resource.resource.attributes
                    if each.key == "service.name"
                )
                names = (span.name for scope in resource.scope_spans for span in scope.spans)
                found.setdefault(service, set()).update(names)
        return found


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted to /v1/traces."""

    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        self.server.received.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_it_tells_aws_how_it_is_doing(
    tmp_path: Path, postgres_url: str, indexed_template: str, collector: Collector
) -> None:
    told = tmp_path / "stdout"
    with new_database(postgres_url, indexed_template) as url, told.open("w") as stdout:
        settings = {
            "DATABASE_URL": url,
            "REELWISE_HOME": str(tmp_path / "home"),
            "PORT": "0",
            "METRICS": "emf",
            "METRICS_NAMESPACE": "Reelwise/test",
            "METRICS_SECONDS": "3600",
            "LOG_FORMAT": "json",
            "TRACES": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", "serve"],
            env=os.environ | settings,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr
            ready = next(filter(None, map(READY.match, process.stderr)), None)
            assert ready, "it ended before it was ready"
            body = {"user_id": "ada", "query": "a wombat in space"}
            httpx.post(f"{ready[1]}/search", json=body).raise_for_status()
            process.send_signal(signal.SIGTERM)
            log = process.stderr.read()
    documents = [conforms(line) for line in told.read_text().splitlines()]
    (search,) = (each for each in documents if "reelwise_search_seconds" in each)
    assert (search["strategy"], search["cached"]) == ("generic", "false")
    assert search["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Reelwise/test"
    lines = [json.loads(line) for line in log.splitlines()]
    (answered,) = (line for line in lines if line["message"].startswith("POST /search 200"))
    assert answered["trace_id"]
    assert {"POST /search", "Recommender.search", "fuse"} <= collector.spans()["reelwise"]
    assert "wombat" not in log + told.read_text() + str(collector.received)
