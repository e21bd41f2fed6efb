"""The CDK app's output, made once by the command that `make synth` runs."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from tests.aws.assembly import Assembly

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """Each environment's templates."""
    if which("node") is None:
        pytest.skip("the CDK needs Node.js: apt-get install nodejs")
    folder = tmp_path_factory.mktemp("cdk")
    run_app(str(folder))
    return {path.name: Assembly(path) for path in folder.iterdir()}


def run_app(*arguments: str, **variables: str) -> None:
    """Run the CDK app as `make synth` or the CDK's command line does."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.app", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def prod(assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies["prod"]
