"""The container's command: ``reelwise-fusion serve``, as SageMaker runs an image."""

import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Literal

import typer
import uvicorn
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fusion.container.app import create_app
from fusion.errors import FusionError
from fusion.fusion_encoder import FusionEncoder, FusionInput
from fusion.onnx_fusion import load_fusion

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

USAGE_ERROR = 2
GRACE_SECONDS = 20  # SageMaker kills 30 s after SIGTERM


FusionName = Literal["embedding-fusion", "token-fusion"]


class ContainerSettings(BaseSettings):
    """SageMaker's environment variables, of the same names in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    host: str = "0.0.0.0"  # noqa: S104 - SageMaker calls from outside the container
    sagemaker_bind_to_port: int = Field(default=8080, ge=0, le=65535)
    sagemaker_max_payload_in_mb: int = Field(
        default=6, ge=1, description="the real-time limit; batch transform sets its own"
    )
    sm_model_dir: Path = Path("/opt/ml/model")
    fusion_model: FusionName = "embedding-fusion"


@app.callback()
def _commands() -> None:
    """Serve a fusion encoder in a SageMaker container."""


@app.command()
def serve() -> None:
    """Answer /ping and /invocations with the model of SM_MODEL_DIR."""
    run(load_model)


def load_model(folder: Path) -> FusionEncoder:
    """The encoder in a folder that training wrote. Raises EncoderUnavailable for a bad file."""
    return load_fusion(folder / ContainerSettings().fusion_model)


def run(load: Callable[[Path], FusionEncoder]) -> None:
    """Serve the encoder that ``load`` makes of the model folder, until SIGTERM.

    Raises:
        SystemExit: with code 0 after SIGTERM, with code 2 when a setting or the model does not do.
    """
    # uvicorn raises the signal again once it has shut down: leave then with code 0.
    signal.signal(signal.SIGTERM, _leave)
    settings = _settings()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(_warm, load, settings.sm_model_dir)
        server = _server(settings, loading)
        loading.add_done_callback(lambda done: _loaded(server, done))
        server.run()
    try:
        loading.result()
    except FusionError as error:
        raise _refusal(str(error)) from error


def _settings() -> ContainerSettings:
    try:
        return ContainerSettings()
    except ValidationError as error:
        first = error.errors()[0]
        raise _refusal(f"{str(first['loc'][0]).upper()}: {first['msg']}") from error


def _refusal(message: str) -> SystemExit:
    typer.echo(f"reelwise-fusion: {message}", err=True)
    return SystemExit(USAGE_ERROR)


def _server(settings: ContainerSettings, loading: Future[FusionEncoder]) -> uvicorn.Server:
    config = uvicorn.Config(
        create_app(loading, settings.sagemaker_max_payload_in_mb * 2**20),
        host=settings.host,
        port=settings.sagemaker_bind_to_port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return uvicorn.Server(config)


def _warm(load: Callable[[Path], FusionEncoder], folder: Path) -> FusionEncoder:
    """Load and fuse once: memory is taken now, and a model that cannot fuse is never served."""
    encoder = load(folder)
    encoder.fuse(FusionInput())
    return encoder


def _loaded(server: uvicorn.Server, done: Future[FusionEncoder]) -> None:
    if done.exception() is None:
        typer.echo(f"reelwise-fusion: {done.result().model_version} is loaded", err=True)
    else:
        server.should_exit = True


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
