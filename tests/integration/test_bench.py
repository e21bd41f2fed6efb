"""``reelwise bench`` on servers of its own: the whole command, on few requests."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner, Result

from assistant.bench.data import Home, prepared
from assistant.bench.figures import Report
from assistant.bench.growth import PROFILE, people_fit
from assistant.bench.inside import CHAT, ENCODER
from assistant.bench.processes import environment, serving
from assistant.bench.report import BEGIN, END, JSON, PAGE, PLOT
from assistant.bench.workload import CACHED, EXPLAIN, SEARCH, SURVEY, SWIPE
from assistant.cli import app
from assistant.commands.bench import SIZES
from recommender.errors import InvalidRequest
from recommender.models import Item
from tests.conftest import new_database
from tests.processes import no_process_left
from tests.processes import serving as served

OVER_HTTP = [SEARCH, CACHED, SWIPE, SURVEY, EXPLAIN]


def bench(*words: str) -> Result:
    return CliRunner().invoke(app, ["bench", "--requests", "2", "--runs", "1", *words])


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """Not below pytest's own folder: as root PostgreSQL runs as another user."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - PostgreSQL's user is to reach what is its own
        with no_process_left(Path(folder)):
            yield Path(folder)


def test_one_command_measures_everything_and_writes_it_down(data: Path, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    words = ("--films", str(SIZES[0]), "--no-baseline", "--data", str(data))
    done = bench(*words, "--out", str(tmp_path), "--readme", str(readme))
    assert done.exit_code == 0, done.output
    report = Report.model_validate_json((tmp_path / JSON).read_text())
    (size,) = report.sizes
    assert (size.films, size.baseline, size.parts) == (SIZES[0], None, ())
    assert [each.name for each in size.timings] == [*OVER_HTTP, ENCODER, CHAT]
    assert {each.count for each in size.timings} == {2, 6}  # a conversation has six turns
    assert all(each.p50 > 0 for each in size.timings)
    memory = size.served.memory
    assert 0 < memory.ready <= memory.peak
    assert memory.steady <= memory.peak
    assert report.people is not None
    assert [person.swipes for person in report.people.people] == [10, 100]
    for person in report.people.people:
        assert {each.name for each in person.timings} == {SEARCH, EXPLAIN, PROFILE, SWIPE}
    assert "search, not cached" in (tmp_path / PAGE).read_text()
    assert "search, not cached" in readme.read_text()
    assert (tmp_path / PLOT).exists()


def test_a_server_that_runs_already_is_only_timed(
    tmp_path: Path, postgres_url: str, indexed_template: str
) -> None:
    with (
        new_database(postgres_url, indexed_template) as database,
        served(tmp_path / "home", DATABASE_URL=database) as server,
    ):
        done = bench("--url", server.url)
    assert done.exit_code == 0, done.output
    assert [line[:20].strip() for line in done.stdout.splitlines()[1:]] == OVER_HTTP


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nowhere"])
def test_a_server_that_is_not_there_is_refused(url: str) -> None:
    done = bench("--url", url)
    assert done.exit_code == 2
    assert url in done.stderr


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = (sys.executable, "-c", "import sys; sys.exit('no')")
    with pytest.raises(InvalidRequest, match=str(log)), serving(command, {}, log):
        pass
    assert log.read_text() == "no\n"


def test_what_is_kept_is_made_anew_only_when_its_films_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starter_items: list[Item]
) -> None:
    def times(home: Home) -> int:
        return home.catalogue.stat().st_mtime_ns

    films = starter_items[:40]
    monkeypatch.setattr("assistant.bench.data.real", lambda: films)
    first = times(prepared(tmp_path, 60))
    assert times(prepared(tmp_path, 60)) == first
    (tmp_path / "films-60" / "chroma.done").touch()
    films = starter_items[:41]
    assert times(prepared(tmp_path, 60)) != first
    assert not (tmp_path / "films-60" / "chroma.done").exists()


def test_servers_are_told_nothing_of_what_is_set_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://somebody@elsewhere/theirs")
    monkeypatch.setenv("EXPLORE", "1")
    told = environment(PORT="1")
    assert not {"DATABASE_URL", "EXPLORE"} & {*told}
    assert (told["PORT"], told["OMP_NUM_THREADS"]) == ("1", "1")


def test_nobody_swipes_more_than_half_of_the_films_where_that_can_be() -> None:
    assert people_fit((1_590, 25_000, 100_000)) == 25_000
    assert people_fit((1_590, 3_000)) == 3_000


def test_the_least_size_is_that_of_the_starter_catalogue(starter_items: list[Item]) -> None:
    assert SIZES[0] == len(starter_items)
