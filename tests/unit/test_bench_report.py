"""What a bench says of what it measured."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.bench.figures import (
    Machine,
    Memory,
    Part,
    People,
    Person,
    Report,
    Served,
    Size,
    quantiles,
    timing,
)
from assistant.bench.plot import draw
from assistant.bench.report import (
    BEGIN,
    END,
    JSON,
    PLOT,
    in_brief,
    page,
    renew_readme,
    write_report,
)
from fusion.evaluate.data import DataUnusable

times = st.lists(st.floats(0.01, 1e5), min_size=1, max_size=50)


@given(st.lists(times, min_size=1, max_size=5))
def test_quantiles_are_ordered_and_of_all_runs_together(runs: list[list[float]]) -> None:
    measured = timing("search", runs)
    everything = [each for run in runs for each in run]
    ordered = [min(everything), measured.p50, measured.p95, measured.p99, max(everything)]
    assert ordered == pytest.approx(sorted(ordered))
    assert measured.count == len(everything)
    low, high = measured.spread
    assert low <= high
    assert [run.p95 for run in measured.runs] == [quantiles(run).p95 for run in runs]


def size(films: int, slower: float, baseline: bool) -> Size:
    def served(*names: str) -> Served:
        memory = Memory(ready=400, steady=500, peak=512 * slower, database=None)
        timings = tuple(timing(name, [[slower, 2 * slower], [3.0]], 5.0) for name in names)
        return Served(starts=(4.0, 5.5), memory=memory, timings=timings)

    one, other = timing("ours", [[2.0]]), timing("baseline", [[21.0]])
    return Size(
        films=films,
        served=served("search, not cached", "swipe"),
        inside=(timing("chat turn, offline", [[30.0 * slower]]),),
        baseline=served("search, not cached") if baseline else None,
        parts=(Part(name="encoder: torch, ONNX", ours=one, baseline=other),) if baseline else (),
    )


def report(baseline: bool = True) -> Report:
    person = Person(swipes=10, timings=(timing("swipe", [[7.0]]),), resident=431.0)
    return Report(
        machine=Machine(
            processor="Some CPU", cores=2, memory=8, system="Linux 6", python="3.11.9", load=0.4
        ),
        runs=2,
        sizes=(size(1_590, 1.0, baseline), size(25_000, 8.0, baseline)),
        people=People(films=25_000, people=(person,)) if baseline else None,
    )


def rows(markdown: str) -> list[list[list[str]]]:
    """The cells of each table."""
    tables: list[list[list[str]]] = [[]]
    for line in markdown.splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]


@pytest.mark.parametrize("baseline", [True, False])
def test_every_row_has_as_many_cells_as_its_head(baseline: bool) -> None:
    told = report(baseline)
    for table in [*rows(page(told)), *rows(in_brief(told))]:
        assert {len(row) for row in table} == {len(table[0])}


def test_the_page_tells_every_request_at_every_size_with_its_spread() -> None:
    requests = rows(page(report()))[0]
    assert [row[:2] for row in requests[2:]] == [
        [name, films]
        for name in ("search, not cached", "swipe", "chat turn, offline")
        for films in ("1,590", "25,000")
    ]
    assert requests[2][2:4] == ["5.0", "3"]
    assert requests[2][-1] == "1.9 to 3.0"
    assert requests[-1][2] == "one by one"


def test_the_plain_stack_is_told_as_a_whole_and_part_by_part() -> None:
    compared = rows(page(report()))[2]
    assert [row[0] for row in compared[2::2]] == [
        "search, not cached, whole",
        "encoder: torch, ONNX",
    ]
    assert compared[-1][-1] == "10.5"
    brief = rows(in_brief(report()))[0]
    assert brief[-1] == ["plain stack, encoder: torch, ONNX", *["10.5 times as long"] * 2]


def test_without_a_plain_stack_or_people_nothing_is_said_of_them() -> None:
    told = page(report(baseline=False))
    assert "plain stack" not in told
    assert "swipes grow" not in told


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    written = write_report(report(), tmp_path)
    assert written.read_text() == page(report())
    assert Report.model_validate_json((tmp_path / JSON).read_text()) == report()
    drawn = (tmp_path / PLOT).read_text()
    assert "<svg" in drawn
    draw(report(), tmp_path / PLOT)
    assert (tmp_path / PLOT).read_text() == drawn


def test_a_plot_needs_no_plain_stack(tmp_path: Path) -> None:
    draw(report(baseline=False), tmp_path / PLOT)
    assert "<svg" in (tmp_path / PLOT).read_text()


def test_a_readme_gets_the_short_table_between_its_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    renew_readme(readme, report())
    told = f"before\n{BEGIN}\n{in_brief(report())}\n{END}\nafter\n"
    assert readme.read_text() == told
    renew_readme(readme, report())
    assert readme.read_text() == told


def test_a_readme_without_markers_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing of it")
    with pytest.raises(DataUnusable, match="bench:begin"):
        renew_readme(readme, report())
    assert readme.read_text() == "nothing of it"
