"""The REST API as a Lambda function: AWS's own runtime client runs it, over its real protocol."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant.api.app import create_api
from assistant.api.settings import ApiSettings
from recommender import Recommender
from tests.aws.lambda_runtime import Function, function, request


def runtime_client(_told: Mapping[str, str]) -> Sequence[str]:
    """AWS's, over what is installed here."""
    return (sys.executable, "-m", "awslambdaric", "assistant.lambda_function.handler")


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory, indexed_url: str) -> Iterator[Function]:
    """The function over the starter catalogue, in the only folder that it may write to."""
    home = tmp_path_factory.mktemp("tmp")
    variables = {
        "DATABASE_URL": indexed_url,
        "REELWISE_HOME": str(home),
        "HOST": "0.0.0.0",  # noqa: S104 - it listens nowhere
        "METRICS": "emf",
    }
    with function(runtime_client, variables, home / "log") as running:
        yield running


def body(answer: dict[str, Any]) -> Any:  # noqa: ANN401 - what JSON holds
    return json.loads(answer["body"])


def test_it_is_ready(rest: Function) -> None:
    answer = rest.invoke(request("GET", "/readyz"))
    assert answer["statusCode"] == 200
    assert body(answer)["status"] == "ready"


def test_it_answers_as_the_server_does(rest: Function, recommender: Recommender) -> None:
    asked = {"user_id": "lambda", "query": "90s heist with a twist", "k": 5}
    answer = rest.invoke(request("POST", "/search", asked))
    assert answer["statusCode"] == 200
    client = TestClient(create_api(recommender, ApiSettings()), "http://localhost")
    there = client.post("/search", json=asked).json()
    assert [item["item_id"] for item in body(answer)["items"]] == [
        item["item_id"] for item in there["items"]
    ]


def test_a_person_can_swipe_and_be_forgotten(rest: Function) -> None:
    swipe = {"user_id": "ada", "item_id": "1214", "direction": "like", "session_id": None}
    assert body(rest.invoke(request("POST", "/swipe", swipe)))["swipe_count"] == 1
    assert rest.invoke(request("DELETE", "/user/ada"))["statusCode"] == 204
    assert body(rest.invoke(request("GET", "/user/ada/profile")))["swipe_count"] == 0


def test_an_encoded_path_arrives(rest: Function) -> None:
    answer = rest.invoke(request("GET", "/user/ada%40example.org/profile"))
    assert body(answer)["user_id"] == "ada@example.org"


def test_the_metrics_of_an_event_are_written_before_it_is_answered(rest: Function) -> None:
    rest.invoke(request("POST", "/search", {"user_id": "ada", "query": "a western"}))
    lines = [line for line in rest.log.read_text().splitlines() if '"_aws"' in line]
    assert any("reelwise_search_seconds" in json.loads(line) for line in lines)


def test_paths_which_name_people_are_not_logged(rest: Function) -> None:
    rest.invoke(request("GET", "/user/somebody/profile"))
    assert rest.log.read_text()
    assert "somebody" not in rest.log.read_text()


def test_a_bad_request_is_a_problem_that_says_how_to_mend_it(rest: Function) -> None:
    answer = rest.invoke(request("POST", "/search", {"user_id": "ada", "k": -1}))
    assert answer["statusCode"] == 422
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert body(answer)["type"] == "/problems/invalid-request"


def test_settings_that_do_not_do_end_it_before_the_first_event(tmp_path: Path) -> None:
    variables = {"VECTOR_DIM": "12", "REELWISE_HOME": str(tmp_path)}
    with function(runtime_client, variables, tmp_path / "log") as running:
        assert "Exit" in running.failed_to_start()["errorType"]
