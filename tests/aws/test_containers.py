"""The images: linted, and, where they were built, run as a container would run them."""

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from infra.containers.build import LAYERS
from infra.containers.dockerfile import DOCKERFILE, config, read
from infra.containers.run import Container
from infra.process_settings import (
    CERTIFICATES,
    CHALLENGER,
    CHAMPION,
    container,
    shipped_model_version,
)
from infra.stacks.foundation import IMAGES
from tests.aws.lambda_runtime import function, request
from tests.fusion_container import free_port
from tests.server import serving

ROOT = Path(__file__).parents[2]
CANARY = ROOT / "infra" / "canary" / "python" / "canary.py"
DATA = "/var/reelwise"
built = pytest.mark.skipif(
    not (LAYERS / "app").is_dir(), reason="the images were not built: make containers (as root)"
)


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = run([str(linter), str(DOCKERFILE)])
    assert done.returncode == 0, done.stdout


def test_there_is_a_target_for_each_repository() -> None:
    assert set(IMAGES) <= set(read())


@pytest.mark.parametrize("image", ["app", "lambda", "fusion"])
def test_nothing_that_serves_runs_as_root(image: str) -> None:
    assert config(read(), image).user == "10001"


def test_bases_are_pinned_to_a_patch_release() -> None:
    [base] = {stage.base for stage in read().values()} - set(read())
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base)


def test_the_authorities_of_rds_are_where_the_processes_look() -> None:
    [copied] = [
        step.words
        for step in read()["serving"].steps
        if step.name == "COPY" and "from" not in step.flags
    ]
    assert copied[1] == CERTIFICATES
    known = ssl.create_default_context(cafile=str(ROOT / copied[0])).get_ca_certs()
    names = str([each["subject"] for each in known])
    assert "Amazon RDS us-east-1 Root CA RSA2048 G1" in names
    assert "Amazon RDS eu-central-1 Root CA RSA2048 G1" in names


def test_a_stage_without_a_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    with pytest.raises(ValueError, match="name the stage"):
        read(tmp_path / "Dockerfile")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Container, str]]:
    """Serving chat and REST from its own embedded database, and its URL."""
    scratch = tmp_path_factory.mktemp("app")
    app = Container("app", scratch, emptied=("/tmp", DATA))  # noqa: S108
    with serving(app.main, scratch / "log", {"HOST": "127.0.0.1"}) as url:
        yield app, url


@built
class TestApp:
    def test_it_gets_ready_and_serves_the_chat(self, running: tuple[Container, str]) -> None:
        _, url = running
        assert httpx.get(f"{url}/readyz").json()["status"] == "ready"
        assert "Reelwise" in httpx.get(url).text

    def test_the_canary_walks_through_it(self, running: tuple[Container, str]) -> None:
        done = run([sys.executable, str(CANARY), running[1]])
        assert done.returncode == 0, done.stderr

    def test_its_health_check_knows_well_from_unwell(
        self, running: tuple[Container, str], tmp_path: Path
    ) -> None:
        _, url = running
        other = Container("app", tmp_path)  # network and all but the disk are shared
        well, unwell = (
            run(other.inside([word.replace(":8000", f":{port}") for word in other.config.health]))
            for port in (url.rpartition(":")[2], free_port())
        )
        assert well.returncode == 0, well.stderr
        assert unwell.returncode == 1

    def test_it_runs_as_nobody_and_cannot_write(self, tmp_path: Path) -> None:
        script = "import os; print(os.getuid()); open('/opt/reelwise/x', 'w')"
        done = run(Container("app", tmp_path).inside(["python", "-c", script]))
        assert done.stdout.strip() == "10001"
        assert "Read-only file system" in done.stderr


@built
def test_lambda_answers_an_event(tmp_path: Path) -> None:
    told = {"REELWISE_HOME": "/tmp/home"}  # noqa: S108 - the only folder that Lambda gives
    with function(Container("lambda", tmp_path).main, told, tmp_path / "log") as running:
        answer = running.invoke(request("POST", "/search", {"user_id": "ada", "query": "heist"}))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["items"]


@built
@pytest.mark.parametrize("model", [CHAMPION, CHALLENGER])
def test_sagemaker_serves_the_models_of_the_image(tmp_path: Path, model: str) -> None:
    def serve(told: Mapping[str, str]) -> Sequence[str]:
        return Container("fusion", tmp_path).main(told, ["serve"])

    told = {**container(model), "HOST": "127.0.0.1"}
    told.pop("SAGEMAKER_BIND_TO_PORT")
    with serving(serve, tmp_path / "log", told, "SAGEMAKER_BIND_TO_PORT", "/ping") as url:
        answer = httpx.post(f"{url}/invocations", json={"query": "a slow western"})
    assert answer.json()["model_version"] == shipped_model_version(model)


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
