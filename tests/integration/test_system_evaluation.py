"""The evaluation of the whole search, in a small world and against PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusion.evaluate.data import load
from fusion.evaluate.harness import Harness, Plan
from fusion.evaluate.tasks import QUERY, SWIPES
from fusion.fake import HashingEncoder
from recommender.evaluation.bench import Bench, prepare
from recommender.evaluation.system import NOTHING
from recommender.evaluation.variants import BASE, measure_variants, system_tables
from recommender.evaluation.world import items_as_rated
from recommender.indexer import STARTER_VECTORS, read_vectors, sync_index
from recommender.models import Filters, Item
from recommender.settings import RecommenderSettings
from recommender.stores.held import HeldItems
from recommender.stores.memory import MemoryItemStore
from recommender.stores.postgres import Database, postgres_stores
from tests.unit.evaluate_world import people, write_folder

PLAN = Plan(validation_people=6, test_people=8, min_swipes=20, worded_at=20, draws=1)
SETTINGS = RecommenderSettings(search_variant="preference_vector", enable_search_cache=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A MovieLens folder of forty films, each person fond of one genre, and its catalogue."""
    return write_folder(tmp_path_factory.mktemp("world"), people(40))


@pytest.fixture(scope="module")
def harness(world: tuple[Path, Path]) -> Harness:
    return Harness(load(*world, min_ratings=1), PLAN)


@pytest.fixture(scope="module")
def bench(harness: Harness, world: tuple[Path, Path]) -> Bench:
    made = prepare(harness, world[1], HashingEncoder())
    return replace(made, tasks=[task for task in made.tasks if task.n_swipes == 20])


def test_popularity_is_counted_over_training_people_alone(
    harness: Harness, world: tuple[Path, Path]
) -> None:
    train = harness.split.train
    for index, item in enumerate(items_as_rated(world[1], harness.dataset, train)):
        values = [r.value for person in train.by_user.values() for r in person if r.item == index]
        assert item.item_id == harness.dataset.films[index].item_id
        assert item.rating_count == len(values) != 9
        assert item.rating_mean == pytest.approx(np.mean(values))


def test_who_swiped_is_answered_with_what_they_like(bench: Bench) -> None:
    variants = {BASE: {}, "generic": {"search_variant": "generic"}}
    results = list(measure_variants(bench, variants))
    assert [(r.scorer, r.task) for r in results] == [
        (name, kind) for name in variants for kind in (SWIPES, QUERY)
    ]
    reached = {(r.scorer, r.task): r.mean("ndcg@10") for r in results}
    assert reached[BASE, SWIPES] > reached["generic", SWIPES] + 0.1
    for result in results:
        assert all(0 <= value <= 1 for values in result.values.values() for value in values)
        assert 0 < result.coverage <= 1
        assert 0 < result.median <= result.p95
    tables = system_tables(results)
    assert tables.count("| generic |") == tables.count("###") == 3


def test_no_answer_holds_a_swiped_film_or_one_film_twice(bench: Bench) -> None:
    system = bench.system("ann", SETTINGS)
    for task in bench.tasks:
        for row, case in zip(system.answer(task).top, task.cases, strict=True):
            shown = [item for item in row if item != NOTHING]
            assert len(set(shown)) == len(shown)
            assert not set(shown) & {swipe.item for swipe in case.history}


def test_the_tables_compare_with_the_base_by_person(bench: Bench) -> None:
    results = list(measure_variants(bench, {BASE: {}, "the same": {}}))
    row = system_tables(results).partition("### A query")[0].splitlines()[-2]
    assert "+0.0% [+0.0%, +0.0%]" in row
    assert row.endswith("| 1.000 |")


@pytest.fixture(scope="module")
def scanned(starter_items: list[Item]) -> tuple[HeldItems, MemoryItemStore]:
    stores = HeldItems(MemoryItemStore()), MemoryItemStore()
    known = read_vectors(STARTER_VECTORS)
    for store in stores:
        sync_index(starter_items, store, HashingEncoder(), lambda *_: None, known)
    return stores


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 99),
    st.integers(1, 200),
    st.lists(st.sampled_from(["Drama", "Comedy", "War"]), max_size=2, unique=True),
    st.integers(1930, 2000),
    st.lists(st.integers(0, 1500), max_size=20),
)
def test_the_scan_finds_what_the_store_finds(
    scanned: tuple[HeldItems, MemoryItemStore],
    starter_items: list[Item],
    seed: int,
    k: int,
    genres: list[str],
    year: int,
    excluded: list[int],
) -> None:
    fast, plain = scanned
    vector = np.random.default_rng(seed).normal(size=HashingEncoder().dim).astype(np.float32)
    filters = Filters(include_genres=tuple(genres), year_from=year)
    exclude = [starter_items[row].item_id for row in excluded]
    found = [hit.item_id for hit in fast.nearest(vector, k, filters, exclude)]
    assert found == [hit.item_id for hit in plain.nearest(vector, k, filters, exclude)]


def test_memory_answers_as_postgresql_does(
    bench: Bench, database: Database, world: tuple[Path, Path], harness: Harness
) -> None:
    """In the small world; `reelwise evaluate --system --postgres` does it on MovieLens."""
    stores = postgres_stores(database, max_cache_entries=100)
    served = replace(prepare(harness, world[1], HashingEncoder(), stores), tasks=bench.tasks)
    one, other = bench.system("ann", SETTINGS), served.system("ann", SETTINGS)
    for task in bench.tasks:
        np.testing.assert_array_equal(other.answer(task).top, one.answer(task).top)
