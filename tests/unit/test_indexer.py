"""Bringing the item store in line with a catalogue file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder
from recommender.errors import InvalidRequest
from recommender.indexer import (
    BATCH,
    fingerprint,
    read_items,
    read_vectors,
    sync_index,
    write_vectors,
)
from recommender.models import Item
from recommender.stores.memory import memory_stores
from recommender.stores.ports import ItemStore
from recommender.text import embedding_text
from tests.counting_encoder import CountingEncoder

FILMS = [
    Item(item_id=f"f{number}", title=f"Film {number}", overview=f"word{number}")
    for number in range(BATCH * 2 + 5)
]


@pytest.fixture
def store() -> ItemStore:
    return memory_stores().items


def sync(store: ItemStore, films: Sequence[Item], encoder: HashingEncoder) -> int:
    return sync_index(films, store, encoder, lambda _done, _total: None, {})


def test_a_fingerprint_changes_with_any_fact_and_with_the_model() -> None:
    film = Item(item_id="a", title="A", tags=("x",))
    facts = {
        "item_id": "b", "title": "B", "year": 1999, "genres": ("Drama",), "director": ("Ida Ozu",),
        "credit": "Written by", "cast": ("Bo Lee",), "tags": ("y",), "overview": "It ends.",
        "poster": "https://posters.test/a.jpg", "imdb_id": "tt1", "tmdb_id": 1, "rating_count": 1,
        "rating_mean": 4.0,
    }  # fmt: skip
    assert facts.keys() == Item.model_fields.keys()
    others = [film.model_copy(update={name: value}) for name, value in facts.items()]
    prints = {fingerprint(each, "model-1") for each in (film, *others)}
    prints.add(fingerprint(film, "model-2"))
    assert len(prints) == len(facts) + 2


def test_a_first_sync_embeds_everything_and_tells_how_far_it_is(store: ItemStore) -> None:
    told: list[tuple[int, int]] = []
    encoder = CountingEncoder()
    count = sync_index(FILMS, store, encoder, lambda *step: told.append(step), {})
    assert count == len(FILMS) == len(encoder.texts)
    assert told == [(BATCH, len(FILMS)), (2 * BATCH, len(FILMS)), (len(FILMS), len(FILMS))]
    assert sorted(item.item_id for item in store.all()) == sorted(i.item_id for i in FILMS)
    wanted = HashingEncoder().encode([embedding_text(FILMS[70])])[0]
    np.testing.assert_array_equal(store.vectors(["f70"])["f70"], wanted)


def test_a_poster_that_changes_is_stored(store: ItemStore) -> None:
    sync(store, FILMS[:2], HashingEncoder())
    films = [FILMS[0], FILMS[1].model_copy(update={"poster": "https://pictures.test/1.jpg"})]
    assert sync(store, films, HashingEncoder()) == 1
    assert {item.poster for item in store.all()} == {None, "https://pictures.test/1.jpg"}


def test_a_second_sync_has_nothing_to_do(store: ItemStore) -> None:
    sync(store, FILMS, HashingEncoder())
    idle = CountingEncoder(fail_after=0)
    assert sync(store, FILMS, idle) == 0
    assert idle.texts == []


def test_only_what_changed_is_touched(store: ItemStore) -> None:
    sync(store, FILMS, HashingEncoder())
    changed = FILMS[3].model_copy(update={"overview": "another"})
    new = Item(item_id="new", title="New")
    encoder = CountingEncoder()
    assert sync(store, [changed, new, *FILMS[5:]], encoder) == 2
    assert encoder.texts == [embedding_text(changed), embedding_text(new)]
    films = {item.item_id: item for item in store.all()}
    assert films["f3"] == changed
    assert films.keys() == {"f3", "new", *(item.item_id for item in FILMS[5:])}


def test_facts_outside_the_text_are_kept_up_too(store: ItemStore) -> None:
    sync(store, FILMS[:2], HashingEncoder())
    rated = FILMS[0].model_copy(update={"rating_count": 7, "rating_mean": 4.0})
    assert sync(store, [rated, FILMS[1]], HashingEncoder()) == 1
    assert {item.rating_count for item in store.all()} == {0, 7}


def test_another_model_embeds_everything_anew(store: ItemStore) -> None:
    sync(store, FILMS[:9], HashingEncoder())
    newer = CountingEncoder()
    newer.model_version = "hashing-2"
    assert sync(store, FILMS[:9], newer) == 9


def test_an_interrupted_sync_goes_on_where_it_stopped(store: ItemStore) -> None:
    with pytest.raises(EncoderUnavailable):
        sync(store, FILMS, CountingEncoder(fail_after=BATCH))
    assert len(store.fingerprints()) == BATCH
    encoder = CountingEncoder()
    assert sync(store, FILMS, encoder) == len(FILMS) - BATCH == len(encoder.texts)


def test_vectors_made_beforehand_spare_the_encoder(store: ItemStore, tmp_path: Path) -> None:
    path = tmp_path / "films.vectors.npz"
    write_vectors(path, FILMS, HashingEncoder())
    known = read_vectors(path)
    new = Item(item_id="new", title="New")
    encoder = CountingEncoder()
    films = [*FILMS[:3], new, *FILMS[3:]]
    assert sync_index(films, store, encoder, lambda _done, _total: None, known) == len(films)
    assert encoder.texts == [embedding_text(new)]
    made = HashingEncoder().encode([embedding_text(item) for item in films])
    stored = store.vectors([item.item_id for item in films])
    for item, vector in zip(films, made, strict=True):
        np.testing.assert_allclose(stored[item.item_id], vector, atol=1e-3)
        assert np.linalg.norm(stored[item.item_id]) == pytest.approx(1, abs=1e-6)


def test_vectors_of_another_model_are_not_used(store: ItemStore, tmp_path: Path) -> None:
    path = tmp_path / "films.vectors.npz"
    write_vectors(path, FILMS[:4], HashingEncoder())
    newer = CountingEncoder()
    newer.model_version = "hashing-2"
    sync_index(FILMS[:4], store, newer, lambda _done, _total: None, read_vectors(path))
    assert len(newer.texts) == 4


@pytest.mark.parametrize("line", ["{", "[]", '{"item_id": "x"}', '{"item_id": "", "title": "T"}'])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "films.jsonl"
    path.write_text('{"item_id": "1", "title": "Amélie"}\n' + line, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"films\.jsonl, line 2"):
        read_items(path)


def test_items_are_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "films.jsonl"
    path.write_text("".join(item.model_dump_json() + "\n" for item in FILMS), encoding="utf-8")
    assert read_items(path) == FILMS
