"""Films in Chroma where it fails or is used twice; what it does well is in the contract suite."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from chromadb.errors import InternalError

from assistant.composition import open_recommender, open_stores
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.fake import HashingEncoder
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.indexer import sync_index
from recommender.models import Direction, Filters, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores import chroma
from recommender.stores.chroma import REACH, ChromaItemStore, open_chroma
from recommender.stores.ports import IndexedItem
from tests.conftest import new_database
from tests.models_folder import text_space

FILMS = [Item(item_id=str(number), title=f"Film {number}") for number in range(70)]
VECTOR = np.random.default_rng(0).normal(size=384).astype(np.float32) / np.float32(20)
HOLDER = """
import sys
from fasteners import InterProcessLock
lock = InterProcessLock(sys.argv[1])
assert lock.acquire(blocking=False)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ChromaItemStore]:
    with open_chroma(tmp_path) as opened:
        yield opened


def sync(store: ChromaItemStore, films: list[Item]) -> int:
    return sync_index(films, store, HashingEncoder(), lambda *_: None, {}, text_space())


def test_the_product_runs_on_it_and_finds_it_again(
    postgres_url: str, tmp_path: Path, encoder: TextEncoder
) -> None:
    with new_database(postgres_url) as database:
        settings = Settings(database_url=database, item_store="chroma", reelwise_home=tmp_path)
        request = SearchRequest(user_id="ann", query="lonely robots")
        with open_recommender(settings, encoder) as recommender:
            for card in recommender.start_survey("ann", 6).movies:
                recommender.record_swipe("ann", card.item_id, Direction.LIKE)
            found = recommender.search(request)
            assert not found.intelligence_metadata.degraded
        films = len(recommender.films())
        with open_stores(settings, RecommenderSettings()) as stores:
            assert len(stores.items.fingerprints()) == films > 1000
            nearest = stores.items.nearest(encoder.encode(["robots"])[0], 5, Filters())
            assert len(nearest) == 5


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    with open_chroma(tmp_path) as store:
        assert sync(store, FILMS) == 70
        before = [hit.score for hit in store.nearest(VECTOR, 9, Filters())]
    with open_chroma(tmp_path) as store:
        assert sync(store, FILMS) == 0
        assert [hit.score for hit in store.nearest(VECTOR, 9, Filters())] == before


def test_a_second_process_is_told_whose_the_files_are(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(InvalidRequest, match="belong to one process"), open_chroma(tmp_path):
            pass
        other.communicate()
    with open_chroma(tmp_path) as store:
        assert store.fingerprints() == {}


def test_files_that_are_no_index_are_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(InvalidRequest, match="Move it away"), open_chroma(tmp_path):
        pass


def test_what_fails_in_chroma_is_an_unavailable_store(store: ChromaItemStore) -> None:
    sync(store, FILMS)
    store._client.delete_collection("text")
    for action in (
        lambda: store.nearest(VECTOR, 5, Filters()),
        lambda: store.vectors(["1"]),
        lambda: store.remove(["1"]),
        lambda: store.upsert([IndexedItem(FILMS[0], VECTOR, "print")]),
        store.fingerprints,
        store.mean_vector,
        store.all,
        lambda: store.hold(384),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            action()
        assert "Chroma" in caught.value.detail


def test_a_write_that_broke_off_is_done_at_the_next_indexing(store: ChromaItemStore) -> None:
    texts = store._spaces["text"]
    with (
        patch.object(texts, "upsert", side_effect=InternalError("disk full")),
        pytest.raises(StoreUnavailable, match="does not answer"),
    ):
        store.upsert([IndexedItem(FILMS[0], VECTOR, "print", VECTOR)])
    assert store.fingerprints() == {}
    assert sync(store, FILMS) == 70
    assert store.vectors(["1"], "fused").keys() == {"1"}


def test_many_films_are_written_and_read_in_parts(
    store: ChromaItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma, "PAGE", 20)
    monkeypatch.setattr(store._client, "get_max_batch_size", lambda: 30)
    store.upsert([IndexedItem(film, VECTOR, "print") for film in FILMS])
    ids = [film.item_id for film in FILMS]
    assert store.fingerprints().keys() == set(ids)
    assert store.vectors(ids).keys() == set(ids)
    mean = store.mean_vector()
    assert mean is not None
    np.testing.assert_allclose(mean, VECTOR, atol=1e-6)
    store.remove(ids[:45])
    assert {film.item_id for film in store.all()} == set(ids[45:])


def test_a_vector_beyond_reach_is_found_with_its_true_score(store: ChromaItemStore) -> None:
    direction = VECTOR / np.linalg.norm(VECTOR)
    long = direction * np.float32(2 * REACH)
    added = [IndexedItem(FILMS[0], long, "print"), IndexedItem(FILMS[1], -direction, "print")]
    store.upsert(added)
    (hit, _) = store.nearest(direction, 2, Filters())
    assert hit.item_id == FILMS[0].item_id
    assert hit.score == pytest.approx(2 * REACH, rel=1e-5)
    np.testing.assert_array_equal(store.vectors(["0"])["0"], long)


def test_without_the_extra_the_mend_is_said(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "recommender.stores.chroma")
    monkeypatch.setitem(sys.modules, "chromadb", None)
    with new_database(postgres_url) as database:
        settings = Settings(database_url=database, item_store="chroma", reelwise_home=tmp_path)
        with (
            pytest.raises(
                InvalidRequest, match=r"needs chromadb: pip install 'reelwise\[chroma\]'"
            ),
            open_stores(settings, RecommenderSettings()),
        ):
            pass
