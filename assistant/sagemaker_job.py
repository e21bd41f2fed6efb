"""``reelwise-job``: what a SageMaker job's container runs, with SageMaker's folders for options.

A training job runs ``train``; Processing jobs run ``embed-items`` and ``curate-survey`` as their
entry point. Why a job failed is left where SageMaker reads it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import typer
from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, ConfigDict, Field

from assistant.commands.train import Kind
from assistant.commands.train import train as train_models
from assistant.composition import load_encoder
from assistant.refusal import mendable, need
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.indexer import embedded, fingerprint, read_items
from recommender.models import Item
from recommender.stores.ports import Vector

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

OPT_ML = Path("/opt/ml")
MOST_TOLD = 1024
"""Characters of a reason that SageMaker shows."""
SIGNALLED = 128
"""Exit codes from here on mean that the job was stopped, and will go on."""
Base = Annotated[Path, typer.Option(help="SageMaker's folder.")]


class Hyperparameters(BaseModel):
    """What a training job may set."""

    model_config = ConfigDict(extra="forbid")

    only: Kind | None = None
    steps: int | None = Field(default=None, ge=1)
    seed: int = 0
    threads: int | None = Field(default=None, ge=1)
    hold_out: bool = False


@app.command()
def train(base: Base = OPT_ML) -> None:
    """Train the fusion models from the channel ``train`` (swipes, or a MovieLens folder).

    The channels ``catalogue`` (films, a .jsonl file) and ``source`` (a sentence transformer) stand
    in for what is installed. What a spot instance left in ``checkpoints`` is gone on with.
    """
    channels = base / "input" / "data"
    with _told(base / "output" / "failure"), mendable():
        asked = _hyperparameters(base / "input" / "config" / "hyperparameters.json")
        given = {"source": channels / "source"} if (channels / "source").is_dir() else {}
        if (channels / "catalogue").is_dir():
            given["catalogue"] = _only(channels / "catalogue", "*.jsonl")
        train_models(
            data=channels / "train",
            out=base / "model",
            checkpoints=base / "checkpoints",
            **given,  # type: ignore[arg-type]
            **asked.model_dump(),
        )


@app.command()
def embed_items(base: Base = OPT_ML) -> None:
    """Embed the films of the input, and write item_embeddings.parquet.

    Those whose vectors are in such a file of the input, made by the same model, are taken from it.
    """
    with _processing(base) as (items, output):
        from recommender.features import EMBEDDINGS
        from recommender.tables import write_embeddings

        encoder = load_encoder(Settings())
        known = _known(base / "processing" / "input" / EMBEDDINGS, encoder)
        vectors = np.array(embedded(items, encoder, known), dtype=np.float32)
        path = str(output / EMBEDDINGS)
        write_embeddings(LocalFileSystem(), path, items, vectors, encoder)
        new = sum(fingerprint(item, encoder.model_version) not in known for item in items)
        typer.echo(f"Embedded {new:,} of {len(items):,} films with {encoder.model_version}.")


@app.command()
def curate_survey(
    base: Base = OPT_ML,
    size: Annotated[int, typer.Option(min=1, help="How many films.")] = 600,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
) -> None:
    """Choose films that surveys ask about first, and write survey_movies.json."""
    with _processing(base) as (items, output):
        from recommender.features import SURVEY, write_survey

        write_survey(LocalFileSystem(), str(output / SURVEY), items, size, seed)
        typer.echo(f"Chose {min(size, len(items)):,} of {len(items):,} films.")


def _known(path: Path, encoder: TextEncoder) -> Mapping[str, Vector]:
    """The vectors of a run before, by fingerprint; those of another model are none."""
    from recommender.tables import read_embeddings

    try:
        return read_embeddings(path, encoder)
    except InvalidRequest:  # nothing is there, or of another encoder: it is written anew
        return {}


def _hyperparameters(path: Path) -> Hyperparameters:
    """All of them are text, which SageMaker's SDK writes as JSON: with further quotes."""
    given: Mapping[str, str] = json.loads(path.read_bytes()) if path.exists() else {}
    named = {name.replace("-", "_"): value.strip('"') for name, value in given.items()}
    return Hyperparameters.model_validate(named)


@contextmanager
def _processing(base: Path) -> Iterator[tuple[list[Item], Path]]:
    """The films of the input, and the folder for the output."""
    folder, output = base / "processing" / "input", base / "processing" / "output"
    with _told(base / "output" / "message"), mendable():
        need("features", "pyarrow")
        from recommender.features import ITEMS
        from recommender.tables import read_items_table

        table = folder / ITEMS
        items = read_items_table(table) if table.exists() else read_items(_only(folder, "*.jsonl"))
        output.mkdir(parents=True, exist_ok=True)
        yield items, output


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise InvalidRequest(f"{folder} holds {len(found)} files {pattern}. Give it one.")
    return found[0]


class _Tee:
    """Writes on, and keeps what was last said."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.said = ""

    def write(self, text: str) -> int:
        self.said = (self.said + text)[-4 * MOST_TOLD :]
        return self._out.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._out, name)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Leave the reason of a failure in a file."""
    tee = _Tee(sys.stderr)
    sys.stderr = tee
    try:
        yield
    except typer.Exit as leaving:
        if 0 < leaving.exit_code < SIGNALLED:
            _leave(path, tee.said.strip().rpartition("\n")[2])
        raise
    except Exception as error:
        _leave(path, f"{type(error).__name__}: {error}")
        raise
    finally:
        sys.stderr = tee._out


def _leave(path: Path, reason: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reason[:MOST_TOLD], encoding="utf-8")


if __name__ == "__main__":
    app()
