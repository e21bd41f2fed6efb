"""Importing by command: from files of others to a catalogue that answers searches."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import fsspec
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from fusion.encoder import TextEncoder, Vectors
from recommender.features import EMBEDDINGS, FEATURES, ITEMS, SURVEY
from recommender.importing.layout import VectorJournal, write_catalogue
from recommender.importing.movielens import read_movielens
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.indexer import BATCH
from recommender.models import Item
from recommender.tables import read_items_table
from tests.movielens_shape import write_movielens
from tests.unit.test_tmdb import HEAT, KEY, Tmdb, film, served

pytestmark = pytest.mark.usefixtures("empty_installation")

FILMS = 150


@pytest.fixture(scope="module")
def movielens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small MovieLens, unpacked."""
    folder = tmp_path_factory.mktemp("source") / "ml-small"
    write_movielens(folder, FILMS, 5000)
    with (folder / "movies.csv").open("a", encoding="utf-8") as out:
        out.write('9001,"Lighthouse at the Edge of Dinosaurs, The (2001)",Horror\n')
    return folder


@pytest.fixture
def zipped(movielens: Path, tmp_path: Path) -> Path:
    """The same as an archive."""
    return Path(shutil.make_archive(str(tmp_path / "ml-small"), "zip", movielens.parent))


def reelwise(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refused(done: Result) -> str:
    """What it was refused with, at the end of what it reported."""
    assert done.exit_code == 2, done.output
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("reelwise: ")
    return line


def nothing_was_written(place: Path) -> bool:
    return not place.exists() or not [each for each in place.rglob("*") if each.is_file()]


def test_an_archive_becomes_the_layout_and_answers_searches(
    place: str, zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = reelwise("import", "movielens", str(zipped), "--out", place)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"Imported {FILMS + 1} films. Serve them with: CATALOGUE={place}\n"
    files, root = fsspec.url_to_fs(place)
    there = {path.removeprefix(root).lstrip("/") for path in files.find(root)}
    written = {f"{FEATURES}/{name}" for name in (ITEMS, EMBEDDINGS, SURVEY)}
    assert there == written | {"raw/ml-small.zip"}
    monkeypatch.setenv("CATALOGUE", place)
    found = reelwise("search", "the lighthouse at the edge of dinosaurs", "-k", "1")
    assert found.stdout.startswith("1. The Lighthouse at the Edge of Dinosaurs (2001)")


def test_a_dry_run_says_what_would_be_and_writes_nothing(movielens: Path, tmp_path: Path) -> None:
    words = ["import", "movielens", str(movielens), "--min-ratings", "1", "--dry-run"]
    done = reelwise(*words, "--out", str(tmp_path / "place"))
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{FILMS} films can be taken.\n1 left out: fewer than 1 ratings\n"
    assert nothing_was_written(tmp_path / "place")


def test_the_same_import_again_embeds_nothing_and_changes_nothing(
    movielens: Path, tmp_path: Path, encoder: TextEncoder
) -> None:
    counting = CountingEncoder(encoder)
    items = movielens_items(movielens)
    for embedded in (len(items), 0):
        counting.count = 0
        with Source(movielens) as source:
            place = str(tmp_path / "place")
            write_catalogue(place, items, source, counting, tmp_path, lambda *_: None)
        assert counting.count == embedded
    assert read_items_table(tmp_path / "place" / FEATURES / ITEMS) == items
    assert (tmp_path / "place" / "raw" / "ml-small" / "movies.csv").read_bytes() == (
        movielens / "movies.csv"
    ).read_bytes()


def test_a_killed_import_goes_on_where_it_stopped(
    movielens: Path, tmp_path: Path, encoder: TextEncoder
) -> None:
    items = movielens_items(movielens)
    counting = CountingEncoder(encoder, killed_at=BATCH + 1)
    with Source(movielens) as source, pytest.raises(KeyboardInterrupt):
        write_catalogue(str(tmp_path / "p"), items, source, counting, tmp_path, lambda *_: None)
    assert nothing_was_written(tmp_path / "p")
    [journal] = tmp_path.glob("*.vectors")
    with journal.open("ab") as file:
        file.write(b"cut short")
    counting = CountingEncoder(encoder)
    with Source(movielens) as source:
        write_catalogue(str(tmp_path / "p"), items, source, counting, tmp_path, lambda *_: None)
    assert counting.count == len(items) - BATCH
    assert not list(tmp_path.glob("*.vectors"))
    assert read_items_table(tmp_path / "p" / FEATURES / ITEMS) == items


HOLD = """
import sys
from fasteners import InterProcessLock
lock = InterProcessLock(sys.argv[1])
print(lock.acquire(blocking=False), flush=True)
sys.stdin.read()
"""


def test_two_imports_do_not_run_at_once(movielens: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    held = [sys.executable, "-c", HOLD, str(home / "import.lock")]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        line = refused(reelwise("import", "movielens", str(movielens)))
        other.communicate()
    assert "Another import is running" in line
    assert nothing_was_written(home / "catalogue")


def test_a_journal_keeps_whole_records_only(tmp_path: Path) -> None:
    first = VectorJournal(tmp_path / "v", 3)
    first.add({"a" * 32: np.array([1, 2, 3], np.float32)})
    with (tmp_path / "v").open("ab") as file:
        file.write(b"x" * 10)
    again = VectorJournal(tmp_path / "v", 3)
    again.add({"b" * 32: np.array([4, 5, 6], np.float32)})
    assert {k: v.tolist() for k, v in VectorJournal(tmp_path / "v", 3).vectors.items()} == {
        "a" * 32: [1, 2, 3],
        "b" * 32: [4, 5, 6],
    }


@pytest.mark.parametrize("fault", ["truncated", "traversal", "bomb", "encoding", "columns"])
def test_what_is_refused_leaves_catalogue_and_index_as_they_were(
    movielens: Path, zipped: Path, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "place")
    assert reelwise("import", "movielens", str(movielens), "--out", place).exit_code == 0
    before = {p: p.read_bytes() for p in (tmp_path / "place").rglob("*") if p.is_file()}
    line = refused(reelwise("import", "movielens", str(spoilt(zipped, fault)), "--out", place))
    assert {
        "truncated": "ml-small.zip is damaged or incomplete",
        "traversal": "'../movies.csv', whose name leads out of it",
        "bomb": "which unfolds from",
        "encoding": "movies.csv, line 153 is not UTF-8",
        "columns": "movies.csv has no column title",
    }[fault] in line
    assert {p: p.read_bytes() for p in (tmp_path / "place").rglob("*") if p.is_file()} == before
    monkeypatch.setenv("CATALOGUE", place)
    assert reelwise("index").stdout == f"{FILMS + 1} films are indexed.\n"


def spoilt(archive: Path, fault: str) -> Path:
    """The archive with one fault."""
    if fault == "truncated":
        archive.write_bytes(archive.read_bytes()[:-100])
        return archive
    with zipfile.ZipFile(archive) as good:
        files = {info.filename: good.read(info) for info in good.infolist() if not info.is_dir()}
    movies = files.pop("ml-small/movies.csv")
    changed = {
        "traversal": {"../movies.csv": movies},
        "bomb": {"ml-small/movies.csv": movies, "ml-small/big.csv": bytes(30 * 2**20)},
        "encoding": {"ml-small/movies.csv": movies + "9,Amélie,\n".encode("latin-1")},
        "columns": {"ml-small/movies.csv": movies.replace(b"title", b"name", 1)},
    }[fault]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bad:
        for name, content in (files | changed).items():
            bad.writestr(name, content)
    return archive


def test_faulty_lines_refuse_all_unless_they_are_left_out(movielens: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(movielens, tmp_path / "ml-faulty")
    with (folder / "movies.csv").open("a", encoding="utf-8") as out:
        out.write("1,Again (1999),Drama\n-5,Minus (1999),Drama\n")
    place = tmp_path / "place"
    words = ["import", "movielens", str(folder), "--out", str(place), "--no-load"]
    line = refused(reelwise(*words))
    assert "movies.csv, line 153: the id '1' is that of line 2 already" in line
    assert "1 more lines are faulty" in line
    assert nothing_was_written(place)
    listed = reelwise(*words, "--dry-run").stdout.splitlines()
    assert listed[1:] == [
        "faulty: movies.csv, line 153: the id '1' is that of line 2 already",
        "faulty: movies.csv, line 154: movieId '-5' is no positive number",
    ]
    done = reelwise(*words, "--skip-faulty")
    assert done.exit_code == 0, done.output
    assert len(read_items_table(place / FEATURES / ITEMS)) == FILMS + 1


def test_a_table_with_a_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Path(__file__).parents[1] / "fixtures" / "books"
    words = ["import", "file", str(books / "books.jsonl"), "--mapping", str(books / "books.toml")]
    done = reelwise(*words)
    assert done.exit_code == 0, done.output
    place = tmp_path / "home" / "catalogue"
    assert done.stdout == f"Imported 71 films. Serve them with: CATALOGUE={place}\n"
    monkeypatch.setenv("CATALOGUE", str(place))
    assert reelwise("search", "vampire castle", "-k", "1").stdout.startswith("1. Dracula (1897)")


def test_a_file_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("id,title\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text('[fields]\nitem_id = "id"\ntitle = "name"\n', encoding="utf-8")
    words = ["import", "file", str(tmp_path / "films.csv"), "--mapping", str(tmp_path / "m.toml")]
    assert "films.csv has no column name; it has: id, title" in refused(reelwise(*words))
    (tmp_path / "films.csv").write_text("id,name\n", encoding="utf-8")
    refused(reelwise(*words))
    assert nothing_was_written(tmp_path / "home" / "catalogue")


def test_tmdb_from_its_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmdb = Tmdb()
    listed = json.dumps({"results": [{"id": 11}, {"id": 12}]}).encode()
    tmdb.answer = lambda path: (200, {}, listed) if "discover" in path else film(path)
    with served(tmdb) as url:
        monkeypatch.setenv("TMDB_URL", url)
        assert "set TMDB_API_KEY" in refused(reelwise("import", "tmdb"))
        monkeypatch.setenv("TMDB_API_KEY", KEY)
        done = reelwise("import", "tmdb", "--limit", "2", "--no-load")
        assert done.exit_code == 2, done.output  # both are known by IMDb's id as one film
        assert "the id '6' is that of line 1 already" in done.stderr
        done = reelwise("import", "tmdb", "--limit", "1", "--no-load")
    assert done.exit_code == 0, done.output
    place = tmp_path / "home" / "catalogue"
    [item] = read_items_table(place / FEATURES / ITEMS)
    assert (item.item_id, item.title, item.overview) == ("6", "Heat", HEAT["overview"])
    raw = [path for path in (place / "raw").iterdir() if KEY in path.read_text()]
    assert not raw


class CountingEncoder(TextEncoder):
    """An encoder that counts texts, and may be killed at one."""

    def __init__(self, encoder: TextEncoder, killed_at: int | None = None) -> None:
        self._encoder = encoder
        self._killed_at = killed_at
        self.count = 0

    @property
    def model_version(self) -> str:
        return self._encoder.model_version

    @property
    def dim(self) -> int:
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.count += len(texts)
        if self._killed_at is not None and self.count >= self._killed_at:
            raise KeyboardInterrupt
        return self._encoder.encode(texts)


def movielens_items(folder: Path) -> list[Item]:
    with Source(folder) as source:
        return read_movielens(source, Report(), {})
