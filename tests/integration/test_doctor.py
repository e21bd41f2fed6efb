"""``reelwise doctor``: each fault that it names is made, and found; nothing else is."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from assistant import doctor
from assistant.cli import app
from fusion.onnx_fusion import GRAPH
from recommender.stores.postgres import Database
from tests.conftest import new_database
from tests.fusion_container import free_port

PARTS = ["settings", "data folder", "disk space", "models", "database", "schema", "index"]
Examine = Callable[..., dict[str, str]]


@pytest.fixture
def url(postgres_url: str, indexed_template: str) -> Iterator[str]:
    with new_database(postgres_url, indexed_template) as made:
        yield made


@pytest.fixture
def examine(url: str, tmp_path: Path) -> Examine:
    """What the doctor says of each part, with settings that differ from a sound installation's."""

    def run(**settings: str) -> dict[str, str]:
        sound = {"DATABASE_URL": url, "REELWISE_HOME": str(tmp_path / "home")}
        done = CliRunner().invoke(app, ["doctor"], env=sound | settings)
        lines = [line.partition(": ") for line in done.stdout.splitlines()]
        said = {part[5:]: part[:5] + says for part, _, says in lines}
        unwell = any(says.startswith("MEND") for says in said.values())
        assert done.exit_code == (2 if unwell else 0), done.output
        return said

    return run


def execute(url: str, statement: str) -> None:
    database = Database(url)
    with database.connect() as connection:
        connection.execute(text(statement))
    database.close()


def only(found: dict[str, str], part: str) -> str:
    """What is to be done about the one part that is not well."""
    assert [name for name, says in found.items() if says.startswith("MEND")] == [part]
    return found[part]


def test_a_sound_installation(examine: Examine) -> None:
    found = examine()
    assert list(found) == PARTS
    assert all(says.startswith("ok") for says in found.values())
    assert "1590 films" in found["index"]


def test_one_that_never_started(examine: Examine) -> None:
    found = examine(DATABASE_URL="")
    assert "not made yet" in found["database"]
    assert all(says.startswith("ok") for says in found.values())


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({"PORT": "eighty"}, "PORT: Input should be a valid integer"),
        ({"HOST": "192.0.2.1"}, "lets others reach REST"),
        ({"SWIPES_LIVE_DAYS": "30"}, "Set USER_STORE=dynamodb or unset it"),
        ({"FULL_PERSONALIZATION_SWIPES": "3"}, "is below MIN_SWIPES_FOR_PERSONALIZATION"),
        ({"EXPERIMENT_NAME": "x"}, "an experiment compares two or more"),
        ({"JWT_SECRET": "s" * 32}, "JWT_ISSUER"),
    ],
)
def test_settings(examine: Examine, settings: dict[str, str], mend: str) -> None:
    assert mend in only(examine(**settings), "settings")


def test_a_folder_that_is_none(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    mend = only(examine(REELWISE_HOME=str(tmp_path / "file")), "data folder")
    assert "takes no files: Not a directory" in mend


def test_a_disk_that_is_almost_full(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_BYTES", 10**18)
    assert "MB are needed" in only(examine(), "disk space")


def test_models_that_are_damaged(examine: Examine, models_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(models_folder, tmp_path / "models", symlinks=True)
    graph = folder / "embedding-fusion" / GRAPH
    graph.write_bytes(graph.read_bytes()[:-1])
    mend = only(examine(FUSION_DIR=str(folder)), "models")
    assert f"{graph} is unusable: its SHA-256 is not the one" in mend


def test_other_models_than_those_of_the_index(examine: Examine, models_folder: Path) -> None:
    mend = only(examine(FUSION_DIR=str(models_folder)), "index")
    assert mend.startswith("MEND 1590 films are missing or of an older catalogue or model")
    assert mend.endswith("reelwise index")


def test_a_database_that_does_not_answer(examine: Examine) -> None:
    nowhere = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    assert "does not answer" in only(examine(DATABASE_URL=nowhere), "database")


def test_a_schema_of_a_later_release(examine: Examine, url: str) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    found = examine()
    assert "revision 9999, of a later release" in found["schema"]
    assert "MEND" in found["schema"]


def test_a_schema_that_the_next_start_brings_forward(examine: Examine, url: str) -> None:
    execute(url, "UPDATE alembic_version SET version_num = '0001'")
    found = examine()
    assert found["schema"].startswith("ok   at revision 0001; the next start brings it to")
    assert all(says.startswith("ok") for says in found.values())


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("DELETE FROM items WHERE item_id = '1'", "1 films are missing"),
        ("UPDATE items SET fingerprint = 'old' WHERE item_id IN ('1', '2')", "2 films are missing"),
        ("UPDATE items SET item_id = 'gone' WHERE item_id = '1'", "and 1 are of none"),
    ],
)
def test_an_index_that_lags_behind_is_mended_by_the_command_that_it_names(
    examine: Examine, url: str, fault: str, mend: str
) -> None:
    execute(url, fault)
    assert mend in only(examine(), "index")
    assert CliRunner().invoke(app, ["index"], env={"DATABASE_URL": url}).exit_code == 0
    assert examine()["index"].startswith("ok")
