"""The canary walks through a real server, and says at which step something is wrong."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import boto3
import httpx
import pytest
from moto import mock_aws

from tests.fusion_container import aws_environment, free_port
from tests.server import installed, serving

SCRIPT = Path(__file__).parents[2] / "infra" / "canary" / "python" / "canary.py"
STEPS = ["survey", "swipe", "search", "explain", "forget"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, indexed_url: str) -> Iterator[str]:
    """The real server over the starter catalogue."""
    home = tmp_path_factory.mktemp("home")
    variables = {"REELWISE_HOME": str(home), "DATABASE_URL": indexed_url}
    with serving(installed, home / "server.log", variables) as url:
        yield url


def walk(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


def test_it_goes_all_the_way_and_says_how_long_each_step_took(server: str) -> None:
    done = walk(server)
    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [step["step"] for step in steps] == STEPS
    assert all(step["milliseconds"] >= 0 for step in steps)


def test_a_server_that_is_not_there_fails_at_the_first_step() -> None:
    done = walk(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert done.stderr.startswith("canary: POST /survey/start was not answered")


def test_a_wrong_answer_fails_with_its_status(server: str) -> None:
    done = walk(f"{server}/nowhere")
    assert done.returncode == 1
    assert "POST /survey/start was answered 404" in done.stderr


def test_on_aws_it_signs_in_as_its_client_and_leaves_nothing_behind(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = {"client_id": "the-canary", "client_secret": "secret"}
    with aws_environment(), mock_aws(), user_pool() as (pool, asked):
        secret = boto3.client("secretsmanager").create_secret(
            Name="canary", SecretString=json.dumps(client)
        )
        for name, value in {
            "API_URL": server,
            "CHAT_URL": server,
            "SIGN_IN_URL": pool,
            "CLIENT_SECRET": secret["ARN"],
        }.items():
            monkeypatch.setenv(name, value)
        assert _module().handler({}, None) == "walked"
    assert asked == ["Basic dGhlLWNhbmFyeTpzZWNyZXQ="]
    steps = [json.loads(line)["step"] for line in capsys.readouterr().out.splitlines()]
    assert steps == STEPS
    assert httpx.get(f"{server}/user/the-canary/profile").json()["swipe_count"] == 0


@contextmanager
def user_pool() -> Iterator[tuple[str, list[str]]]:
    """A token endpoint, and the Authorization headers that it was asked with."""
    asked: list[str] = []

    class Tokens(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"access_token": "token"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Tokens)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def _module() -> ModuleType:
    """The script as Synthetics imports it: from its own folder, of no package."""
    spec = importlib.util.spec_from_file_location("canary", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
