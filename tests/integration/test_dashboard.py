"""The dashboard's page and figures over the real service, and who may see them."""

from itertools import product
from unittest.mock import create_autospec

import pytest

from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.models import Direction, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from tests.integration.api_client import ApiClient, Json, api, problem

WATCHED = ["/metrics", "/dashboard", "/dashboard/figures", "/dashboard/experiment"]
PASSWORD = "tell:nobody"


@pytest.fixture
def client(recommender: Recommender) -> ApiClient:
    return ApiClient(api(recommender))


def guarded(**settings: object) -> ApiClient:
    service = create_autospec(Recommender, instance=True)
    service.experiment.return_value = None
    return ApiClient(api(service, **settings))


def test_the_page_loads_only_what_is_ours(client: ApiClient) -> None:
    page = client.get("/dashboard")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "://" not in page.text
    assert "style=" not in page.text
    for name, kind in (("dashboard.js", "/javascript"), ("dashboard.css", "text/css")):
        assert f'"dashboard/page/{name}"' in page.text
        answer = client.get(f"/dashboard/page/{name}")
        assert kind in answer.headers["content-type"]
        assert "://" not in answer.text
    problem(client.get("/dashboard/page/nothing.js"), 404, "not-found")
    problem(client.post("/dashboard"), 405, "method-not-allowed")


def figure(answer: Json, group: str, name: str) -> Json:
    (found,) = (each for each in answer["figures"][group] if name in each.values())
    return dict(found)


def test_the_figures_are_those_of_real_traffic(client: ApiClient, user_id: str) -> None:
    before = client.ok("GET", "/dashboard/figures")
    survey = client.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 2})
    for movie in survey["movies"]:
        body = {"user_id": user_id, "item_id": movie["item_id"], "direction": "like"}
        client.ok("POST", "/swipe", body | {"session_id": survey["session_id"]})
    found = client.ok("POST", "/search", {"user_id": user_id, "query": f"x {user_id}", "k": 3})
    shown = {"user_id": user_id, "item_id": found["items"][0]["item_id"], "direction": "like"}
    client.ok("POST", "/swipe", shown)
    after = client.ok("GET", "/dashboard/figures")
    gained = after["figures"]["surveys"]["part"] - before["figures"]["surveys"]["part"]
    assert gained == 1
    generic = [figure(each, "acceptance", "generic") for each in (before, after)]
    assert generic[1]["answers"] - generic[0]["answers"] == 1
    assert generic[1]["likes"] - generic[0]["likes"] == 1
    timed = figure(after, "latencies", "search, generic, computed")
    assert 0 < timed["p50"] <= timed["p95"] <= timed["p99"]
    assert figure(after, "swipes", "like")["count"] >= 3
    assert figure(after, "alarms", "Search latency, p95")["state"] in ("quiet", "sounding")
    assert after["since"] == before["since"]


def test_no_experiment_is_null(client: ApiClient) -> None:
    assert client.get("/dashboard/experiment").json() is None


def test_the_running_experiment_is_reported(
    stores: Stores, encoder: TextEncoder, user_id: str
) -> None:
    settings = RecommenderSettings(
        experiment_name=user_id[:40], experiment_variants="generic=1,preference_vector=1"
    )
    service = Recommender(stores, encoder, settings)
    client = ApiClient(api(service))
    for number, query in product(range(12), ("a heist", "space")):
        person = f"{user_id}-{number}"
        result = service.search(SearchRequest(user_id=person, query=query, k=2))
        service.record_swipe(person, result.items[0].item_id, Direction.LIKE)
    report = client.ok("GET", "/dashboard/experiment")
    assert report["experiment"] == user_id[:40]
    assert {row["variant"] for row in report["variants"]} == {"generic", "preference_vector"}
    assert sum(row["exposures"] for row in report["variants"]) == 24
    service.search(SearchRequest(user_id=user_id, query="x"))
    assert client.ok("GET", "/dashboard/experiment") == report, "it is not made anew each time"


@pytest.mark.parametrize("path", WATCHED)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_ones_own_machine_they_are_open(path: str, host: str) -> None:
    assert guarded(host=host).get(path).status_code == 200


@pytest.mark.parametrize("path", WATCHED)
def test_where_others_can_reach_the_server_they_are_closed(path: str) -> None:
    answer = guarded(host="0.0.0.0").get(path)  # noqa: S104 - as a container listens
    assert "METRICS_PASSWORD" in problem(answer, 401, "operators-only")["detail"]
    assert answer.headers["www-authenticate"].startswith("Basic ")
    blank = guarded(host="0.0.0.0").get(path, auth=("operator", ""))  # noqa: S104
    problem(blank, 401, "operators-only")


@pytest.mark.parametrize("path", WATCHED)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_password_opens_them(path: str, host: str) -> None:
    client = guarded(host=host, metrics_password=PASSWORD)
    problem(client.get(path), 401, "operators-only")
    assert client.get(path, auth=("operator", PASSWORD)).status_code == 200
    for credentials in (("operator", "guess"), ("ada", PASSWORD), ("", "")):
        problem(client.get(path, auth=credentials), 401, "operators-only")
    for header in ("Basic", "Basic ???", "Bearer x", "basic w6Q="):
        problem(client.get(path, headers={"Authorization": header}), 401, "operators-only")


def test_what_people_use_needs_no_password() -> None:
    client = guarded(host="0.0.0.0", metrics_password=PASSWORD)  # noqa: S104
    assert client.get("/healthz").status_code == 200
    assert client.get("/dashboard/page/dashboard.css").status_code == 200
