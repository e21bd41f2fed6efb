"""A catalogue as tables, on this machine and in S3, by command and setting."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from fusion.encoder import TextEncoder
from recommender import features, tables
from recommender.features import EMBEDDINGS, FEATURES, ITEMS, SURVEY, read_features, write_features
from recommender.indexer import STARTER_VECTORS, fingerprint, read_vectors
from recommender.models import Item
from recommender.remote_files import local_copy
from recommender.text import embedding_text
from tests.s3 import closed_to_strangers, new_bucket

pytestmark = pytest.mark.usefixtures("empty_installation")

FILMS = 40


@pytest.fixture
def few(starter_items: list[Item], tmp_path: Path) -> Path:
    """A small catalogue."""
    path = tmp_path / "few.jsonl"
    lines = [item.model_dump_json() for item in starter_items[:FILMS]]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def written(few: Path, encoder: TextEncoder, starter_items: list[Item], tmp_path: Path) -> Path:
    """Tables of the small catalogue."""
    del few
    vectors = read_vectors(STARTER_VECTORS)
    write_features(str(tmp_path / "tables"), starter_items[:FILMS], encoder, vectors, 12)
    return tmp_path / "tables" / FEATURES


def reelwise(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refused(done: Result) -> str:
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("reelwise: ")
    return line


def test_the_tables_are_served_in_place_of_the_starter(
    place: str, few: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALOGUE", str(few))
    done = reelwise("features", "--out", place)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"Wrote {FILMS} films. Serve them with: CATALOGUE={place}\n"
    monkeypatch.setenv("CATALOGUE", place)
    done = reelwise("index")
    assert done.stdout == f"{FILMS} films are indexed.\n", done.output
    assert reelwise("search", "dinosaurs in a park", "-k", "1").stdout.startswith("1. Jurassic")


def test_the_tables_hold_what_they_were_made_of(
    place: str, starter_items: list[Item], encoder: TextEncoder, tmp_path: Path
) -> None:
    known = read_vectors(STARTER_VECTORS)
    write_features(place, starter_items, encoder, known)
    read = read_features(local_copy(f"{place}/{FEATURES}", tmp_path / "cache"), encoder)
    assert list(read.items) == starter_items
    for item in starter_items:
        print_ = fingerprint(item, encoder.model_version)
        np.testing.assert_array_equal(read.vectors[print_], known[print_])
    assert len(set(read.survey)) == len(read.survey) == features.SURVEY_SIZE


def test_posters_are_kept_and_tables_from_before_them_are_read(
    starter_items: list[Item], encoder: TextEncoder, tmp_path: Path
) -> None:
    film, other = starter_items[:2]
    film = film.model_copy(update={"poster": "https://pictures.test/1.jpg"})
    write_features(str(tmp_path), [film, other], encoder, {}, 2)
    read = read_features(tmp_path / FEATURES, encoder)
    assert list(read.items) == [film, other]
    survey = json.loads((tmp_path / FEATURES / SURVEY).read_text())["movies"]
    assert {movie["poster"] for movie in survey} == {film.poster, None}
    change(ITEMS, lambda table: table.drop(["poster"]))(tmp_path / FEATURES)
    read = read_features(tmp_path / FEATURES, encoder)
    assert [item.poster for item in read.items] == [None, None]


def test_films_are_kept_until_their_table_is_another(
    written: Path, encoder: TextEncoder, starter_items: list[Item], tmp_path: Path
) -> None:
    cache = tmp_path / "kept"
    first = read_features(written, encoder, cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "read_items_table", lambda path: pytest.fail(f"{path} was read"))
        again = read_features(written, encoder, cache)
    assert list(again.items) == list(first.items) == starter_items[:FILMS]
    change(ITEMS, lambda table: table.drop(["poster"]))(written)
    changed = read_features(written, encoder, cache)
    assert changed.digest != first.digest
    assert [item.poster for item in changed.items] == [None] * FILMS


def test_what_was_not_embedded_is(
    starter_items: list[Item], encoder: TextEncoder, tmp_path: Path
) -> None:
    write_features(str(tmp_path), starter_items[:3], encoder, {})
    read = read_features(tmp_path / FEATURES, encoder)
    for item in starter_items[:3]:
        [vector] = encoder.encode([embedding_text(item)])
        made = read.vectors[fingerprint(item, encoder.model_version)]
        np.testing.assert_allclose(made, vector, atol=1e-6)


def test_other_programs_can_read_the_tables(written: Path, encoder: TextEncoder) -> None:
    films, vectors = pq.read_table(written / ITEMS), pq.read_table(written / EMBEDDINGS)
    assert films.num_rows == vectors.num_rows == FILMS
    assert films["item_id"].to_pylist() == vectors["item_id"].to_pylist()
    assert vectors.schema.field("embedding").type == pa.list_(pa.float32(), encoder.dim)
    assert len(json.loads((written / SURVEY).read_text())["movies"]) == 12


def test_models_are_taken_from_a_bucket(
    s3_url: str,  # noqa: ARG001
    few: Path,
    models_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = new_bucket()
    models = shutil.copytree(models_folder, tmp_path / "models")
    fsspec.filesystem("s3").put(str(models), f"{bucket}/models", recursive=True)
    monkeypatch.setenv("CATALOGUE", str(few))
    monkeypatch.setenv("FUSION_DIR", f"{bucket}/models")
    monkeypatch.setenv("ENCODER_DIR", f"{bucket}/models/embedding-fusion/text")
    done = reelwise("index")
    assert done.stdout == f"{FILMS} films are indexed.\n", done.output


Damage = Callable[[Path], object]


def truncate(name: str) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return damage


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / EMBEDDINGS).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / EMBEDDINGS).write_bytes(content)


def change(name: str, changed: Callable[[pa.Table], pa.Table]) -> Damage:
    def damage(folder: Path) -> None:
        table = pq.read_table(folder / name)
        pq.write_table(changed(table), folder / name)

    return damage


def of_length(dim: int) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        flat = pa.array(np.ones(len(table) * dim, np.float32))
        vectors = pa.FixedSizeListArray.from_arrays(flat, dim)
        return table.set_column(2, "embedding", vectors)

    return changed


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate(ITEMS), "items.parquet is damaged"),
        (truncate(EMBEDDINGS), "item_embeddings.parquet is damaged"),
        (flip_a_bit, "item_embeddings.parquet is damaged"),
        (truncate(SURVEY), "survey_movies.json is not a set of survey movies"),
        (lambda folder: (folder / EMBEDDINGS).unlink(), "item_embeddings.parquet is missing"),
        (lambda folder: (folder / SURVEY).unlink(), "survey_movies.json is missing"),
        (change(ITEMS, lambda table: table.drop(["title", "year"])), "has no column title, year"),
        (change(EMBEDDINGS, lambda table: table.drop(["embedding"])), "has no column embedding"),
        (
            change(ITEMS, lambda table: table.set_column(1, "title", pa.nulls(len(table)))),
            "items.parquet holds what is no film: title None",
        ),
        (change(EMBEDDINGS, of_length(383)), "of 383 numbers, the encoder makes 384. Set ENCODER"),
        (
            change(EMBEDDINGS, lambda table: table.replace_schema_metadata({})),
            "was made by the encoder ''",
        ),
        (
            change(EMBEDDINGS, lambda t: t.set_column(2, "embedding", pa.array([[1.0]] * len(t)))),
            "embedding is list<element: double>, not a fixed size list",
        ),
        (change(ITEMS, lambda table: table.slice(20)), "survey_movies.json names "),
    ],
)
def test_tables_that_do_not_do_are_refused_with_the_mend(
    written: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage, said: str
) -> None:
    damage(written)
    monkeypatch.setenv("CATALOGUE", str(written.parent))
    line = refused(reelwise("index"))
    assert said in line
    assert "reelwise features --out URL" in line or "no film" in line


def test_a_catalogue_that_is_not_there(
    s3_url: str,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for catalogue in ("s3://films-of-nobody", new_bucket(), str(tmp_path / "none.jsonl")):
        monkeypatch.setenv("CATALOGUE", catalogue)
        line = refused(reelwise("index"))
        assert catalogue in line
        assert "is not there" in line


def test_a_bucket_that_is_closed(s3_url: str, few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOGUE", str(few))
    with closed_to_strangers(s3_url):
        line = refused(reelwise("features", "--out", "s3://films-of-somebody"))
    assert "is not open to these credentials" in line
