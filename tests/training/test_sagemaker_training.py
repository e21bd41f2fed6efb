"""A SageMaker training job: taken away, started again elsewhere, and its model served."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from fusion.fusion_encoder import FusionInput
from fusion.onnx_fusion import load_fusion
from fusion.sagemaker_encoder import SageMakerFusionEncoder
from tests.fusion_container import aws_environment, container
from tests.training.test_own_swipes import write_swipes

STEPS = 30


def prepare(base: Path, swipes: Path, catalogue: Path, source: Path) -> Path:
    """SageMaker's folder, as it is when a container starts."""
    channels = base / "input" / "data"
    for channel, content in {"train": swipes, "catalogue": catalogue}.items():
        (channels / channel).mkdir(parents=True)
        shutil.copy(content, channels / channel)
    shutil.copytree(source, channels / "source")
    config = base / "input" / "config"
    config.mkdir()
    given = {"steps": f"{STEPS}", "only": '"embedding"', "threads": "1"}
    (config / "hyperparameters.json").write_text(json.dumps(given))
    return base


def run(base: Path, interrupt: bool) -> tuple[int, str]:
    """The exit code, and what was said. A spot instance is taken away with a SIGTERM."""
    with subprocess.Popen(
        [sys.executable, "-m", "assistant.sagemaker_job", "train", "--base", str(base)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if interrupt and f"step 0 of {STEPS}" in line:
                process.send_signal(signal.SIGTERM)
    return process.returncode, said


def test_a_spot_instance_that_is_taken_away_costs_nothing_but_time(
    source: Path, tmp_path: Path
) -> None:
    swipes, catalogue = write_swipes(tmp_path)
    first = prepare(tmp_path / "first", swipes, catalogue, source)
    code, said = run(first, interrupt=True)
    assert code == 128 + signal.SIGTERM, said
    assert not (first / "output" / "failure").exists()

    second = prepare(tmp_path / "second", swipes, catalogue, source)
    shutil.copytree(first / "checkpoints", second / "checkpoints")
    code, said = run(second, interrupt=False)
    assert code in (0, 1), said  # 1: random weights may not survive int8
    assert (second / "output" / "failure").exists() == (code == 1)
    assert f"step 0 of {STEPS}" not in said

    encoder, asked = load_fusion(second / "model" / "embedding-fusion"), FusionInput("a heist")
    serve = ("-m", "fusion.container", "serve")
    with aws_environment(), container(serve, SM_MODEL_DIR=str(second / "model")) as (url, _):
        client = SageMakerFusionEncoder("fusion", encoder.model_version, url=url, timeout=30)
        answer = client.fuse(asked)
    assert answer.vector.tobytes() == encoder.fuse(asked).vector.tobytes()
