"""DynamoDB where it fails, forgets and fills up; what it does well is in the contract suite."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest

from assistant.composition import open_recommender
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.models import Direction, SearchRequest, SwipeEvent
from recommender.preferences.model import UserPreferences
from recommender.stores.dynamodb import Tables, caches, connect, in_dynamodb, swipes
from recommender.stores.dynamodb.swipes import DynamoSwipeLog
from recommender.stores.dynamodb.tables import ATTEMPTS, SHAPES, ConditionFailed, Table
from recommender.stores.memory import memory_stores
from recommender.stores.ports import (
    CachedSearch,
    CacheKey,
    LogVersion,
    NewEmbedding,
    NewSwipe,
    Stores,
)
from tests import dynamodb
from tests.conftest import new_database
from tests.scripted_endpoint import (
    PATIENT,
    Act,
    ScriptedEndpoint,
    act_of,
    aws_error,
    hang,
    patience,
    reply,
    reset,
    scripted_endpoint,
)
from tests.unit.test_user_states import states_of

NOW = datetime.now(UTC)
LATER = NOW + timedelta(minutes=15)
KEY = CacheKey("ann", "query-1", "hash-1")
LEARNED = {
    "event_count": 2,
    "model_version": "model-1",
    "search_weights": {"vector": 0.5, "bm25": 0.3, "preference": 0.2},
}
LIKE = NewSwipe("ann", "film-1", "like", None, NOW)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t-nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with dynamodb.moto() as address:
        yield address


@pytest.fixture
def tables(url: str) -> Tables:
    return dynamodb.new_tables(url)


@pytest.fixture
def stores(tables: Tables) -> Stores:
    return in_dynamodb(memory_stores(), tables, max_cache_entries=5)


def records(table: Table) -> list[dict[str, Any]]:
    return list(table.scan())


def learned(event_count: int, last_event_id: int) -> UserPreferences:
    told = {"event_count": event_count, "last_event_id": last_event_id}
    return UserPreferences.model_validate(LEARNED | told)


def expire(table: Table, ending: str = "") -> None:
    """Let the time of records with such keys be up; DynamoDB has not deleted them yet."""
    for record in records(table):
        if "expires_at" in record and record.get("SK", "").endswith(ending):
            table.put(record | {"expires_at": 1})


def said(answer: dict[str, Any]) -> Act:
    return reply(200, json.dumps(answer).encode())


def mine(tables: Tables) -> list[str]:
    """The keys of all that is kept of ann."""
    every = (tables.swipes, tables.preferences, tables.embeddings, tables.searches)
    keys = [record["PK"] for table in every for record in records(table)]
    return [key for key in keys if "ann" in key.split("#")]


class TestFailures:
    @pytest.fixture
    def server(self) -> Iterator[ScriptedEndpoint]:
        with scripted_endpoint() as server:
            yield server

    @pytest.fixture
    def failing(self, request: pytest.FixtureRequest, server: ScriptedEndpoint) -> Stores:
        """Stores before a server that has yet to be told how to answer."""
        server.script.append(reply(200, b'{"Table": {"ItemCount": 0}}'))
        seconds = patience(act_of(request), 1.0)
        tables = connect({name: name for name in SHAPES}, server.url, timeout=seconds)
        server.requests.clear()
        server.script.clear()
        return in_dynamodb(memory_stores(), tables, max_cache_entries=5)

    def test_throttling_is_waited_out(self, server: ScriptedEndpoint, failing: Stores) -> None:
        busy = aws_error(400, "ProvisionedThroughputExceededException")
        server.script.extend([busy, busy, reply(200, b"{}")])
        assert failing.swipes.version("ann").count == 0
        assert len(server.requests) == 3

    @pytest.mark.parametrize(
        ("act", "named"),
        [
            (aws_error(400, "ThrottlingException"), "ThrottlingException"),
            (aws_error(500, "InternalServerError"), "InternalServerError"),
            (aws_error(400, "ResourceNotFoundException"), "there is none in this account"),
            (aws_error(400, "AccessDeniedException"), "widen their role"),
            (aws_error(400, "ExpiredTokenException"), "renew them"),
            (reset, "did not answer"),
            (hang, "did not answer"),
        ],
    )
    def test_what_goes_on_failing_is_told(
        self, server: ScriptedEndpoint, failing: Stores, act: Act, named: str
    ) -> None:
        server.script.append(act)
        with pytest.raises(StoreUnavailable) as caught:
            failing.swipes.append(LIKE)
        assert named in caught.value.detail
        assert "user_swipes" in caught.value.detail
        assert "s3cr3t" not in caught.value.detail
        assert "Nothing was acknowledged" in str(caught.value)

    def test_what_a_busy_table_left_for_later_is_asked_for_again(
        self, server: ScriptedEndpoint, failing: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recommender.stores.dynamodb.tables.sleep", lambda _seconds: None)
        left = {"enhanced_embeddings_cache": {"Keys": [{"PK": {"S": "the key"}}]}}
        busy = said({"Responses": {}, "UnprocessedKeys": left})
        server.script.extend([busy, said({"Responses": {}, "UnprocessedKeys": {}})])
        assert failing.embeddings.get_many([KEY], NOW) == {}
        assert [json.loads(request.body)["RequestItems"] for request in server.requests][1] == left
        put = {"PutRequest": {"Item": {"PK": {"S": "the key"}}}}
        unwritten = said({"UnprocessedItems": {"enhanced_embeddings_cache": [put]}})
        server.script.extend([unwritten, said({"UnprocessedItems": {}})])
        server.script.popleft()
        failing.embeddings.put_many([NewEmbedding(KEY, np.ones(3, dtype=np.float32), LATER)])
        (again,) = json.loads(server.requests[-1].body)["RequestItems"].values()
        assert again == [put]

    def test_a_cache_that_stays_busy_is_done_without(
        self, server: ScriptedEndpoint, failing: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recommender.stores.dynamodb.tables.sleep", lambda _seconds: None)
        left = {"enhanced_embeddings_cache": {"Keys": [{"PK": {"S": "the key"}}]}}
        server.script.append(said({"Responses": {}, "UnprocessedKeys": left}))
        with pytest.raises(StoreUnavailable) as caught:
            failing.embeddings.get_many([KEY], NOW)
        assert "'enhanced_embeddings_cache' is busy" in caught.value.detail
        assert len(server.requests) == ATTEMPTS

    def test_a_swipe_that_is_acknowledged_is_in_the_table(self, stores: Stores) -> None:
        event = stores.swipes.append(LIKE)
        assert stores.swipes.events("ann") == [event]

    def test_a_swipe_that_another_outran_is_tried_again_however_long_that_took(
        self, stores: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write, now = DynamoSwipeLog._write, [0.0]

        def outrun(log: DynamoSwipeLog, event: SwipeEvent, version: LogVersion) -> None:
            if not now[0]:
                now[0] += swipes.PATIENCE
                raise ConditionFailed("user_swipes")
            write(log, event, version)

        monkeypatch.setattr("tenacity.time", SimpleNamespace(monotonic=lambda: now[0]))
        monkeypatch.setattr(DynamoSwipeLog, "_write", outrun)
        event = stores.swipes.append(LIKE)
        assert stores.swipes.events("ann") == [event]

    def test_a_missing_table_is_named_at_the_start(self, url: str) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            connect(dict.fromkeys(SHAPES, "no_such_table"), url)
        assert "'no_such_table'" in caught.value.detail
        assert "DDB_" in caught.value.detail


class TestForgetting:
    def test_swipes_expire_on_read_too(self, tables: Tables) -> None:
        stores = in_dynamodb(memory_stores(), tables, 5, swipes_live=timedelta(microseconds=1))
        stores.swipes.append(LIKE)
        assert len(records(tables.swipes)) == 2
        assert stores.swipes.events("ann") == []

    def test_swipes_that_live_have_a_date_for_the_time_to_live(self, tables: Tables) -> None:
        stores = in_dynamodb(memory_stores(), tables, 5, swipes_live=timedelta(days=30))
        event = stores.swipes.append(LIKE)
        dates = [r["expires_at"] for r in records(tables.swipes) if "expires_at" in r]
        assert dates == [int((event.recorded_at + timedelta(days=30)).timestamp())]
        assert stores.swipes.events("ann") == [event]

    def test_the_version_is_that_of_what_has_not_expired(self, tables: Tables) -> None:
        log = DynamoSwipeLog(tables.swipes, timedelta(days=30))
        made = [log.append(replace(LIKE, item_id=f"film-{number}")) for number in range(3)]
        assert log.version("ann") == LogVersion.of(made)
        expire(tables.swipes, "film-0")
        assert log.events("ann") == made[1:]
        assert log.version("ann") == LogVersion.of(made[1:])
        expire(tables.swipes)
        assert log.version("ann") == LogVersion()

    def test_an_id_of_what_expired_is_never_used_again(
        self, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor one before it, where the clock of another server is behind."""
        log = DynamoSwipeLog(tables.swipes, timedelta(days=30))
        before = log.append(LIKE)
        expire(tables.swipes)
        monkeypatch.setattr(swipes, "_microseconds", lambda _moment: before.event_id - 1)
        after = log.append(LIKE)
        assert after.event_id == before.event_id + 1
        assert log.version("ann") == LogVersion.of([after])

    def test_when_a_swipe_has_expired_the_rest_is_learned_from_once(self, tables: Tables) -> None:
        stores = in_dynamodb(memory_stores(), tables, 5, swipes_live=timedelta(days=30))
        for number in range(3):
            stores.swipes.append(replace(LIKE, item_id=f"film-{number}"))
        assert states_of(stores).get("ann").preferences.event_count == 3
        expire(tables.swipes, "film-0")
        states = states_of(stores)
        state = states.get("ann")
        assert state.preferences.event_count == 2
        assert states.get("ann") is state
        assert stores.preferences.get("ann") == state.preferences

    def test_preferences_expire_with_the_last_swipe(self, tables: Tables) -> None:
        stores = in_dynamodb(memory_stores(), tables, 5, swipes_live=timedelta(days=30))
        last = stores.swipes.append(LIKE).event_id
        stores.preferences.put("ann", learned(1, last))
        assert stores.preferences.get("ann") == learned(1, last)
        every = records(tables.swipes) + records(tables.preferences)
        dates = [record["expires_at"] for record in every if "expires_at" in record]
        assert dates == [dates[0]] * 2
        expire(tables.preferences)
        assert stores.preferences.get("ann") is None
        stores.preferences.put("ann", learned(1, last - 1))
        assert stores.preferences.get("ann") == learned(1, last - 1)

    def test_preferences_of_swipes_from_before_they_expired_live_as_long(
        self, tables: Tables
    ) -> None:
        live = timedelta(days=30)
        stores = in_dynamodb(memory_stores(), tables, 5, swipes_live=live)
        old = int((NOW - 2 * live).timestamp() * 1e6)
        stores.preferences.put("ann", learned(1, old))
        assert stores.preferences.get("ann") == learned(1, old)
        (record,) = records(tables.preferences)
        assert NOW + live - timedelta(seconds=1) < datetime.fromtimestamp(
            int(record["expires_at"]), UTC
        )

    @pytest.mark.parametrize(
        ("newest", "late"),
        [
            ((2, 30), (3, 30)),  # one expired meanwhile
            ((2, 40), (3, 30)),  # and another one came
            ((1, 40), (3, 30)),  # the log was erased and begun anew
            ((4, 40), (3, 30)),
        ],
    )
    def test_what_was_learned_last_stays_in_whichever_order_it_comes(
        self, stores: Stores, newest: tuple[int, int], late: tuple[int, int]
    ) -> None:
        for order in ((newest, late), (late, newest)):
            stores.preferences.erase("ann")
            for known in order:
                stores.preferences.put("ann", learned(*known))
            assert stores.preferences.get("ann") == learned(*newest)

    def test_what_an_earlier_release_learned_is_replaced(
        self, stores: Stores, tables: Tables
    ) -> None:
        """It did not tell of which event it learned last."""
        stores.preferences.put("ann", learned(3, 30))
        (record,) = records(tables.preferences)
        tables.preferences.put({name: record[name] for name in record if name != "last_event_id"})
        assert stores.preferences.get("ann") == learned(3, 30)
        stores.preferences.put("ann", learned(2, 30))
        assert stores.preferences.get("ann") == learned(2, 30)

    def test_what_is_swiped_while_a_log_is_erased_is_erased_too(
        self, stores: Stores, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without the head that went, it would be neither counted nor found."""
        delete, swiped = Table.delete, [LIKE, LIKE]

        def delete_late(table: Table, keys: Sequence[dict[str, Any]]) -> None:
            if swiped:
                stores.swipes.append(swiped.pop())
            delete(table, keys)

        stores.swipes.append(LIKE)
        monkeypatch.setattr(Table, "delete", delete_late)
        stores.swipes.erase("ann")
        assert records(tables.swipes) == []

    def test_erasing_leaves_no_record(self, stores: Stores, tables: Tables) -> None:
        for key in ("k1", "k2"):
            stores.swipes.append(NewSwipe("ann", "film-1", "like", None, NOW, key))
        stores.preferences.put("ann", UserPreferences.model_validate(LEARNED))
        stores.embeddings.put_many([NewEmbedding(KEY, np.ones(3, dtype=np.float32), LATER)])
        stores.searches.put(KEY, CachedSearch("{}", ("film-1",)), LATER)
        every = (tables.swipes, tables.preferences, tables.embeddings, tables.searches)
        assert [len(records(table)) for table in every] == [5, 1, 1, 1]
        for store in (stores.swipes, stores.preferences, stores.embeddings, stores.searches):
            store.erase("ann")
        assert [records(table) for table in every] == [[], [], [], []]

    def test_long_logs_are_read_and_erased_by_pages(self, stores: Stores) -> None:
        padding = "x" * 60_000  # 1 MB is the most that DynamoDB returns at once
        for number in range(40):
            stores.swipes.append(NewSwipe("ann", f"film-{number}", "like", padding, NOW))
        assert len(stores.swipes.events("ann")) == 40
        stores.swipes.erase("ann")
        assert stores.swipes.events("ann") == []


def test_a_head_that_an_earlier_release_wrote_is_brought_up_to_date(
    stores: Stores, tables: Tables
) -> None:
    stores.swipes.append(LIKE)
    (head,) = (record for record in records(tables.swipes) if record["SK"] == "head")
    tables.swipes.put({name: head[name] for name in head if name != "first_event_id"})
    assert stores.swipes.version("ann") == LogVersion.of(stores.swipes.events("ann"))
    stores.swipes.append(LIKE)
    assert stores.swipes.version("ann") == LogVersion.of(stores.swipes.events("ann"))
    assert any("first_event_id" in record for record in records(tables.swipes))


class TestCaches:
    def test_what_expires_soonest_goes_when_there_is_too_much(
        self, stores: Stores, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(caches, "SWEEP_EVERY", 9)
        now = datetime.now(UTC)  # and not when the tests were collected: expired entries go too
        for minutes in range(1, 10):
            key = CacheKey("ann", f"query-{minutes}", "hash")
            stores.searches.put(key, CachedSearch("{}", ()), now + timedelta(minutes=minutes))
        assert {record["query_hash"] for record in records(tables.searches)} == {
            f"query-{minutes}" for minutes in range(5, 10)
        }

    def test_an_answer_too_large_for_a_record_is_not_kept(
        self, stores: Stores, caplog: pytest.LogCaptureFixture
    ) -> None:
        noise = np.random.default_rng(0).integers(0x20, 0x7E, 600_000, dtype=np.uint8)
        with caplog.at_level(logging.WARNING, "recommender.stores.dynamodb"):
            stores.searches.put(KEY, CachedSearch(noise.tobytes().decode(), ()), LATER)
        assert "too large" in caplog.text
        assert stores.searches.get(KEY, NOW) is None

    def test_a_poisoned_entry_counts_as_none(self, stores: Stores, tables: Tables) -> None:
        vector, answer = np.ones(3, dtype=np.float32), CachedSearch("{}", ())
        for damage in (
            {"payload": "text", "embedding": 7},
            {"payload": b"\x00", "embedding": b"1"},
        ):
            stores.embeddings.put_many([NewEmbedding(KEY, vector, LATER)])
            stores.searches.put(KEY, answer, LATER)
            for table in (tables.embeddings, tables.searches):
                table.put(records(table)[0] | damage)
            assert stores.searches.get(KEY, NOW) is None
            assert stores.embeddings.get_many([KEY], NOW) == {}

    def test_poisoned_preferences_are_learned_again(self, stores: Stores, tables: Tables) -> None:
        for damage in (b"\x00", "text", None):
            tables.preferences.put({"PK": "user#ann", "preferences": damage})
            assert stores.preferences.get("ann") is None


class TestServing:
    def test_the_product_runs_on_it(
        self,
        postgres_url: str,
        url: str,
        tables: Tables,
        encoder: TextEncoder,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        patient = partial(connect, timeout=PATIENT)
        monkeypatch.setattr("recommender.stores.dynamodb.connect", patient)
        with new_database(postgres_url) as database:
            settings = Settings(
                database_url=database,
                user_store="dynamodb",
                dynamodb_url=url,
                ddb_swipes_table=tables.swipes.name,
                ddb_preferences_table=tables.preferences.name,
                ddb_embeddings_cache_table=tables.embeddings.name,
                ddb_search_cache_table=tables.searches.name,
            )
            with open_recommender(settings, encoder) as recommender:
                survey = recommender.start_survey("ann")
                for card in survey.movies[:6]:
                    recommender.record_swipe("ann", card.item_id, Direction.LIKE)
                request = SearchRequest(user_id="ann", query="lonely robots")
                first, again = recommender.search(request), recommender.search(request)
                assert (first.cached, again.cached) == (False, True)
                assert first.items == again.items
                assert not first.intelligence_metadata.degraded
                assert len(mine(tables)) == 10  # swipes, head; preferences; vector; answer
                recommender.forget_user("ann")
        assert mine(tables) == []

    def test_a_missing_table_ends_the_start(
        self, postgres_url: str, url: str, encoder: TextEncoder
    ) -> None:
        with new_database(postgres_url) as database:
            settings = Settings(
                database_url=database,
                user_store="dynamodb",
                dynamodb_url=url,
                ddb_swipes_table="nowhere",
            )
            with (
                pytest.raises(InvalidRequest, match="'nowhere'"),
                open_recommender(settings, encoder),
            ):
                pass


def test_the_tables_can_be_made_by_their_definitions(url: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=url)
    for name, shape in SHAPES.items():
        made = client.create_table(**shape.definition(f"made-{name}"))["TableDescription"]
        assert {key["AttributeName"] for key in made["KeySchema"]} == {*shape.keys}
