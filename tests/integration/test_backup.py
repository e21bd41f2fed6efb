"""``reelwise backup`` and ``restore``: everything there and back, or nothing and a sentence why."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from assistant.cli import app
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.models import Direction, UserExport
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database, postgres_stores
from tests.conftest import new_database
from tests.people import kept, live


class House:
    """A database that the command line is pointed at, and a service over it."""

    def __init__(self, url: str, encoder: TextEncoder) -> None:
        self.url, self._encoder = url, encoder

    def reelwise(self, *words: str | Path) -> Result:
        return CliRunner().invoke(
            app, [str(word) for word in words], env={"DATABASE_URL": self.url}
        )

    def opened(self, stack: ExitStack) -> tuple[Recommender, Stores]:
        database = Database(self.url)
        stack.callback(database.close)
        database.migrate()
        stores = postgres_stores(database, 100)
        return Recommender(stores, self._encoder, RecommenderSettings()), stores

    def live(self, user_id: str) -> UserExport:
        with ExitStack() as stack:
            return live(*self.opened(stack), user_id)

    def export(self, user_id: str) -> UserExport:
        with ExitStack() as stack:
            return self.opened(stack)[0].export_user(user_id)

    def execute(self, statement: str) -> None:
        database = Database(self.url)
        with database.connect() as connection:
            connection.execute(text(statement))
        database.close()


@pytest.fixture
def house(postgres_url: str, indexed_template: str, encoder: TextEncoder) -> Iterator[House]:
    with new_database(postgres_url, indexed_template) as url:
        yield House(url, encoder)


@pytest.fixture
def empty(postgres_url: str, encoder: TextEncoder) -> Iterator[House]:
    with new_database(postgres_url) as url:
        yield House(url, encoder)


def refused(done: Result) -> str:
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    return line.removeprefix("reelwise: ")


def test_everything_comes_back(house: House, empty: House, tmp_path: Path) -> None:
    file = tmp_path / "reelwise.backup"
    exported = house.live("ada")
    assert all(kept(exported).values())
    assert house.reelwise("backup", file).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]
    done = empty.reelwise("restore", file)
    assert done.exit_code == 0, done.output
    back = empty.export("ada")
    assert kept(back) == kept(exported)
    with ExitStack() as stack:
        service, _ = empty.opened(stack)
        assert len(service.films()) == 1590
        assert service.profile("ada").swipe_count == 19
        later = service.record_swipe("ada", "1", Direction.LIKE)
        assert later.swipe_count == 20
        assert service.export_user("ada").swipes[-1].event_id > exported.swipes[-1].event_id


def test_a_backup_is_of_one_moment_while_a_server_writes(
    house: House, empty: House, tmp_path: Path
) -> None:
    file = tmp_path / "reelwise.backup"
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        service, _ = house.opened(stack)
        films = [film.item_id for film in service.films()[:60]]
        service.record_swipe("ada", films[0], Direction.SKIP)
        writing = pool.submit(
            lambda: [service.record_swipe("ada", film, Direction.LIKE) for film in films]
        )
        assert house.reelwise("backup", file).exit_code == 0
        writing.result()
    assert empty.reelwise("restore", file).exit_code == 0
    whole, backed_up = house.export("ada").swipes, empty.export("ada").swipes
    assert backed_up == whole[: len(backed_up)]


def test_what_people_did_is_replaced_only_if_told_so(house: House, tmp_path: Path) -> None:
    file = tmp_path / "reelwise.backup"
    earlier = house.live("ada")
    assert house.reelwise("backup", file).exit_code == 0
    later = house.live("bob")
    line = refused(house.reelwise("restore", file))
    assert line.startswith("The database holds swipe_events, surveys, exposures, threads.")
    assert line.endswith("restore with --replace.")
    assert kept(house.export("bob")) == kept(later)
    assert house.reelwise("restore", file, "--replace").exit_code == 0
    assert kept(house.export("ada")) == kept(earlier)
    with pytest.raises(Exception, match="Nothing is known of user 'bob'"):
        house.export("bob")


@pytest.mark.parametrize("whole", [0.5, 0.99])
def test_half_a_backup_changes_nothing(house: House, tmp_path: Path, whole: float) -> None:
    file = tmp_path / "reelwise.backup"
    before = house.live("ada")
    assert house.reelwise("backup", file).exit_code == 0
    content = file.read_bytes()
    file.write_bytes(content[: int(whole * len(content))])
    assert "pg_restore: error" in refused(house.reelwise("restore", file, "--replace"))
    assert kept(house.export("ada")) == kept(before)


def test_no_backup_no_file(house: House, empty: House, tmp_path: Path) -> None:
    assert "is not there" in refused(house.reelwise("restore", tmp_path / "lost"))
    wrong = tmp_path / "holiday.jpg"
    wrong.write_bytes(b"\xff\xd8\xff")
    assert "pg_restore: error" in refused(house.reelwise("restore", wrong))
    assert "nothing to back up" in refused(empty.reelwise("backup", tmp_path / "empty"))
    assert "No such file or directory" in refused(house.reelwise("backup", tmp_path / "no" / "x"))
    assert list(tmp_path.iterdir()) == [wrong]


def test_a_backup_of_a_later_release_is_refused(house: House, empty: House, tmp_path: Path) -> None:
    file = tmp_path / "reelwise.backup"
    house.execute("UPDATE alembic_version SET version_num = '9999'")
    assert house.reelwise("backup", file).exit_code == 0
    assert "made by a later release (schema 9999)" in refused(empty.reelwise("restore", file))


def test_nothing_is_replaced_under_a_server(house: House, tmp_path: Path) -> None:
    file = tmp_path / "reelwise.backup"
    before = house.live("ada")
    with ExitStack() as stack:
        house.opened(stack)
        assert house.reelwise("backup", file).exit_code == 0
        assert "Stop them" in refused(house.reelwise("restore", file, "--replace"))
    assert house.reelwise("restore", file, "--replace").exit_code == 0
    assert kept(house.export("ada")) == kept(before)


def test_tables_that_are_not_ours_stay(house: House, tmp_path: Path) -> None:
    file = tmp_path / "reelwise.backup"
    house.execute("CREATE TABLE neighbours AS SELECT 1 AS door")
    assert house.reelwise("backup", file).exit_code == 0
    house.execute("INSERT INTO neighbours VALUES (2)")
    assert house.reelwise("restore", file).exit_code == 0
    house.execute("SELECT 1 / (count(*) - 1) FROM neighbours")
