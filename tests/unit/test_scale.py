"""What ``bench-index`` measures: films made from others, recall, and its table."""

import numpy as np
import pytest

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
def world() -> World:
    return make_world(REAL, VECTORS, count=300, queries=12)


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
    assert list(world.items[:50]) == REAL
    assert len({item.item_id for item in world.items}) == 300
    for space in SPACES:
        rows = world.vectors[space]
        np.testing.assert_array_equal(rows[:50], VECTORS[space])
        assert len(np.unique(rows, axis=0)) == 300
        names = [item.title for item in world.items]
        source = VECTORS[space][[int(name.split()[1]) for name in names[50:]]]
        lengths = np.linalg.norm(source, axis=1)
        np.testing.assert_allclose(np.linalg.norm(rows[50:], axis=1), lengths, rtol=1e-5)
        cosines = (source * rows[50:]).sum(axis=1) / lengths**2
        assert 0.7 < cosines.mean() < 0.85


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    again = make_world(REAL, VECTORS, count=300, queries=12)
    np.testing.assert_array_equal(again.vectors["text"], world.vectors["text"])
    other = make_world(REAL, VECTORS, count=300, queries=12, seed=1)
    assert not np.array_equal(other.vectors["text"], world.vectors["text"])


def test_recall_is_the_share_of_the_best_that_was_found(world: World) -> None:
    kinds = len(SPACES) * len(FILTERS)
    exact = measure(world, "exact", MemoryItemStore(), lambda: None, lambda: 7.0)
    assert [each.recall for each in exact.searches] == [1.0] * kinds
    assert (exact.films, exact.megabytes) == (300, 7.0)
    assert exact.ingest > 0
    half = measure(world, "half", Forgetful(), lambda: None, lambda: 0.0)
    assert [each.recall for each in half.searches if each.filters == "none"] == [0.5, 0.5]
    passing = {each.filters: each.passing for each in exact.searches}
    assert passing["none"] == 300 > passing["a genre and a decade"] > 0
    assert 0 < passing["few pass"] < 300


def test_a_store_that_holds_the_films_is_not_filled_again(world: World) -> None:
    store = MemoryItemStore()
    measure(world, "first", store, lambda: None, lambda: 0.0)
    assert measure(world, "second", store, lambda: None, lambda: 0.0).ingest == 0


def test_the_table_holds_the_newest_figures(world: World) -> None:
    store = MemoryItemStore()
    old = measure(world, "exact", store, lambda: None, lambda: 1.0)
    new = measure(world, "exact", store, lambda: None, lambda: 2.0)
    results = Results().with_figures(old).with_figures(new).with_start(measure_start(world.items))
    assert results.figures == (new,)
    lines = results_table(results).splitlines()
    rows = [line for line in lines if line.startswith("| 300 | exact |")]
    assert len(rows) == len(SPACES) * len(FILTERS)
    assert all("| 2 |" in row for row in rows)
    assert Results.model_validate_json(results.model_dump_json()) == results
