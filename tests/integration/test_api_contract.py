"""Every route of the REST contract, on the real service: what is asked, what exactly comes back."""

from datetime import UTC, datetime

import pytest

from recommender.service import Recommender
from tests.integration.api_client import ApiClient, Json, api

CARD = {"item_id", "title", "year", "genres", "director", "credit", "cast", "overview", "poster"}
RECEIPT = {"status", "preferences_updated", "swipe_count", "item_id", "direction"}
HEAT, BLADE_RUNNER, ARRIVAL = "6", "541", "164179"


@pytest.fixture(scope="module")
def client(recommender: Recommender) -> ApiClient:
    return ApiClient(api(recommender))


def swipe(client: ApiClient, user_id: str, item_id: str, direction: str = "like") -> Json:
    body = {"user_id": user_id, "item_id": item_id, "direction": direction, "session_id": None}
    return client.ok("POST", "/swipe", body)


def test_survey_start_gives_as_many_cards_as_asked_for(client: ApiClient, user_id: str) -> None:
    answer = client.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 7})
    assert set(answer) == {"user_id", "session_id", "movies"}
    assert answer["user_id"] == user_id
    assert len({movie["item_id"] for movie in answer["movies"]}) == 7
    assert all(set(movie) == CARD for movie in answer["movies"])


def test_a_survey_has_20_cards_unless_told_otherwise(client: ApiClient, user_id: str) -> None:
    assert len(client.ok("POST", "/survey/start", {"user_id": user_id})["movies"]) == 20


def test_the_survey_steps_through_its_cards_to_the_end(client: ApiClient, user_id: str) -> None:
    survey = client.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 2})
    session_id, movies = survey["session_id"], survey["movies"]
    for position, movie in enumerate(movies):
        step = client.ok("GET", f"/survey/{session_id}/next?user_id={user_id}")
        assert set(step) == {"session_id", "position", "total", "completed", "settled", "movie"}
        assert step["movie"] == movie
        assert (step["total"], step["completed"]) == (2, False), position
        body = {"user_id": user_id, "item_id": movie["item_id"], "direction": "skip"}
        client.ok("POST", "/swipe", body | {"session_id": session_id})
    end = client.ok("GET", f"/survey/{session_id}/next")
    assert (end["completed"], end["movie"]) == (True, None)


def test_films_can_be_mentioned_instead_of_swiped(client: ApiClient, user_id: str) -> None:
    asked = {"user_id": user_id, "query": "space", "k": 5}
    bare = client.ok("POST", "/search", asked | {"history": [ARRIVAL, BLADE_RUNNER]})
    objects = [{"item_id": ARRIVAL}, {"item_id": BLADE_RUNNER, "direction": "like"}]
    whole = client.ok("POST", "/search", asked | {"history": objects})
    assert bare["items"] == whole["items"]
    assert bare["intelligence_metadata"]["strategy"] == "light"
    hated = client.ok("POST", "/search", asked | {"dislikes": BLADE_RUNNER, "use_taste": False})
    returned = {item["item_id"] for item in [*bare["items"], *hated["items"]]}
    assert BLADE_RUNNER not in returned
    assert client.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("history", "6"),
        ("history", [{"item_id": "6", "direction": "skip"}]),
        ("history", ["6"] * 51),
        ("dislikes", ["6"] * 11),
        ("use_taste", "no"),
    ],
)
def test_mentions_that_cannot_be_read_are_named(
    client: ApiClient, user_id: str, field: str, value: object
) -> None:
    answer = client.post("/search", json={"user_id": user_id, field: value})
    assert answer.status_code == 422
    assert field in answer.text


def test_swipe_is_recorded(client: ApiClient, user_id: str) -> None:
    answer = swipe(client, user_id, HEAT)
    assert set(answer) == RECEIPT
    assert answer["status"] == "recorded"
    assert answer["swipe_count"] == 1
    assert swipe(client, user_id, ARRIVAL, "dislike")["swipe_count"] == 2


@pytest.mark.parametrize(
    "timestamp", ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", 1767323045, "1767323045"]
)
def test_swipe_takes_iso_and_epoch_timestamps(
    client: ApiClient, user_id: str, timestamp: str | int
) -> None:
    body = {"user_id": user_id, "item_id": HEAT, "direction": "like", "timestamp": timestamp}
    client.ok("POST", "/swipe", body)
    (event,) = client.ok("GET", f"/user/{user_id}/export")["swipes"]
    assert datetime.fromisoformat(event["swiped_at"]) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_of_two_swipes_on_a_film_the_later_counts_and_both_are_logged(
    client: ApiClient, user_id: str
) -> None:
    swipe(client, user_id, HEAT, "like")
    assert swipe(client, user_id, HEAT, "dislike")["swipe_count"] == 1
    profile = client.ok("GET", f"/user/{user_id}/profile")
    assert (profile["like_count"], profile["dislike_count"]) == (0, 1)
    log = client.ok("GET", f"/user/{user_id}/export")["swipes"]
    assert [event["action"] for event in log] == ["like", "dislike"]


def test_a_replayed_swipe_is_answered_alike_and_done_once(client: ApiClient, user_id: str) -> None:
    body = {"user_id": user_id, "item_id": HEAT, "direction": "like"}
    first = client.ok("POST", "/swipe", body, idempotency_key="swipe-1")
    assert client.ok("POST", "/swipe", body, idempotency_key="swipe-1") == first
    assert len(client.ok("GET", f"/user/{user_id}/export")["swipes"]) == 1


def test_a_replayed_survey_start_gives_the_same_survey(client: ApiClient, user_id: str) -> None:
    body = {"user_id": user_id, "survey_size": 5}
    first = client.ok("POST", "/survey/start", body, idempotency_key="start-1")
    assert client.ok("POST", "/survey/start", body, idempotency_key="start-1") == first
    assert client.ok("POST", "/survey/start", body)["session_id"] != first["session_id"]


def test_a_replayed_undo_takes_back_one_swipe_only(client: ApiClient, user_id: str) -> None:
    swipe(client, user_id, HEAT)
    swipe(client, user_id, ARRIVAL)
    body = {"user_id": user_id}
    for _ in range(2):
        receipt = client.ok("POST", "/swipe/undo", body, idempotency_key="undo-1")
        assert (receipt["item_id"], receipt["swipe_count"]) == (ARRIVAL, 1)


def test_undo_of_a_named_film_leaves_later_swipes(client: ApiClient, user_id: str) -> None:
    swipe(client, user_id, HEAT, "dislike")
    swipe(client, user_id, ARRIVAL)
    receipt = client.ok("POST", "/swipe/undo", {"user_id": user_id, "item_id": HEAT})
    assert set(receipt) == RECEIPT
    assert (receipt["status"], receipt["item_id"]) == ("undone", HEAT)
    assert receipt["swipe_count"] == 1


def test_search_answers_with_exactly_the_contract(client: ApiClient, user_id: str) -> None:
    answer = client.ok("POST", "/search", {"user_id": user_id, "query": "robots", "k": 5})
    assert set(answer) == {
        "user_id", "items", "model_version", "cached", "preference_confidence", "understood",
        "intelligence_metadata",
    }  # fmt: skip
    assert set(answer["intelligence_metadata"]) == {
        "embedding_cached", "preference_influence", "confidence_score", "transformer_latency_ms",
        "strategy", "variant", "degraded",
    }  # fmt: skip
    assert len(answer["items"]) == 5
    for item in answer["items"]:
        assert set(item) == CARD | {"score", "preference_boost", "reason", "evidence"}
        assert item["reason"]
    scores = [item["score"] for item in answer["items"]]
    assert len(set(scores)) > 1


def test_search_for_nothing_in_particular_recommends_20(client: ApiClient, user_id: str) -> None:
    assert len(client.ok("POST", "/search", {"user_id": user_id})["items"]) == 20


def test_search_keeps_to_its_filters(client: ApiClient, user_id: str) -> None:
    filters = {"include_genres": ["Comedy"], "exclude_genres": ["Romance"], "year_from": 1990}
    body = {"user_id": user_id, "query": "a wedding goes wrong", "filters": filters}
    items = client.ok("POST", "/search", body)["items"]
    assert items
    for item in items:
        assert "Comedy" in item["genres"]
        assert "Romance" not in item["genres"]
        assert item["year"] >= 1990


def test_similar_to_takes_one_id_or_many(client: ApiClient, user_id: str) -> None:
    body = {"user_id": user_id, "query": "", "k": 10}
    one = client.ok("POST", "/search", body | {"similar_to": BLADE_RUNNER})["items"]
    listed = client.ok("POST", "/search", body | {"similar_to": [BLADE_RUNNER]})["items"]
    assert [item["item_id"] for item in one] == [item["item_id"] for item in listed]
    assert BLADE_RUNNER not in {item["item_id"] for item in one}


def test_null_stands_for_an_absent_option(client: ApiClient, user_id: str) -> None:
    body = {"user_id": user_id, "query": "a heist", "k": 5}
    nulls = body | {"filters": None, "similar_to": None}
    plain = client.ok("POST", "/search", body)["items"]
    assert client.ok("POST", "/search", nulls)["items"] == plain


@pytest.mark.parametrize(
    "asked",
    [{"query": "a comedy for my parents"}, {"query": "a comedy", "for_someone_else": True}],
)
def test_a_search_for_someone_else_says_so(client: ApiClient, user_id: str, asked: Json) -> None:
    answer = client.ok("POST", "/search", {"user_id": user_id} | asked)
    assert answer["understood"]["for_someone_else"] is True
    assert answer["understood"]["text"] == "comedy"
    assert all("Comedy" in item["genres"] for item in answer["items"])


@pytest.mark.parametrize("explore", [0, 0.9, 1, None])
def test_a_search_may_be_daring(client: ApiClient, user_id: str, explore: float | None) -> None:
    body = {"user_id": user_id, "query": "a heist", "explore": explore, "k": 3}
    assert len(client.ok("POST", "/search", body)["items"]) == 3


def test_explain_gives_reasons_with_evidence(client: ApiClient, user_id: str) -> None:
    swipe(client, user_id, BLADE_RUNNER)
    body = {"user_id": user_id, "item_id": ARRIVAL, "query": "first contact"}
    answer = client.ok("POST", "/explain", body)
    assert set(answer) == {"item_id", "title", "explanation", "evidence", "model", "degraded"}
    assert answer["title"] == "Arrival"
    assert answer["evidence"]
    for evidence in answer["evidence"]:
        assert {"kind", "text", "item_id", "weight"} <= set(evidence)


def test_a_new_user_has_an_empty_profile(client: ApiClient, user_id: str) -> None:
    profile = client.ok("GET", f"/user/{user_id}/profile")
    assert set(profile) == {
        "user_id", "swipe_count", "like_count", "dislike_count", "skip_count",
        "preference_confidence", "strategy", "top_genres", "avoided_genres", "top_tags", "beliefs",
        "favourite_years", "popularity_bias", "learned_weights", "transformer_metrics",
        "recent_likes", "updated_at",
    }  # fmt: skip
    assert set(profile["learned_weights"]) == {"vector", "bm25", "preference"}
    assert profile["swipe_count"] == 0
    assert profile["strategy"] == "generic"


def test_items_gives_the_facts_of_a_film(client: ApiClient) -> None:
    item = client.ok("GET", f"/items/{HEAT}")
    assert (item["title"], item["year"], item["director"]) == ("Heat", 1995, ["Michael Mann"])


def test_a_user_can_take_everything_out_and_be_forgotten(client: ApiClient, user_id: str) -> None:
    client.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 3})
    swipe(client, user_id, HEAT)
    export = client.ok("GET", f"/user/{user_id}/export")
    assert set(export) == {
        "user_id", "exported_at", "swipes", "surveys", "exposures", "conversations", "preferences",
    }  # fmt: skip
    assert [event["item_id"] for event in export["swipes"]] == [HEAT]
    assert len(export["surveys"]) == 1
    response = client.delete(f"/user/{user_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert client.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 0


def test_the_real_service_is_ready(client: ApiClient) -> None:
    answer = client.ok("GET", "/readyz")
    assert answer["status"] == "ready"
    assert {"store", "index", "encoder"} <= set(answer["checks"])
