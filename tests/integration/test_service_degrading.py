"""What fails and what does not when a part of the service is down."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import create_autospec

import numpy as np
import pytest

from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import StoreUnavailable
from recommender.indexer import sync_index
from recommender.models import Direction, Item
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import (
    EmbeddingCache,
    ItemStore,
    PreferenceStore,
    SearchCache,
    Stores,
    SwipeLog,
)
from tests.integration.viewers import ROMANCE, SCI_FI, ids, look, opinions, ranking, tell

SETTINGS = RecommenderSettings()
QUERY = "lonely robots far from home"


class SwitchableEncoder(HashingEncoder):
    """The hashing fake, with a switch that takes it down and a count of texts it embedded."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.embedded = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.down:
            raise EncoderUnavailable("taken down by a test")
        self.embedded += len(texts)
        return super().encode(texts)


@pytest.fixture(scope="module")
def indexed(starter_items: list[Item]) -> Stores:
    """The starter catalogue in memory, with the hashing encoder's vectors."""
    stores = memory_stores()
    sync_index(starter_items, stores.items, HashingEncoder(), lambda _done, _total: None, {})
    return stores


@pytest.fixture
def whole(indexed: Stores) -> Stores:
    """The same films, and nothing known of anybody."""
    return replace(memory_stores(), items=indexed.items)


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


def broken(port: type) -> object:
    """A double of a port that never answers."""
    double = create_autospec(port, instance=True)
    for name in [name for name in vars(port) if not name.startswith("_")]:
        getattr(double, name).side_effect = StoreUnavailable()
    return double


def server(stores: Stores, encoder: TextEncoder | None = None) -> Recommender:
    return Recommender(stores, encoder or HashingEncoder(), SETTINGS)


def test_without_the_encoder_words_and_taste_answer(whole: Stores, catalogue: Catalogue) -> None:
    encoder = SwitchableEncoder()
    service = server(whole, encoder)
    encoder.down = True
    stranger = look(service, "stranger", QUERY, k=10)
    assert stranger.intelligence_metadata.degraded == ("encoder",)
    assert len(stranger.items) == 10
    assert any("obot" in " ".join((i.title, i.overview)) for i in stranger.items)
    tell(service, "fan", opinions(catalogue, SCI_FI, ROMANCE))
    fan = look(service, "fan", QUERY, k=10)
    assert fan.intelligence_metadata.degraded == ("encoder",)
    assert fan.intelligence_metadata.strategy == "personal"
    assert any(item.preference_boost for item in fan.items)
    assert service.explain("fan", ids(fan)[0], QUERY).evidence
    assert not service.ready()["encoder"]
    assert service.ready()["store"]


def test_a_degraded_answer_is_not_remembered(whole: Stores) -> None:
    encoder = SwitchableEncoder()
    service = server(whole, encoder)
    encoder.down = True
    assert not any(look(service, "ann", QUERY).cached for _ in range(2))
    encoder.down = False
    mended = look(service, "ann", QUERY)
    assert not mended.cached
    assert mended.intelligence_metadata.degraded == ()


def test_a_remembered_embedding_does_without_the_encoder(whole: Stores) -> None:
    encoder = SwitchableEncoder()
    service = server(whole, encoder)
    first = look(service, "ann", QUERY, k=5)
    encoder.down = True
    again = look(service, "ann", QUERY, k=6)
    assert not again.cached
    assert again.intelligence_metadata.embedding_cached
    assert again.intelligence_metadata.degraded == ()
    assert ids(again)[0] == ids(first)[0]
    assert encoder.embedded == 1


def test_without_caches_everything_is_computed(whole: Stores, catalogue: Catalogue) -> None:
    uncached = replace(
        whole,
        embeddings=broken(EmbeddingCache),  # type: ignore[arg-type]
        searches=broken(SearchCache),  # type: ignore[arg-type]
    )
    service, healthy = server(uncached), server(whole)
    for user in ("ann", "bob"):
        if user == "bob":
            tell(service, user, opinions(catalogue, SCI_FI, ROMANCE))
        answers = [look(service, user, QUERY, k=10) for _ in range(2)]
        for answer in answers:
            degraded = answer.intelligence_metadata.degraded
            assert set(degraded) == {"search_cache", "embedding_cache"}
            assert not answer.cached
            assert ranking(answer) == ranking(look(healthy, user, QUERY, k=10))
    receipt = service.undo_swipe("bob")
    assert receipt.status == "undone"
    assert receipt.preferences_updated


def test_an_answer_that_cannot_be_remembered_is_given_all_the_same(whole: Stores) -> None:
    full = broken(SearchCache)
    full.get.side_effect = None  # type: ignore[attr-defined]
    full.get.return_value = None  # type: ignore[attr-defined]
    recommender = server(replace(whole, searches=full))  # type: ignore[arg-type]
    answer = look(recommender, "ann", QUERY, k=5)
    assert ids(answer) == ids(look(server(whole), "ann", QUERY, k=5))
    assert answer.intelligence_metadata.degraded == ("search_cache",)


def test_without_the_swipe_log_nothing_is_acknowledged(whole: Stores) -> None:
    service = server(replace(whole, swipes=broken(SwipeLog)))  # type: ignore[arg-type]
    item_id = next(iter(whole.items.fingerprints()))
    for action in (
        lambda: service.record_swipe("ann", item_id, Direction.LIKE),
        lambda: service.undo_swipe("ann"),
        lambda: look(service, "ann"),
        lambda: service.profile("ann"),
        lambda: service.export_user("ann"),
        lambda: service.forget_user("ann"),
        lambda: service.start_survey("ann"),
    ):
        with pytest.raises(StoreUnavailable):
            action()
    assert service.ready() == {"store": False, "index": True, "encoder": True}


def test_a_swipe_is_acknowledged_though_it_cannot_be_learned_from(
    whole: Stores, catalogue: Catalogue
) -> None:
    """Only the log is the store of record: preferences can be learned again from it."""
    item_id, second = list(catalogue.rows)[:2]
    healthy = server(whole)
    healthy.record_swipe("ann", item_id, Direction.LIKE)
    unlearning = create_autospec(PreferenceStore, instance=True)
    unlearning.get.side_effect = whole.preferences.get
    unlearning.put.side_effect = StoreUnavailable()
    service = server(replace(whole, preferences=unlearning))
    receipt = service.record_swipe("ann", second, Direction.LIKE)
    assert (receipt.swipe_count, receipt.preferences_updated) == (2, False)
    assert len(whole.swipes.events("ann")) == 2
    assert healthy.profile("ann").like_count == 2


def test_without_the_film_store_searches_fail(whole: Stores) -> None:
    items = create_autospec(ItemStore, instance=True)
    items.all.return_value = list(whole.items.all())
    items.mean_vector.return_value = np.zeros(384, dtype=np.float32)
    items.nearest.side_effect = items.vectors.side_effect = StoreUnavailable()
    with pytest.raises(StoreUnavailable):
        look(server(replace(whole, items=items)), "ann", QUERY)


def test_another_model_never_reads_old_answers(whole: Stores, catalogue: Catalogue) -> None:
    old = server(whole)
    tell(old, "ann", opinions(catalogue, SCI_FI, ROMANCE))
    for user in ("ann", "stranger"):
        look(old, user, QUERY)
        assert look(old, user, QUERY).cached
    newer = HashingEncoder()
    newer.model_version = "hashing-2"
    renewed = server(whole, newer)
    for user in ("ann", "stranger"):
        answer = look(renewed, user, QUERY)
        assert not answer.cached
        assert not answer.intelligence_metadata.embedding_cached or user == "stranger"
        assert answer.model_version == "hashing-2"
    assert renewed.profile("ann").transformer_metrics.model_version == "hashing-2"
    assert renewed.profile("ann").swipe_count == 20


def test_another_catalogue_never_reads_old_answers(whole: Stores) -> None:
    look(server(whole), "ann", QUERY)
    other = memory_stores()
    films = [item for item in whole.items.all() if item.item_id != "1"]
    sync_index(films, other.items, HashingEncoder(), lambda _done, _total: None, {})
    assert not look(server(replace(whole, items=other.items)), "ann", QUERY).cached


def test_an_empty_catalogue_answers_with_nothing() -> None:
    service = server(memory_stores())
    assert look(service, "ann", "anything").items == ()
    assert not service.ready()["index"]
    assert service.profile("ann").swipe_count == 0
