"""A Dockerfile as its stages, and what of an image is not files: environment, user, commands."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

DOCKERFILE = Path(__file__).with_name("Dockerfile")

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""That of the official images."""


@dataclass(frozen=True)
class Step:
    """One instruction; ``flags`` are what stands before its words, as ``--from=build``."""

    name: str
    text: str
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """Of the exec form, or of a plain line."""
        return json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)


@dataclass(frozen=True)
class Stage:
    """What stands between two ``FROM``."""

    name: str
    base: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Config:
    """What a container is started with."""

    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str = "root"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    health: tuple[str, ...] = ()

    def after(self, step: Step) -> "Config":
        """As an instruction leaves it; those that make files change nothing."""
        match step.name:
            case "ENV":
                text = Template(step.text).substitute(self.environment)
                told = dict(word.split("=", 1) for word in shlex.split(text))
                return replace(self, environment=self.environment | told)
            case "WORKDIR":
                return replace(self, folder=step.text)
            case "USER":
                return replace(self, user=step.text)
            case "ENTRYPOINT":
                return replace(self, entrypoint=tuple(step.words), command=())
            case "CMD":
                return replace(self, command=tuple(step.words))
            case "HEALTHCHECK":
                words = json.loads(step.text.removeprefix("CMD ")) if step.text != "NONE" else ()
                return replace(self, health=tuple(words))
            case _:
                return self


def read(path: Path = DOCKERFILE) -> dict[str, Stage]:
    """The stages by name, in order.

    Raises:
        ValueError: a stage has no name, or an instruction stands before the first one.
    """
    stages: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    current = ""
    for step in _steps(path.read_text(encoding="utf-8")):
        if step.name == "ARG":
            arguments |= dict([step.text.split("=", 1)])
        elif step.name == "FROM":
            base, _, current = Template(step.text).substitute(arguments).partition(" AS ")
            if not current:
                raise ValueError(f"{path}: name the stage: FROM {base} AS …")
            stages[current] = Stage(current, base)
        elif current in stages:
            stage = stages[current]
            stages[current] = replace(stage, steps=(*stage.steps, step))
        else:
            raise ValueError(f"{path}: {step.name} stands before FROM")
    return stages


def lineage(stages: dict[str, Stage], target: str) -> Sequence[Stage]:
    """The stages that a target is built on, the first one first, and itself."""
    stage = stages[target]
    return [*(lineage(stages, stage.base) if stage.base in stages else []), stage]


def config(stages: dict[str, Stage], target: str) -> Config:
    """What a target's containers are started with."""
    result = Config()
    for stage in lineage(stages, target):
        for step in stage.steps:
            result = result.after(step)
    return result


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for whole in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = whole.partition(" ")
        flags, words = {}, rest.strip()
        while words.startswith("--"):
            flag, _, words = words.partition(" ")
            key, _, value = flag.removeprefix("--").partition("=")
            flags[key], words = value, words.strip()
        yield Step(name, words, flags)
