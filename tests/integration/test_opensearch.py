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
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.indexer import sync_index
from recommender.lexical import TextQuery
from recommender.models import Direction, Filters, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores import opensearch as adapter
from recommender.stores.opensearch import OpenSearchItemStore, connect
from recommender.stores.ports import IndexedItem
from recommender.text import terms
from recommender.word_search import InEngine, InProcess, WordSearch
from tests.conftest import new_database
from tests.models_folder import text_space
from tests.opensearch import Cluster, opensearch, serving
from tests.scripted_endpoint import (
    PATIENT,
    Act,
    ScriptedEndpoint,
    act_of,
    hang,
    patience,
    reply,
    reset,
)

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
def store(request: pytest.FixtureRequest, server: ScriptedEndpoint) -> OpenSearchItemStore:
    opened = connect(server.url, "films", DIM, DIM, timeout=patience(act_of(request), 1.0))
    opened.upsert([FILM])
    return opened


def before_answering(server: ScriptedEndpoint, *acts: Act) -> None:
    server.script.extendleft(reversed(acts))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("act", [BUSY, DOWN, reset, hang])
def test_what_passes_is_waited_out(server: ScriptedEndpoint, act: Act) -> None:
    asker = connect(server.url, "films", DIM, DIM, timeout=patience(act, 3.0))
    before_answering(server, act, act)
    assert [hit.item_id for hit in asker.nearest(VECTOR, 1, Filters())] == ["1"]


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
        lambda: store.best(["heat"], 5, Filters()),
        lambda: store.scores([("whole", ["heat"])], ["1"]),
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


class TestWords:
    """The engine's BM25 beside that of this process, of which only the engine's may be asked."""

    QUERIES = ("heist gone wrong", "space robots lonely", "Agnès Varda", "drama drama", "qzxv")
    FILTERS = (
        Filters(),
        Filters(include_genres=("Comedy",), year_from=1990),
        Filters(exclude_genres=("Drama",), people=("Agnès Varda",)),
    )
    SETTINGS = RecommenderSettings(enhance_field_weights=True)

    @pytest.fixture
    def catalogue(self, starter_items: list[Item]) -> Catalogue:
        return Catalogue(starter_items[:400])

    @pytest.fixture
    def searches(
        self, catalogue: Catalogue, server: ScriptedEndpoint
    ) -> tuple[WordSearch, WordSearch]:
        patient = connect(server.url, "films", 8, DIM, timeout=PATIENT)
        patient.upsert([IndexedItem(item, VECTOR[:8], "print") for item in catalogue.items])
        here = InProcess(catalogue, self.SETTINGS)
        return here, InEngine(catalogue, patient, self.SETTINGS)

    def test_it_finds_and_scores_what_this_process_does(
        self, catalogue: Catalogue, searches: tuple[WordSearch, WordSearch]
    ) -> None:
        excluded = [item.item_id for item in catalogue.items[:20]]
        for query in self.QUERIES:
            for filters in self.FILTERS:
                words = TextQuery(terms(query))
                here, there = (s.find(words, filters, excluded, 40) for s in searches)
                ours, theirs = here.scores(here.rows), there.scores(there.rows)
                np.testing.assert_allclose(ours, theirs, rtol=1e-4)
                # Films of one score come in any order, and any of them may be cut off.
                sure = ours > ours.min(initial=np.inf) + 1e-4
                assert set(here.rows[sure]) <= set(there.rows)
                others = np.arange(0, len(catalogue), 17)
                np.testing.assert_allclose(
                    here.scores(others), there.scores(others), rtol=1e-4, atol=1e-6
                )

    def test_fields_count_as_in_this_process(
        self, catalogue: Catalogue, searches: tuple[WordSearch, WordSearch]
    ) -> None:
        weights = {"people": 2.0, "overview": 0.5, "title": 1.0}
        asked = TextQuery(terms("heist in paris"), (), weights)
        here, there = (s.find(asked, Filters(), (), len(catalogue)) for s in searches)
        assert set(here.rows) == set(there.rows)
        assert len(here.rows) > 5
        ours, theirs = here.scores(here.rows), there.scores(here.rows)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)
        usual = searches[1].find(TextQuery(asked.words), Filters(), (), len(catalogue))
        assert not np.allclose(theirs, usual.scores(here.rows))

    def test_hints_sort_the_films_found(
        self, catalogue: Catalogue, searches: tuple[WordSearch, WordSearch]
    ) -> None:
        words, hints = terms("heist in paris"), terms("Comedy")
        plain, hinted = (
            searches[1].find(query, Filters(), (), len(catalogue))
            for query in (TextQuery(words), TextQuery(words, hints))
        )
        rows = plain.rows
        assert set(hinted.rows) == set(rows)
        before, after = plain.scores(rows), hinted.scores(rows)
        funny = np.array(["Comedy" in catalogue.items[row].genres for row in rows])
        assert (after[funny] > before[funny]).all()
        np.testing.assert_array_equal(after[~funny], before[~funny])
        most = self.SETTINGS.ranking.hints * before.max()
        assert (after - before).max() == pytest.approx(most, rel=1e-4)

    def test_a_search_asks_it_once_for_films_and_once_for_scores(
        self,
        server: ScriptedEndpoint,
        searches: tuple[WordSearch, WordSearch],
    ) -> None:
        before = len(server.requests)
        found = searches[1].find(TextQuery(terms("heist"), terms("Comedy")), Filters(), (), 10)
        found.scores(found.rows)
        asked = [request.path.rpartition("/")[2] for request in server.requests[before:]]
        assert asked == ["_search", "_msearch"]
        searches[1].find(TextQuery(), Filters(), (), 10).scores(found.rows)
        assert len(server.requests) == before + 2

    def test_a_search_of_several_that_fails_is_an_unavailable_store(
        self, server: ScriptedEndpoint, store: OpenSearchItemStore
    ) -> None:
        failed = {"error": {"type": "search_phase_execution_exception"}, "status": 503}
        whole = {"hits": {"hits": []}, "status": 200}
        body = json.dumps({"responses": [whole, failed]}).encode()
        before_answering(server, reply(200, body))
        with pytest.raises(StoreUnavailable) as caught:
            store.scores([("whole", ["heat"]), ("title", ["heat"])], ["1"])
        assert caught.value.detail == "OpenSearch: a search by words failed, 503"

    def test_an_index_without_words_is_made_anew(
        self, cluster: Cluster, store: OpenSearchItemStore
    ) -> None:
        del cluster.indices["films"].fields["words"]
        with pytest.raises(InvalidRequest, match="reelwise index --anew"):
            store.hold(DIM)
        store.remove(["1"])
        store.hold(DIM)
        store.upsert([FILM])
        assert [hit.item_id for hit in store.best(["heat"], 5, Filters())] == ["1"]


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
                database_url=database,
                item_store="opensearch",
                opensearch_url=server.url,
                opensearch_timeout=PATIENT,
            )
            with open_recommender(settings, encoder) as recommender:
                for card in recommender.start_survey("ann", 6).movies:
                    recommender.record_swipe("ann", card.item_id, Direction.LIKE)
                request = SearchRequest(user_id="ann", query="lonely robots in the 90s")
                found = recommender.search(request)
                assert found.items
                assert not found.intelligence_metadata.degraded
                assert any("Matches your words" in "".join(i.reason) for i in found.items)
                assert any(b'"match"' in request.body for request in server.requests)
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
