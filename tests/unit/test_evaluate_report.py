from pathlib import Path

import numpy as np
import pytest

from fusion.evaluate.data import DataUnusable
from fusion.evaluate.harness import Plan, Run
from fusion.evaluate.ranking import JudgedQuery, Result
from fusion.evaluate.report import (
    BEGIN,
    END,
    best_runs,
    in_brief,
    renew_readme,
    report,
    write_report,
)
from fusion.evaluate.runs import read_runs, store
from fusion.evaluate.tables import (
    all_tables,
    bar_of,
    curve,
    kinds_table,
    of,
    p_against,
    query_table,
)
from fusion.evaluate.tasks import NEW, QUERY, SWIPES

ROOT = Path(__file__).parents[2]
PEOPLE = list(range(1, 41))
LUCK = np.random.default_rng(4).random(len(PEOPLE)) * 0.3


def result(scorer: str, task: str, level: float, n: int = 20, personal: bool = True) -> Result:
    ndcg = (level + LUCK).round(4).tolist()
    kinds = ("tag", "era")
    queries = [JudgedQuery(u, kinds[u % 2], "heist", v) for u, v in zip(PEOPLE, ndcg, strict=True)]
    return Result(
        scorer=scorer,
        task=task,
        n_swipes=n,
        personal=personal,
        users=PEOPLE,
        values={"ndcg@10": ndcg, "recall@20": ndcg, "novelty": ndcg, "diversity": ndcg},
        queries=queries if task == QUERY else [],
        coverage=0.1,
        milliseconds=1.5,
    )


def run(peer: str, level: float, measured_on: str = "validation") -> Run:
    results = [result(peer, SWIPES, level, n) for n in Plan().swipes]
    results += [result(peer, QUERY, level), result(peer, QUERY, level / 2, personal=False)]
    results.append(result(peer, NEW, level))
    return Run(
        peer=peer, plan=Plan(), data="d", measured_on=measured_on, trials=[], results=results
    )


RUNS = [run("EASE", 0.4), run("linear fusion", 0.5), run("RRF + EASE", 0.3), run("BM25", 0.4)]
RESULTS = [one for each in RUNS for one in each.results]


def test_what_is_better_on_everybody_is_marked_and_what_is_equal_is_not() -> None:
    rows = {row[0]: row[6] for row in curve(RESULTS)[1:]}
    assert rows["**linear fusion**"].endswith("▲")
    assert rows["RRF + EASE"].endswith("▼")
    assert rows["EASE"].endswith("]")
    assert rows["BM25"].endswith("]")


def test_p_counts_the_methods_compared() -> None:
    at_20 = of(RESULTS, SWIPES, 20)
    p_values = p_against(bar_of(at_20), at_20)
    assert p_values.keys() == {"linear fusion", "RRF + EASE", "BM25"}
    assert p_values["BM25"] == 1.0
    assert p_values["linear fusion"] == pytest.approx(3 / 10_001)


def test_queries_are_held_against_their_bar_and_themselves_without_the_person() -> None:
    head, best, *_ = query_table(RESULTS, 20)
    row = dict(zip(head, best, strict=True))
    assert row["method"] == "**linear fusion**"
    theirs, impersonal = 0.3 + LUCK.mean(), 0.25 + LUCK.mean()
    assert row["against RRF + EASE"].startswith(f"{0.2 / theirs:+.1%} [")
    assert row["against itself without the person"].startswith(f"{0.25 / impersonal:+.1%} [")


def test_queries_are_split_by_kind() -> None:
    (head, row) = kinds_table([result("EASE", QUERY, 0.4)])
    assert head == ["method", "era (20 queries)", "tag (20 queries)"]
    assert row[1].startswith(f"{0.4 + LUCK[0::2].mean():.3f} [")
    assert row[2].startswith(f"{0.4 + LUCK[1::2].mean():.3f} [")


def test_all_tables_are_there() -> None:
    text = all_tables(RUNS)
    assert text.count("###") == 5
    assert "| **linear fusion** |" in text


def test_the_readme_is_renewed_between_its_markers_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for each in RUNS:
        store(each, tmp_path)
    renew_readme(readme, tmp_path)
    page = readme.read_text(encoding="utf-8")
    assert page == f"before\n{BEGIN}\n{in_brief(best_runs(tmp_path))}\n{END}\nafter\n"
    renew_readme(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == page


def test_the_readme_and_the_report_are_in_step_with_the_stored_results() -> None:
    stored = ROOT / "fusion" / "results"
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.partition(BEGIN)[2].partition(END)[0]
    renew = "reelwise evaluate --report-only --out fusion/results --readme README.md"
    assert section.strip() == in_brief(best_runs(stored)), f"Renew it with: {renew}"
    assert (stored / "report.md").read_text(encoding="utf-8") == report(stored)


def test_results_on_test_come_before_those_on_validation(tmp_path: Path) -> None:
    for each in (*RUNS, run("EASE", 0.4, "test")):
        store(each, tmp_path)
    assert in_brief(best_runs(tmp_path)).startswith("Test strangers")


@pytest.mark.parametrize("page", ["no markers", f"{BEGIN} but no end", f"{END} then {BEGIN}"])
def test_a_page_without_markers_is_left_alone(tmp_path: Path, page: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(page, encoding="utf-8")
    store(RUNS[0], tmp_path)
    with pytest.raises(DataUnusable, match="lacks the lines"):
        renew_readme(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == page


def test_nothing_to_report_says_how_to_make_runs(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match="reelwise evaluate --data"):
        best_runs(tmp_path)


def test_the_report_has_tables_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("adjustText")
    pytest.importorskip("adjustText")
    for each in RUNS:
        store(each, tmp_path)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    pictures = {path.name: path.read_bytes() for path in tmp_path.glob("*.png")}
    assert len(pictures) == 2
    for name, content in pictures.items():
        assert f"({name})" in page
        assert content.startswith(b"\x89PNG")
    assert all_tables(read_runs(tmp_path / "validation")) in page
    write_report(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.png")} == pictures
