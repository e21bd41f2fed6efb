"""Bad input, on the real service: a clear problem or a sensible answer, never a 5xx."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.service import Recommender
from tests.integration.api_client import ApiClient, Json, api, problem

HEAT, ARRIVAL = "6", "164179"
POSTS = ("/survey/start", "/swipe", "/swipe/undo", "/search", "/explain")


@pytest.fixture(scope="module")
def client(recommender: Recommender) -> ApiClient:
    return ApiClient(
        api(recommender, rate_limit="1000000/minute", rate_limit_per_address="1000000/minute")
    )


def swipe_of(user_id: str, **changes: object) -> Json:
    return {"user_id": user_id, "item_id": HEAT, "direction": "like"} | changes


def refused_fields(response: Any) -> list[str]:  # noqa: ANN401
    body = problem(response, 422, "invalid-request")
    assert all(error["message"] for error in body["errors"])
    return [error["pointer"] for error in body["errors"]]


def swipe_log(client: ApiClient, user_id: str) -> list[Json]:
    response = client.get(f"/user/{user_id}/export")
    events: list[Json] = response.json()["swipes"] if response.status_code == 200 else []
    return events


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/swipe", {"item_id": "no-such-film", "direction": "like"}),
        ("/explain", {"item_id": "no-such-film"}),
        ("/search", {"similar_to": ["no-such-film"]}),
        ("/search", {"history": ["6", "no-such-film"]}),
        ("/search", {"dislikes": "no-such-film"}),
    ],
)
def test_an_unknown_film_is_a_404(client: ApiClient, user_id: str, path: str, body: Json) -> None:
    answer = client.post(path, json={"user_id": user_id} | body)
    assert "no-such-film" in problem(answer, 404, "unknown-item")["detail"]


def test_an_unknown_film_has_no_page(client: ApiClient) -> None:
    problem(client.get("/items/no-such-film"), 404, "unknown-item")


def test_an_unknown_survey_is_a_404(client: ApiClient) -> None:
    problem(client.get("/survey/no-such-survey/next"), 404, "unknown-session")


def test_a_swipe_is_not_lost_for_a_survey_that_is_gone(client: ApiClient, user_id: str) -> None:
    client.ok("POST", "/swipe", swipe_of(user_id, session_id="no-such-survey"))
    assert [event["session_id"] for event in swipe_log(client, user_id)] == ["no-such-survey"]


def test_the_survey_of_another_is_unknown(client: ApiClient, user_id: str) -> None:
    survey = client.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 1})
    path = f"/survey/{survey['session_id']}/next"
    problem(client.get(path, params={"user_id": f"not-{user_id}"}), 404, "unknown-session")


def test_an_unknown_user_can_be_asked_about(client: ApiClient, user_id: str) -> None:
    assert client.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 0
    problem(client.get(f"/user/{user_id}/export"), 404, "unknown-user")
    assert client.delete(f"/user/{user_id}").status_code == 204
    assert client.ok("POST", "/search", {"user_id": user_id, "query": "a heist"})["items"]


def test_there_must_be_a_swipe_to_undo(client: ApiClient, user_id: str) -> None:
    problem(client.post("/swipe/undo", json={"user_id": user_id}), 404, "nothing-to-undo")


@pytest.mark.parametrize("direction", ["love", "LIKE", "", None, 1, ["like"]])
def test_a_direction_outside_the_three_is_refused(
    client: ApiClient, user_id: str, direction: object
) -> None:
    response = client.post("/swipe", json=swipe_of(user_id, direction=direction))
    assert refused_fields(response) == ["#/direction"]
    assert "'like', 'dislike' or 'skip'" in response.json()["detail"]
    assert swipe_log(client, user_id) == []


@pytest.mark.parametrize("k", [0, -1, 101, 10_000, 10**30, "5", True, 1.5, None])
def test_k_is_a_whole_number_from_1_to_100(client: ApiClient, user_id: str, k: object) -> None:
    response = client.post("/search", json={"user_id": user_id, "query": "x", "k": k})
    assert refused_fields(response) == ["#/k"]


@pytest.mark.parametrize("explore", [-0.1, 1.1, 10**30, "0.5", True, [0.5], "NaN"])
def test_explore_is_a_share(client: ApiClient, user_id: str, explore: object) -> None:
    body = {"user_id": user_id, "query": "x", "explore": explore}
    assert refused_fields(client.post("/search", json=body)) == ["#/explore"]


@pytest.mark.parametrize("wish", ["yes", 1, None, "my kids"])
def test_for_someone_else_is_yes_or_no(client: ApiClient, user_id: str, wish: object) -> None:
    body = {"user_id": user_id, "query": "x", "for_someone_else": wish}
    assert refused_fields(client.post("/search", json=body)) == ["#/for_someone_else"]


@pytest.mark.parametrize("size", [0, -3, 100_000, 10**30, "5", True])
def test_survey_size_is_within_the_catalogue(client: ApiClient, user_id: str, size: object) -> None:
    response = client.post("/survey/start", json={"user_id": user_id, "survey_size": size})
    assert "survey_size" in problem(response, 422, "invalid-request")["detail"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "text",
    ["{", '{"user_id": "a"', "{'user_id': 'a'}", b"\xff\xfe{}", "nul", '{"user_id":"a"}}'],
)
def test_malformed_json_is_a_400(client: ApiClient, path: str, text: str | bytes) -> None:
    problem(client.post_text(path, text), 400, "malformed-json")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 20_000, '{"k":' + "9" * 5000 + "}"])
def test_json_made_to_break_parsers_is_a_400(client: ApiClient, text: str) -> None:
    problem(client.post_text("/search", text), 400, "malformed-json")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("text", ["null", "[]", '"user"', "7", ""])
def test_json_that_is_no_object_is_a_422(client: ApiClient, path: str, text: str) -> None:
    assert refused_fields(client.post_text(path, text)) == ["#"]


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_field_is_named(client: ApiClient, user_id: str, path: str) -> None:
    body = {"user_id": user_id, "item_id": HEAT, "a/b~c": 1}
    assert "#/a~1b~0c" in refused_fields(client.post(path, json=body))


def test_a_nested_field_is_pointed_at(client: ApiClient, user_id: str) -> None:
    body = {"user_id": user_id, "filters": {"year_from": 0, "genre": "Comedy"}}
    fields = refused_fields(client.post("/search", json=body))
    assert fields == ["#/filters/year_from", "#/filters/genre"]


def test_years_must_be_in_order(client: ApiClient, user_id: str) -> None:
    filters = {"year_from": 2000, "year_to": 1990}
    response = client.post("/search", json={"user_id": user_id, "filters": filters})
    assert "swap them" in problem(response, 422, "invalid-request")["detail"]


NAMES = ("include_genres", "exclude_genres", "people", "exclude_people")


@pytest.mark.parametrize("name", ["", "a\\u0000b", "\\ud800", "x" * 129])
@pytest.mark.parametrize("field", NAMES)
def test_a_name_in_a_filter_is_a_text(client: ApiClient, field: str, name: str) -> None:
    body = f'{{"user_id": "a", "query": "x", "filters": {{"{field}": ["{name}"]}}}}'
    assert refused_fields(client.post_text("/search", body)) == [f"#/filters/{field}/0"]


@pytest.mark.parametrize("field", NAMES)
def test_a_filter_takes_at_most_20_names(client: ApiClient, user_id: str, field: str) -> None:
    body = {"user_id": user_id, "filters": {field: ["Drama"] * 21}}
    assert refused_fields(client.post("/search", json=body)) == [f"#/filters/{field}"]


@pytest.mark.parametrize("field", ["include_genres", "exclude_genres"])
def test_an_unknown_genre_is_refused_with_those_there_are(
    client: ApiClient, user_id: str, field: str
) -> None:
    body = {"user_id": user_id, "filters": {field: ["Sciency"]}}
    detail = problem(client.post("/search", json=body), 422, "invalid-request")["detail"]
    assert "Sciency" in detail
    assert "Comedy" in detail
    assert "Sci-Fi" in detail


def test_names_in_filters_may_be_spelt_loosely(client: ApiClient, user_id: str) -> None:
    def found(filters: Json) -> list[Json]:
        items = client.ok("POST", "/search", {"user_id": user_id, "filters": filters})["items"]
        assert items
        return list(items)

    assert all("Sci-Fi" in film["genres"] for film in found({"include_genres": ["sci-fi"]}))
    people = [film["director"] + film["cast"] for film in found({"people": ["Agnes Varda"]})]
    assert all("Agnès Varda" in each for each in people)


@pytest.mark.parametrize(
    "user_id",
    ["", "x" * 129, "a\x00b", 7, None, ["a"], {"a": 1},
     "a/b", "../../etc/passwd", "a\\b", ".", "..", "*", "a\nb", "a\x7fb"],
)  # fmt: skip
@pytest.mark.parametrize("path", POSTS)
def test_a_user_id_is_a_text_that_a_path_can_hold(
    client: ApiClient, path: str, user_id: object
) -> None:
    response = client.post(path, json={"user_id": user_id, "item_id": HEAT, "direction": "like"})
    assert "#/user_id" in refused_fields(response)


def test_a_lone_surrogate_is_refused_in_ids_and_dropped_from_queries(
    client: ApiClient, user_id: str
) -> None:
    lone = '{"user_id": "\\ud800"}'
    assert refused_fields(client.post_text("/search", lone)) == ["#/user_id"]
    assert refused_fields(client.post_text("/search", '{"user_id": "a", "\\udfff": 1}'))
    query = '{"user_id": "%s", "query": "a \\ud800heist\\u0000"}' % user_id  # noqa: UP031
    assert client.post_text("/search", query).json()["items"]


@pytest.mark.parametrize(
    "path",
    [
        "/user/a%00b/profile",
        "/user/a%00b/export",
        "/items/%00",
        "/user/%2E%2E/profile",
        "/user/%2A/export",
        "/user/a%5Cb/profile",
        "/survey/s/next?user_id=a/b",
    ],
)
def test_what_no_id_may_be_is_refused_in_paths_too(client: ApiClient, path: str) -> None:
    assert refused_fields(client.get(path))


@pytest.mark.parametrize(
    "query",
    [
        "🤖🚀💔 👩‍👩‍👧",
        "סרט מצחיק עם רובוטים",
        "فيلم عن الفضاء \u202e\u2066",
        "電影",
        "'; DROP TABLE swipes; --",
        "{{7*7}} ${x} %s \\",
        "\t\n\r \x07",
        "x" * 10_000,
        "🤖" * 10_000,
        "the " * 2_500,
    ],
)
def test_any_text_is_a_query(client: ApiClient, user_id: str, query: str) -> None:
    items = client.ok("POST", "/search", {"user_id": user_id, "query": query, "k": 3})["items"]
    assert len(items) == 3
    client.ok("POST", "/explain", {"user_id": user_id, "item_id": HEAT, "query": query})


@pytest.mark.parametrize("path", ["/search", "/explain"])
def test_a_query_longer_than_10000_is_refused(client: ApiClient, user_id: str, path: str) -> None:
    body = {"user_id": user_id, "query": "x" * 10_001} | (
        {"item_id": HEAT} if path == "/explain" else {}
    )
    assert refused_fields(client.post(path, json=body)) == ["#/query"]


@pytest.mark.parametrize("name", ["עדה", "ада 🤖", "a?b=c#d", "..", "100%", "'", "*"])
def test_who_can_be_created_can_be_read_and_erased(
    client: ApiClient, user_id: str, name: str
) -> None:
    named = f"{user_id}-{name}"
    receipt = client.ok("POST", "/swipe", swipe_of(named))
    assert receipt["swipe_count"] == 1
    assert client.ok("POST", "/search", {"user_id": named, "k": 1})["user_id"] == named
    path = f"/user/{quote(named, safe='')}"
    assert client.ok("GET", f"{path}/profile")["swipe_count"] == 1
    assert client.delete(path).status_code == 204
    problem(client.get(f"{path}/export"), 404, "unknown-user")


def test_nothing_of_anybody_is_erased_by_an_id_that_is_none(client: ApiClient) -> None:
    assert refused_fields(client.delete("/user/%2A"))


@pytest.mark.parametrize(
    "timestamp",
    ["yesterday", True, -5, 10**18, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
     "2999-01-01T00:00:00Z", [], {}],
)  # fmt: skip
def test_a_swipe_is_of_the_past(client: ApiClient, user_id: str, timestamp: object) -> None:
    response = client.post("/swipe", json=swipe_of(user_id, timestamp=timestamp))
    assert refused_fields(response) == ["#/timestamp"]
    assert swipe_log(client, user_id) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_none_are_refused(client: ApiClient, user_id: str, number: str) -> None:
    body = json.dumps(swipe_of(user_id, timestamp=0)).replace(" 0}", f" {number}}}")
    assert refused_fields(client.post_text("/swipe", body)) == ["#/timestamp"]


@pytest.mark.parametrize("key", ["", "two words", "clé", "x" * 256])
@pytest.mark.parametrize("path", ["/swipe", "/swipe/undo", "/survey/start"])
def test_an_idempotency_key_is_visible_ascii(client: ApiClient, path: str, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    response = client.post(path, json=swipe_of("a"), headers=headers)
    assert "#/idempotency-key" in refused_fields(response)


@pytest.mark.parametrize("change", [{"item_id": ARRIVAL}, {"direction": "dislike"}])
def test_a_key_cannot_stand_for_two_swipes(client: ApiClient, user_id: str, change: Json) -> None:
    client.ok("POST", "/swipe", swipe_of(user_id), idempotency_key="k-1")
    headers = {"Idempotency-Key": "k-1"}
    response = client.post("/swipe", json=swipe_of(user_id, **change), headers=headers)
    problem(response, 422, "idempotency-key-reused")
    assert [event["item_id"] for event in swipe_log(client, user_id)] == [HEAT]


def test_keys_are_each_users_own(client: ApiClient, user_id: str) -> None:
    for name in (user_id, f"{user_id}-2"):
        client.ok("POST", "/swipe", swipe_of(name), idempotency_key="k-1")
        assert len(swipe_log(client, name)) == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([HEAT, "like", "Comedy", 0, 1, 10_000, "\ud800", "\x00"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
fields = st.sampled_from(
    "user_id item_id direction session_id timestamp query k explain filters similar_to "
    "survey_size for_someone_else explore unknown".split()
)
sane = st.fixed_dictionaries(
    {"user_id": st.just("fuzz")},
    optional={
        "item_id": st.just(HEAT),
        "direction": st.sampled_from(["like", "skip"]),
        "query": st.sampled_from(["like Heat but funnier", "a 90s heist"]) | st.text(max_size=40),
    },
)


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(POSTS), base=sane, changes=st.dictionaries(fields, values, max_size=2))
def test_no_body_is_answered_with_a_5xx(
    client: ApiClient, path: str, base: Json, changes: Json
) -> None:
    response = client.post_text(path, json.dumps(base | changes))
    assert response.status_code in {200, 404, 422}, response.text
    response.json()
