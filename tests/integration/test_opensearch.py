"""OpenSearch where it fails or settings ask for it; what it does well is in the contract suite.

No cluster was at hand: the server speaks its REST API, to the official client.
"""

import json
import sys
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest

from assistant.composition import open_recommender, open_stores
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.fake import HashingEncoder
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.indexer import sync_index
from recommender.models import Direction, Filters, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores import opensearch as adapter
from recommender.stores.opensearch import OpenSearchItemStore, connect
from recommender.stores.ports import IndexedItem
from tests.conftest import new_database
from tests.models_folder import text_space
from tests.opensearch import Cluster, opensearch, serving
from tests.scripted_endpoint import Act, ScriptedEndpoint, hang, reply, reset

DIM = 384
VECTOR = np.random.default_rng(0).normal(size=DIM).astype(np.float32)
FILM = IndexedItem(Item(item_id="1", title="Heat"), VECTOR, "print")
FILMS = [Item(item_id=str(number), title=f"Film {number}") for number in range(70)]
BUSY = reply(429, b'{"error": {"type": "es_rejected_execution_exception"}, "status": 429}')
DOWN = reply(503, b'{"error": {"type": "cluster_block_exception"}, "status": 503}')
PASSWORD = "s3cr3t/@:"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def server(cluster: Cluster) -> Iterator[ScriptedEndpoint]:
    with opensearch() as running:
        running.script.clear()
        running.script.append(serving(cluster))
        yield running


@pytest.fixture
def store(server: ScriptedEndpoint) -> OpenSearchItemStore:
    opened = connect(server.url, "films", DIM, DIM, timeout=1.0)
    opened.upsert([FILM])
    return opened


def before_answering(server: ScriptedEndpoint, *acts: Act) -> None:
    server.script.extendleft(reversed(acts))


@pytest.mark.parametrize("act", [BUSY, DOWN, reset, hang])
def test_what_passes_is_waited_out(
    server: ScriptedEndpoint, store: OpenSearchItemStore, act: Act
) -> None:
    before_answering(server, act, act)
    assert [hit.item_id for hit in store.nearest(VECTOR, 1, Filters())] == ["1"]


@pytest.mark.parametrize("act", [BUSY, DOWN, reset, hang, reply(200, b"<html>no JSON")])
def test_what_goes_on_is_an_unavailable_store(
    server: ScriptedEndpoint, store: OpenSearchItemStore, act: Act
) -> None:
    server.script.clear()
    server.script.append(act)
    for action in (
        lambda: store.nearest(VECTOR, 5, Filters()),
        lambda: store.vectors(["1"]),
        lambda: store.remove(["1"]),
        store.fingerprints,
        store.mean_vector,
        store.all,
        lambda: store.hold(DIM),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            action()
        assert caught.value.detail.startswith("OpenSearch: ")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "FIRST_WAIT", 0)


def refusing(*item_ids: str) -> Act:
    """A bulk answer in which the queue was full for these films."""
    error = {"type": "rejected_execution_exception", "reason": "rejected"}
    items = [{"index": {"_id": item_id, "status": 429, "error": error}} for item_id in item_ids]
    return reply(200, json.dumps({"errors": True, "items": items}).encode())


@pytest.mark.usefixtures("quick")
def test_films_that_it_was_too_busy_for_are_sent_again(
    server: ScriptedEndpoint, store: OpenSearchItemStore
) -> None:
    film = IndexedItem(FILMS[2], VECTOR, "print")
    before_answering(server, refusing("2"), refusing("2"))
    store.upsert([film])
    assert store.fingerprints().keys() == {"1", "2"}


@pytest.mark.usefixtures("quick")
def test_films_that_it_stays_too_busy_for_are_an_unavailable_store(
    server: ScriptedEndpoint, store: OpenSearchItemStore
) -> None:
    before_answering(server, *[refusing("2")] * 3)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.upsert([IndexedItem(FILMS[2], VECTOR, "print")])
    assert store.fingerprints().keys() == {"1"}


def test_a_batch_that_fails_in_part_is_completed_by_the_next_indexing(
    server: ScriptedEndpoint, store: OpenSearchItemStore
) -> None:
    encoder = HashingEncoder()
    short = IndexedItem(FILMS[3], VECTOR[:5], "print")
    with pytest.raises(StoreUnavailable):
        store.upsert([IndexedItem(FILMS[2], VECTOR, "print"), short])
    assert sync_index(FILMS, store, encoder, lambda *_: None, {}, text_space()) == 70
    assert store.fingerprints().keys() == {film.item_id for film in FILMS}
    assert store.vectors(["69"], "fused").keys() == {"69"}
    assert len([request for request in server.requests if request.path.startswith("/_bulk")]) == 4


def test_catalogues_longer_than_a_page_are_read_whole(
    store: OpenSearchItemStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "PAGE", 20)
    store.upsert([IndexedItem(film, VECTOR, "print") for film in FILMS])
    ids = [film.item_id for film in FILMS]
    assert {item.item_id for item in store.all()} == set(ids)
    assert store.vectors(ids).keys() == set(ids)
    store.remove(ids[:45])
    assert store.fingerprints().keys() == set(ids[45:])


def test_a_second_server_takes_the_index_that_the_first_made(
    server: ScriptedEndpoint, cluster: Cluster
) -> None:
    absent = reply(404, b"")
    connect(server.url, "films", DIM, DIM).upsert([FILM])
    before_answering(server, absent)  # looked before the first had made it
    assert connect(server.url, "films", DIM, DIM).fingerprints() == {"1": "print"}
    assert cluster.indices.keys() == {"films"}


def test_an_index_that_cannot_be_made_ends_the_start(server: ScriptedEndpoint) -> None:
    with pytest.raises(InvalidRequest, match=r"RequestError 400\. Check that it runs"):
        connect(server.url, "UPPER", DIM, DIM)


class TestWhoAsks:
    @pytest.fixture
    def guarded(self) -> Iterator[ScriptedEndpoint]:
        with opensearch(credentials=f"ada:{PASSWORD}") as server:
            yield server

    @pytest.fixture
    def address(self, guarded: ScriptedEndpoint) -> str:
        return guarded.url.removeprefix("http://")

    def test_user_and_password_are_taken_from_the_address(self, address: str) -> None:
        store = connect(f"http://ada:{quote(PASSWORD, safe='')}@{address}", "films", DIM, DIM)
        store.upsert([FILM])
        assert store.fingerprints() == {"1": "print"}

    @pytest.mark.parametrize("who", ["", "ada:wrong@"])
    def test_others_are_refused_and_no_password_is_told(self, address: str, who: str) -> None:
        with pytest.raises(InvalidRequest, match="AuthenticationException 401") as caught:
            connect(f"http://{who}{address}", "films", DIM, DIM)
        assert "wrong" not in str(caught.value)

    def test_requests_are_signed_for_amazon(
        self, server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-nothing")
        connect(server.url, "films", DIM, DIM, region="eu-central-1").upsert([FILM])
        for request in server.requests:
            signed = request.headers["authorization"]
            assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
            assert "/eu-central-1/es/aws4_request" in signed

    def test_without_credentials_to_sign_with_the_mend_is_said(
        self, server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        with pytest.raises(InvalidRequest, match="there are no AWS credentials"):
            connect(server.url, "films", DIM, DIM, region="eu-central-1")


class TestServing:
    def test_the_product_runs_on_it(
        self, postgres_url: str, server: ScriptedEndpoint, cluster: Cluster, encoder: TextEncoder
    ) -> None:
        with new_database(postgres_url) as database:
            settings = Settings(
                database_url=database, item_store="opensearch", opensearch_url=server.url
            )
            with open_recommender(settings, encoder) as recommender:
                for card in recommender.start_survey("ann", 6).movies:
                    recommender.record_swipe("ann", card.item_id, Direction.LIKE)
                request = SearchRequest(user_id="ann", query="lonely robots in the 90s")
                found = recommender.search(request)
                assert found.items
                assert not found.intelligence_metadata.degraded
                assert len(cluster.indices["reelwise-films"].seen) == len(recommender.films())

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:port"])
    def test_a_wrong_address_ends_the_start(self, postgres_url: str, url: str) -> None:
        with new_database(postgres_url) as database:
            settings = Settings(database_url=database, item_store="opensearch", opensearch_url=url)
            with (
                pytest.raises(InvalidRequest, match="OPENSEARCH_URL"),
                open_stores(settings, RecommenderSettings()),
            ):
                pass

    def test_without_the_extra_the_mend_is_said(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(sys.modules, "recommender.stores.opensearch")
        monkeypatch.setitem(sys.modules, "opensearchpy", None)
        with new_database(postgres_url) as database:
            settings = Settings(database_url=database, item_store="opensearch")
            with (
                pytest.raises(InvalidRequest, match=r"pip install 'reelwise\[opensearch\]'"),
                open_stores(settings, RecommenderSettings()),
            ):
                pass
