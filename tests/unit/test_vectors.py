"""Vectors of films, by id and as a matrix, whether the store holds them in memory or not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.stores.held import SPACES, HeldItems
from recommender.stores.memory import MemoryItemStore
from recommender.stores.ports import IndexedItem, ItemStore, Space, Vector
from recommender.vectors import ItemVectors

DIM = 4
UNPLACED = "3"


def stored() -> MemoryItemStore:
    store = MemoryItemStore()
    rows = np.random.default_rng(0).normal(size=(6, DIM)).astype(np.float32)
    items = [Item(item_id=str(n), title=f"Film {n}", rating_count=n) for n in range(6)]
    store.upsert(
        [
            IndexedItem(item, row, "f", None if item.item_id == UNPLACED else -row)
            for item, row in zip(items, rows, strict=True)
        ]
    )
    return store


@pytest.fixture(params=["read", "held"])
def store(request: pytest.FixtureRequest) -> ItemStore:
    return HeldItems(stored()) if request.param == "held" else stored()


def test_a_matrix_has_the_films_in_the_catalogues_order(store: ItemStore) -> None:
    catalogue, vectors = Catalogue.of(store.all()), ItemVectors(store)
    matrix = vectors.matrix(catalogue, np.ones(DIM, np.float32))
    by_id = vectors.get(catalogue.rows)
    assert np.array_equal(matrix, [by_id[item.item_id] for item in catalogue.items])


@pytest.mark.parametrize("missing", [0.0, 2.0])
def test_what_has_no_vector_is_filled_in(store: ItemStore, missing: float) -> None:
    catalogue, vectors = Catalogue.of(store.all()), ItemVectors(store, "fused")
    matrix = vectors.matrix(catalogue, np.full(DIM, missing, np.float32))
    row = catalogue.rows[UNPLACED]
    assert UNPLACED not in vectors.get(catalogue.rows)
    assert (matrix[row] == missing).all()
    assert np.array_equal(
        np.delete(matrix, row, 0), np.array(list(vectors.get(catalogue.rows).values()))
    )


def test_held_vectors_are_in_memory_once() -> None:
    store = HeldItems(stored())
    catalogue, vectors = Catalogue.of(store.all()), ItemVectors(store, "fused")
    matrix = vectors.matrix(catalogue, np.zeros(DIM, np.float32))
    assert Catalogue.of(store.all()) is catalogue
    assert all(np.shares_memory(matrix, vector) for vector in vectors.get(catalogue.rows).values())
    assert np.shares_memory(matrix, vectors.matrix(catalogue, np.zeros(DIM, np.float32)))


def test_a_catalogue_in_another_order_is_read_in_that_order() -> None:
    store = HeldItems(stored())
    catalogue = Catalogue(item.model_copy(update={"rating_count": 0}) for item in store.all())
    vectors = ItemVectors(store)
    matrix = vectors.matrix(catalogue, np.zeros(DIM, np.float32))
    by_id = vectors.get(catalogue.rows)
    assert np.array_equal(matrix, [by_id[item.item_id] for item in catalogue.items])


def test_a_store_without_any_vector_of_a_space_gives_what_is_missing() -> None:
    inner = MemoryItemStore()
    inner.upsert([IndexedItem(Item(item_id="1", title="It"), np.ones(DIM, np.float32), "f")])
    store = HeldItems(inner)
    matrix = ItemVectors(store, "fused").matrix(
        Catalogue.of(store.all()), np.zeros(DIM, np.float32)
    )
    assert matrix.tolist() == [[0.0] * DIM]


class Unread(MemoryItemStore):
    """A store that must not be asked for vectors."""

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        raise AssertionError(f"vectors were read again: {space}, {item_ids}")


def filled(store: MemoryItemStore, fingerprint: str, value: float) -> MemoryItemStore:
    vector = np.full(DIM, value, np.float32)
    store.upsert([IndexedItem(Item(item_id="1", title="It"), vector, fingerprint)])
    return store


def test_vectors_are_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    first = HeldItems(filled(MemoryItemStore(), "f", 1.0), cache_folder=tmp_path)
    again = HeldItems(filled(Unread(), "f", 1.0), cache_folder=tmp_path)
    for space in SPACES:
        assert np.array_equal(first.matrix(space), again.matrix(space))
        assert first.vectors(["1"], space).keys() == again.vectors(["1"], space).keys()
    assert list(again.vectors(["1"])) == ["1"]


def test_vectors_of_other_films_are_read(tmp_path: Path) -> None:
    HeldItems(filled(MemoryItemStore(), "f", 1.0), cache_folder=tmp_path).all()
    other = HeldItems(filled(MemoryItemStore(), "changed", 2.0), cache_folder=tmp_path)
    assert other.matrix("text").tolist() == [[2.0] * DIM]
    other.upsert([IndexedItem(Item(item_id="1", title="It"), np.zeros(DIM, np.float32), "again")])
    assert other.matrix("text").tolist() == [[0.0] * DIM]


def test_films_at_hand_stand_for_those_of_the_store_only_while_they_are_the_same() -> None:
    at_hand = [Item(item_id="1", title="At hand")]
    for known, title in (({"1": "f"}, "At hand"), ({"1": "older"}, "It")):
        held = HeldItems(filled(MemoryItemStore(), "f", 1.0), known, at_hand)
        assert [item.title for item in held.all()] == [title]


@pytest.mark.parametrize("space", ["text", "fused"])
def test_rows_have_the_vectors_of_their_films(store: ItemStore, space: Space) -> None:
    catalogue, vectors = Catalogue.of(store.all()), ItemVectors(store, space)
    for rows in ([2, 0, 5, 1, 3, 4], [4, 2], [catalogue.rows[UNPLACED]], []):
        found, present = vectors.of_rows(catalogue, np.array(rows, dtype=np.intp))
        ids = [catalogue.items[row].item_id for row in rows]
        by_id = vectors.get(ids)
        assert present.tolist() == [item_id in by_id for item_id in ids]
        assert found.tolist() == [by_id[item_id].tolist() for item_id in ids if item_id in by_id]
