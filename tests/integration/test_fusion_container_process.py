"""``reelwise-fusion serve`` as SageMaker runs it: a process, its environment and its signals."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from fusion.container.cli import load_model
from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.wire import WireFused, WireInput
from tests.fusion_container import container, free_port, holding

SERVE = ("-m", "fusion.container", "serve")


def test_the_model_folder_answers_as_it_does_in_process(models_folder: Path) -> None:
    encoder = load_model(models_folder)
    swipe = SwipedFilm("1", "Heat (1995)", np.ones(encoder.dim, np.float32), liked=True)
    asked = FusionInput("a heist gone wrong", (swipe,))
    with container(SERVE, SM_MODEL_DIR=str(models_folder)) as (url, _process):
        body = WireInput.of(asked).model_dump(mode="json")
        answer = WireFused.model_validate(httpx.post(f"{url}/invocations", json=body).json())
    assert answer.model_version == encoder.model_version
    np.testing.assert_array_equal(answer.vector, encoder.fuse(asked).vector)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "SM_MODEL_DIR",
            "/nonexistent",
            "Model file /nonexistent/embedding-fusion/fusion.json is missing.",
        ),
        ("SAGEMAKER_BIND_TO_PORT", "http", "SAGEMAKER_BIND_TO_PORT: Input should be a valid int"),
    ],
)
def test_what_does_not_do_ends_it_with_one_line(name: str, value: str, message: str) -> None:
    settings = {"HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(free_port()), name: value}
    ended = subprocess.run(
        [sys.executable, *SERVE],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"reelwise-fusion: {message}")


def test_sigterm_lets_what_was_asked_be_answered() -> None:
    with (
        holding() as (port, held),
        container(HOLD_PORT=port) as (url, process),
        ThreadPoolExecutor(1) as pool,
    ):
        flight = pool.submit(httpx.post, f"{url}/invocations", json={"query": "hold"})
        with held():
            process.send_signal(signal.SIGTERM)
        assert flight.result().status_code == 200
        assert process.wait(60) == 0
