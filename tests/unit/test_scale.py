"""What ``bench-index`` measures: films made from others, recall, and its table."""

from pathlib import Path

import numpy as np
import pytest

from recommender.evaluation import scale
from recommender.evaluation.scale import (
    FILTERS,
    SPACES,
    Results,
    World,
    make_world,
    measure,
    measure_start,
    results_table,
)
from recommender.evaluation.scale_plot import draw
from recommender.models import Filters, Item
from recommender.stores.memory import MemoryItemStore
from recommender.stores.ports import Hit, Space, Vector

RNG = np.random.default_rng(0)
REAL = [
    Item(
        item_id=f"real-{n}", title=f"Film {n}", year=1950 + n, genres=("Comedy", "Western")[n % 2 :]
    )
    for n in range(50)
]
VECTORS: dict[Space, Vector] = {
    space: RNG.normal(size=(50, 16)).astype(np.float32) for space in SPACES
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(REAL, VECTORS, 300, 12, tmp_path_factory.mktemp("world"))


class Forgetful(MemoryItemStore):
    """Finds only every other of the best films."""

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: tuple[str, ...] = (),  # type: ignore[override]
        space: Space = "text",
    ) -> list[Hit]:
        return super().nearest(vector, 2 * k, filters, exclude, space)[::2]


def test_the_real_films_come_first_and_copies_have_ids_and_places_of_their_own(
    world: World,
) -> None:
    films = [indexed.item for batch in world.batches() for indexed in batch]
    assert films[:50] == REAL
    assert len({film.item_id for film in films}) == 300 == len(world)
    assert [film.item_id for film in films] == [world.item_id(row) for row in range(300)]
    for space in SPACES:
        rows = world.vectors[space]
        np.testing.assert_array_equal(rows[:50], VECTORS[space])
        assert len(np.unique(rows, axis=0)) == 300
        names = [film.title for film in films]
        source = VECTORS[space][[int(name.split()[1]) for name in names[50:]]]
        lengths = np.linalg.norm(source, axis=1)
        np.testing.assert_allclose(np.linalg.norm(rows[50:], axis=1), lengths, rtol=1e-5)
        cosines = (source * rows[50:]).sum(axis=1) / lengths**2
        assert 0.7 < cosines.mean() < 0.85


def test_the_same_seed_makes_the_same_world(world: World, tmp_path: Path) -> None:
    again = make_world(REAL, VECTORS, 300, 12, tmp_path / "again")
    np.testing.assert_array_equal(again.vectors["text"], world.vectors["text"])
    other = make_world(REAL, VECTORS, 300, 12, tmp_path / "other", seed=1)
    assert not np.array_equal(other.vectors["text"], world.vectors["text"])


def test_vectors_and_the_best_are_the_same_however_many_are_taken_at_a_time(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "ROWS_AT_A_TIME", 7)
    again = make_world(REAL, VECTORS, 300, 12, tmp_path)
    np.testing.assert_array_equal(again.vectors["fused"], world.vectors["fused"])
    rows = world.passing(FILTERS["a genre and a decade"])
    for query, best in zip(world.queries["fused"], again.best("fused", rows), strict=True):
        every = rows[np.argsort(-(world.vectors["fused"][rows] @ query))]
        np.testing.assert_array_equal(best, every[:10])


def test_recall_is_the_share_of_the_best_that_was_found(world: World) -> None:
    kinds = len(SPACES) * len(FILTERS)
    exact = measure(world, "exact", MemoryItemStore(), lambda: False, lambda: 7.0)
    assert [each.recall for each in exact.searches] == [1.0] * kinds
    assert (exact.films, exact.megabytes) == (300, 7.0)
    assert exact.ingest > 0
    half = measure(world, "half", Forgetful(), lambda: False, lambda: 0.0)
    assert [each.recall for each in half.searches if each.filters == "none"] == [0.5, 0.5]
    passing = {each.filters: each.passing for each in exact.searches}
    assert passing["none"] == 300 > passing["a genre and a decade"] > 0
    assert 0 < passing["few pass"] < 300


def test_a_store_that_holds_the_films_is_not_filled_again(world: World) -> None:
    store = MemoryItemStore()
    measure(world, "first", store, lambda: False, lambda: 0.0)
    assert measure(world, "second", store, lambda: False, lambda: 0.0).ingest == 0


def test_one_space_may_be_measured_alone(world: World) -> None:
    store = MemoryItemStore()
    figures = measure(world, "exact", store, lambda: False, lambda: 0.0, spaces=("text",))
    assert {each.space for each in figures.searches} == {"text"}


def test_what_was_there_already_took_its_time_when_it_was_made(world: World) -> None:
    store, missing = MemoryItemStore(), ["a graph"]
    first = measure(world, "hnsw", store, lambda: bool(missing.pop()), lambda: 1.0)
    assert first.build > 0 < first.ingest
    second = measure(world, "hnsw", store, lambda: bool(missing), lambda: 1.0)
    assert (second.ingest, second.build) == (0, 0)
    kept = Results().with_figures(first).with_figures(second).figures[0]
    assert (kept.ingest, kept.build) == (first.ingest, first.build)
    assert kept.searches == second.searches


def test_the_plot_has_a_line_for_each_search_and_is_the_same_for_the_same(
    world: World, tmp_path: Path
) -> None:
    figures = measure(world, "exact", MemoryItemStore(), lambda: False, lambda: 1.0)
    more = figures.model_copy(update={"films": 3000})
    halfvec = more.model_copy(update={"search": "hnsw, halfvec", "searches": more.searches[:3]})
    results = Results(figures=(figures, halfvec, more))
    draw(results, tmp_path / "one.svg")
    draw(results, tmp_path / "two.svg")
    picture = (tmp_path / "one.svg").read_text()
    assert picture == (tmp_path / "two.svg").read_text()
    for said in ("exact: text", "exact: fused", "hnsw, halfvec: text", ">3,000<", "recall@10"):
        assert said in picture
    assert "hnsw, halfvec: fused" not in picture


def test_a_store_of_other_films_is_filled_anew(world: World, tmp_path: Path) -> None:
    other, store = make_world(REAL, VECTORS, 300, 12, tmp_path, seed=1), MemoryItemStore()
    measure(other, "exact", store, lambda: False, lambda: 0.0)
    figures = measure(world, "exact", store, lambda: False, lambda: 0.0)
    assert figures.ingest > 0
    assert {each.recall for each in figures.searches} == {1.0}


def test_films_do_not_hang_on_how_many_queries_there_are(world: World, tmp_path: Path) -> None:
    fewer = make_world(REAL, VECTORS, 300, 5, tmp_path)
    for space in SPACES:
        np.testing.assert_array_equal(fewer.vectors[space], world.vectors[space])


def test_the_table_holds_the_newest_figures(world: World) -> None:
    store = MemoryItemStore()
    old = measure(world, "exact", store, lambda: False, lambda: 1.0)
    new = measure(world, "exact", store, lambda: False, lambda: 2.0)
    results = Results().with_figures(old).with_figures(new).with_start(measure_start(world))
    assert [figures.searches for figures in results.figures] == [new.searches]
    lines = results_table(results).splitlines()
    rows = [line for line in lines if line.startswith("| 300 | exact |")]
    assert len(rows) == len(SPACES) * len(FILTERS)
    assert all("| 2 |" in row for row in rows)
    assert Results.model_validate_json(results.model_dump_json()) == results
