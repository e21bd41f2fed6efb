"""``python -m tests.fuzzing TARGET --seconds N``: libFuzzer on one target; it ends at a fault."""

import sys
from pathlib import Path
from typing import Annotated

import atheris
import typer

with atheris.instrument_imports(include=["assistant.api", "recommender"]):
    from tests.fuzzing.targets import TARGETS

from tests.fuzzing.seeds import seeds


def main(
    target: Annotated[str, typer.Argument(help=f"One of {', '.join(TARGETS)}.")],
    seconds: Annotated[int, typer.Option(min=1, help="How long.")] = 300,
    corpus: Annotated[
        Path, typer.Option(help="A folder for inputs that reach new code, kept for the next time.")
    ] = Path(".fuzzing"),
) -> None:
    """Feed a parser until time is over. What broke it is written beside the corpus."""
    if target not in TARGETS:
        raise typer.BadParameter(f"There is no target {target!r}: take {', '.join(TARGETS)}.")
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (folder / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={corpus}/{target}-", "-timeout=10"]
    atheris.Setup([sys.argv[0], *options, str(folder)], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    typer.run(main)
