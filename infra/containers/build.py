"""The images without a Docker engine: ``python -m infra.containers.build app fusion``.

Runs the steps of the Dockerfile as root on Linux and leaves the layers in ``.containers/``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.containers.dockerfile import Config, Stage, Step, config, lineage, read
from infra.containers.sandbox import Sandbox, base_layer

REPOSITORY = Path(__file__).parents[2]
LAYERS = REPOSITORY / ".containers"
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")
PIP_CACHE = Path.home() / ".cache" / "pip"


class Builder:
    """Builds stages, each once, into folders of their names below ``layers``."""

    def __init__(self, layers: Path = LAYERS, context: Path = REPOSITORY) -> None:
        self._stages = read()
        self._layers = layers
        self._context = context
        self._built: set[str] = set()

    def build(self, target: str) -> None:
        """Run the steps of a target, and first of the stages that it stands on or copies from.

        Raises:
            subprocess.CalledProcessError: a RUN step failed; its output was printed.
        """
        for stage in lineage(self._stages, target):
            for step in stage.steps:
                if (other := step.flags.get("from")) is not None:
                    self.build(other)
            if stage.name not in self._built:
                self._run(stage)
                self._built.add(stage.name)

    def _run(self, stage: Stage) -> None:
        layer = self._layers / stage.name
        shutil.rmtree(layer, ignore_errors=True)
        layer.mkdir(parents=True)
        base = lineage(self._stages, stage.name)[:-1]
        told = config(self._stages, base[-1].name) if base else Config()
        for step in stage.steps:
            told = told.after(step)
            match step.name:
                case "RUN":
                    self._execute(stage, step, told)
                case "COPY":
                    self._copy(layer, step, told)
                case "WORKDIR":
                    _within(layer, told.folder).mkdir(parents=True, exist_ok=True)

    def _execute(self, stage: Stage, step: Step, told: Config) -> None:
        PIP_CACHE.mkdir(parents=True, exist_ok=True)
        cached = "type=cache" in step.flags.get("mount", "")
        box = Sandbox(
            layers(self._layers, stage.name),
            self._layers / f"{stage.name}.root",
            bound={"/root/.cache/pip": PIP_CACHE} if cached else {},
        )
        shell = ["/bin/sh", "-c", step.text]
        environment = {"HOME": "/root", **told.environment}
        command = box.command(shell, environment, told.folder, told.user)
        subprocess.run(command, check=True)  # noqa: S603 - the Dockerfile's own steps

    def _copy(self, layer: Path, step: Step, told: Config) -> None:
        other = step.flags.get("from")
        *sources, place = step.words
        target = _within(layer, place if place.startswith("/") else f"{told.folder}/{place}")
        root = self._layers / other if other else self._context
        for found in (each for source in sources for each in sorted(root.glob(source.lstrip("/")))):
            if found.is_dir():
                shutil.copytree(found, target, symlinks=True, ignore=IGNORED, dirs_exist_ok=True)
            else:
                into = target / found.name if place.endswith("/") else target
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, into)


def layers(folder: Path, target: str) -> Sequence[Path]:
    """The layers of a target that was built, the lowest first."""
    stages = lineage(read(), target)
    return [base_layer(folder / "base"), *(folder / stage.name for stage in stages)]


def _within(layer: Path, place: str) -> Path:
    return layer / place.lstrip("/")


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("Building needs root, to mount and to change users; with Docker it does not.")
    builder = Builder()
    for name in sys.argv[1:]:
        builder.build(name)
