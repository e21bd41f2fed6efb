"""``reelwise-job`` as SageMaker runs it: its folders in, its folders out, and why a job failed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from typer.testing import CliRunner, Result

from assistant.sagemaker_job import Hyperparameters, _hyperparameters, app
from fusion.encoder import TextEncoder
from fusion.fake import HashingEncoder
from recommender.features import EMBEDDINGS, ITEMS, SURVEY, write_features
from recommender.indexer import STARTER_VECTORS, fingerprint, read_vectors
from recommender.models import Item
from recommender.tables import read_embeddings, write_embeddings, write_items
from recommender.text import embedding_text

FILMS = 30


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """SageMaker's folder."""
    for folder in ("input/config", "input/data/train", "processing/input"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def job(base: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [words[0], "--base", str(base), *words[1:]])


def lines(items: list[Item]) -> str:
    return "\n".join(item.model_dump_json() for item in items)


class TestProcessing:
    @pytest.fixture(params=["lines", "table"])
    def films(
        self,
        request: pytest.FixtureRequest,
        base: Path,
        starter_items: list[Item],
        encoder: TextEncoder,
        tmp_path: Path,
    ) -> list[Item]:
        """Films in the input folder, in either form."""
        few, folder = starter_items[:FILMS], base / "processing" / "input"
        if request.param == "lines":
            (folder / "films.jsonl").write_text(lines(few), encoding="utf-8")
        else:
            write_features(str(tmp_path / "x"), few, encoder, read_vectors(STARTER_VECTORS), 5)
            (tmp_path / "x" / "features" / ITEMS).rename(folder / ITEMS)
        return few

    def test_films_are_embedded(self, base: Path, films: list[Item], encoder: TextEncoder) -> None:
        done = job(base, "embed-items")
        assert done.exit_code == 0, done.output
        assert done.stdout == f"Embedded {FILMS} of {FILMS} films with {encoder.model_version}.\n"
        path = base / "processing" / "output" / EMBEDDINGS
        made = read_embeddings(path, encoder)
        assert pq.read_table(path)["item_id"].to_pylist() == [film.item_id for film in films]
        for film in films:
            [vector] = encoder.encode([embedding_text(film)])
            np.testing.assert_allclose(
                made[fingerprint(film, encoder.model_version)], vector, atol=1e-6
            )

    def test_only_films_that_changed_are_embedded_again(
        self, base: Path, films: list[Item], encoder: TextEncoder
    ) -> None:
        folder = base / "processing"
        vectors = np.full((FILMS, encoder.dim), 0.5, dtype=np.float32)
        vectors[3] = encoder.encode([embedding_text(films[3])])[0]
        changed = [films[0].model_copy(update={"overview": "another"}), *films[1:]]
        files = LocalFileSystem()
        write_embeddings(files, str(folder / "input" / EMBEDDINGS), films, vectors, encoder)
        write_items(files, str(folder / "input" / ITEMS), changed)
        done = job(base, "embed-items")
        assert done.stdout.startswith(f"Embedded 1 of {FILMS} films"), done.output
        made = read_embeddings(folder / "output" / EMBEDDINGS, encoder)
        for number, film in enumerate(changed):
            [wanted] = encoder.encode([embedding_text(film)]) if number == 0 else [vectors[number]]
            vector = made[fingerprint(film, encoder.model_version)]
            np.testing.assert_allclose(vector, wanted, atol=1e-6)

    def test_vectors_of_another_model_are_not_taken(self, base: Path, films: list[Item]) -> None:
        other = HashingEncoder()
        path = base / "processing" / "input" / EMBEDDINGS
        vectors = other.encode([embedding_text(film) for film in films])
        write_embeddings(LocalFileSystem(), str(path), films, vectors, other)
        assert job(base, "embed-items").stdout.startswith(f"Embedded {FILMS} of {FILMS} films")

    def test_a_survey_is_curated(self, base: Path, films: list[Item]) -> None:
        done = job(base, "curate-survey", "--size", "12", "--seed", "3")
        assert done.exit_code == 0, done.output
        written = (base / "processing" / "output" / SURVEY).read_text(encoding="utf-8")
        ids = [movie["item_id"] for movie in json.loads(written)["movies"]]
        assert len(set(ids)) == 12
        assert set(ids) < {film.item_id for film in films}
        job(base, "curate-survey", "--size", "12", "--seed", "3")
        assert (base / "processing" / "output" / SURVEY).read_text(encoding="utf-8") == written

    @pytest.mark.parametrize("command", ["embed-items", "curate-survey"])
    def test_why_it_failed_is_left_for_sagemaker(self, base: Path, command: str) -> None:
        done = job(base, command)
        assert done.exit_code == 2
        told = (base / "output" / "message").read_text(encoding="utf-8")
        assert told == (f"reelwise: {base}/processing/input holds 0 files *.jsonl. Give it one.")
        assert told in done.stderr

    def test_a_damaged_input_is_named(self, base: Path) -> None:
        (base / "processing" / "input" / ITEMS).write_bytes(b"PAR1")
        assert job(base, "embed-items").exit_code == 2
        assert "items.parquet is damaged" in (base / "output" / "message").read_text()

    def test_a_crash_is_told_too(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("assistant.sagemaker_job.read_items", lambda path: 1 / 0)  # noqa: ARG005
        (base / "processing" / "input" / "films.jsonl").write_text("")
        done = job(base, "embed-items")
        assert isinstance(done.exception, ZeroDivisionError)
        told = (base / "output" / "message").read_text(encoding="utf-8")
        assert told == "ZeroDivisionError: division by zero"


class TestTraining:
    """What comes before training; ``tests/training`` trains."""

    def hyperparameters(self, base: Path, **given: str) -> Hyperparameters:
        path = base / "input" / "config" / "hyperparameters.json"
        path.write_text(json.dumps(given))
        return _hyperparameters(path)

    def test_hyperparameters_are_text(self, base: Path) -> None:
        given = {"steps": "30", "only": '"embedding"', "hold-out": "true"}
        assert self.hyperparameters(base, **given) == Hyperparameters(
            steps=30, only="embedding", hold_out=True
        )

    def test_there_may_be_none(self, base: Path) -> None:
        assert _hyperparameters(base / "none.json") == Hyperparameters()

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("steps", "many", "steps: Input should be a valid integer"),
            ("steps", "0", "steps: Input should be greater than or equal to 1"),
            ("epochs", "3", "epochs: Extra inputs are not permitted"),
            ("only", "third", "only: Input should be 'embedding' or 'token'"),
        ],
    )
    def test_a_wrong_one_is_told(self, base: Path, name: str, value: str, said: str) -> None:
        (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps({name: value}))
        assert job(base, "train").exit_code == 2
        assert said in (base / "output" / "failure").read_text(encoding="utf-8")

    def test_a_channel_of_two_catalogues_is_told(self, base: Path) -> None:
        folder = base / "input" / "data" / "catalogue"
        folder.mkdir()
        for name in "ab":
            (folder / f"{name}.jsonl").write_text("")
        assert job(base, "train").exit_code == 2
        assert "holds 2 files *.jsonl" in (base / "output" / "failure").read_text()

    @pytest.mark.skipif(find_spec("torch") is not None, reason="what trains is here")
    def test_an_image_without_what_trains_is_told(self, base: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "assistant.sagemaker_job", "train", "--base", str(base)],
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        told = (base / "output" / "failure").read_text(encoding="utf-8")
        assert "Packages are missing:" in told
        assert told in done.stderr
