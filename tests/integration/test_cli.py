"""The command line over a real database: what it prints, and how it refuses to start."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from assistant.warming import POPULAR, read_queries
from fusion.onnx_fusion import CARD, GRAPH
from recommender.errors import InvalidRequest
from recommender.stores.ports import NewSwipe
from recommender.stores.postgres import Database, postgres_stores
from tests.conftest import new_database


@pytest.fixture(scope="module")
def database_url(postgres_url: str, indexed_template: str) -> Iterator[str]:
    with new_database(postgres_url, indexed_template) as url:
        yield url


@pytest.fixture(autouse=True)
def _installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, models_folder: Path
) -> None:
    """An installation with the hand-made models."""
    for name, value in {
        "REELWISE_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "FUSION_DIR": str(models_folder),
        "PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)


def reelwise(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refused(done: Result) -> str:
    """The one line that it was refused with."""
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("reelwise: ")
    return line


def test_search_recommends_with_reasons() -> None:
    done = reelwise("search", "90s heist with a twist", "-k", "2")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.startswith("1. ")
    assert second.startswith("2. ")
    assert "(199" in first
    assert ": " in first


@pytest.mark.parametrize(
    "command", [["index"], ["search", "x"], ["warm"], ["serve"]], ids=lambda words: words[0]
)
def test_no_command_starts_with_damaged_weights(
    models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    folder = shutil.copytree(models_folder, tmp_path / "models", symlinks=True)
    monkeypatch.setenv("FUSION_DIR", str(folder))
    graph = folder / "embedding-fusion" / GRAPH
    graph.write_bytes(graph.read_bytes()[:-1])
    line = refused(reelwise(*command))
    assert f"Model file {graph} is unusable: its SHA-256 is not the one in {CARD}." in line
    assert "reelwise train --data" in line


def test_a_folder_without_a_model_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSION_DIR", str(tmp_path))
    assert f"{tmp_path}/item-space/item_space.npz is missing" in refused(reelwise("index"))


def test_vectors_of_another_length_than_the_index_holds_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VECTOR_DIM", "128")
    assert "Set VECTOR_DIM=384" in refused(reelwise("index"))


def test_migrations_may_be_a_job_that_serving_waits_for(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIGRATE_ON_START", "false")
    with new_database(postgres_url) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        line = refused(reelwise("serve"))
        assert "The database's schema is at revision none" in line
        assert "Run `reelwise migrate` first" in line
        done = reelwise("migrate")
        assert (done.exit_code, done.stdout) == (0, "The schema is up to date.\n"), done.output
        done = reelwise("export-swipes", "--out", str(tmp_path / "swipes.jsonl"))
        assert done.exit_code == 0, done.output


class TestWarm:
    @pytest.fixture
    def queries(self, tmp_path: Path, user_id: str) -> Path:
        """Five queries, two of which come to the same; no other test asks for them."""
        path = tmp_path / "queries.txt"
        wish = f"heist about {user_id[-8:]}"
        lines = ["# popular", "", *(f"a {wish} {n}" for n in range(4)), f"{wish} 0"]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def test_it_says_what_it_made_and_goes_on_where_it_stopped(self, queries: Path) -> None:
        options = ["warm", "--queries", str(queries), "--users", "0"]
        for limit, said in [("3", "3 made, 0 known already"), ("9", "1 made, 4 known already")]:
            done = reelwise(*options, "--limit", limit)
            assert done.exit_code == 0, done.output
            assert done.stdout.strip() == said
        assert reelwise(*options).stdout.strip() == "0 made, 5 known already"

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        line = refused(reelwise("warm", "--queries", str(tmp_path / "none.txt")))
        assert f"{tmp_path / 'none.txt'} cannot be read" in line

    def test_without_a_cache_there_is_nothing_to_warm(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ENABLE_EMBEDDING_CACHE", "false")
        assert "ENABLE_EMBEDDING_CACHE=false" in refused(reelwise("warm"))

    @pytest.mark.parametrize("text", ["", "# nothing\n\n", "x" * 10_001, "\xff"])
    def test_a_file_without_usable_queries_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "queries.txt"
        path.write_text(text, encoding="latin-1")
        with pytest.raises(InvalidRequest, match=r"queries\.txt"):
            read_queries(path)

    def test_about_fifty_popular_queries_are_shipped(self) -> None:
        queries = read_queries(POPULAR)
        assert 45 <= len(queries) <= 70
        assert len(set(queries)) == len(queries)


def test_a_turn_can_be_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "turn.svg"
    done = reelwise("trace", "hello", "a heist, but funny", "--out", str(picture))
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"Wrote {picture}: ")
    drawn = picture.read_text()
    assert "“a heist, but funny”" in drawn
    for name in ("tool search_movies", "Recommender.search", "fuse", "SELECT swipe_events"):
        assert f">{name}" in drawn


def test_learn_catches_up_with_what_a_batch_holds_back(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("PREFERENCE_UPDATE_POLICY", "batch")
    database = Database(database_url)
    database.migrate()
    stores = postgres_stores(database, max_cache_entries=10)
    for item in ("1214", "6", "50"):
        stores.swipes.append(NewSwipe("waiting", item, "like", None, datetime.now(UTC)))
    assert stores.preferences.get("waiting") is None
    done = reelwise("learn", "--users", "1")
    assert done.exit_code == 0, done.output
    assert "1 users are up to date" in done.stdout
    learned = stores.preferences.get("waiting")
    database.close()
    assert learned is not None
    assert learned.event_count == 3
