"""The OpenAPI document and its page: complete, true and served without the internet."""

import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import create_autospec

import pytest
from pydantic import TypeAdapter

from assistant.api import examples, schemas
from recommender import models
from recommender.service import Recommender
from tests.integration.api_client import ApiClient, Json, api

OPERATIONS = {
    "start_survey": ("post", "/survey/start"),
    "next_card": ("get", "/survey/{session_id}/next"),
    "record_swipe": ("post", "/swipe"),
    "undo_swipe": ("post", "/swipe/undo"),
    "search": ("post", "/search"),
    "explain": ("post", "/explain"),
    "get_profile": ("get", "/user/{user_id}/profile"),
    "export_user": ("get", "/user/{user_id}/export"),
    "import_history": ("post", "/user/{user_id}/history"),
    "undo_history": ("delete", "/user/{user_id}/history/{session_id}"),
    "forget_user": ("delete", "/user/{user_id}"),
    "get_item": ("get", "/items/{item_id}"),
    "healthz": ("get", "/healthz"),
    "readyz": ("get", "/readyz"),
    "metrics": ("get", "/metrics"),
}


@pytest.fixture(scope="module")
def client() -> ApiClient:
    return ApiClient(api(create_autospec(Recommender, instance=True)))


@pytest.fixture(scope="module")
def document(client: ApiClient) -> Json:
    return client.ok("GET", "/openapi.json")


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_public_surface_is_exactly_the_contract(document: Json) -> None:
    found = {each["operationId"]: (method, path) for method, path, each in operations(document)}
    assert found == OPERATIONS


def test_every_operation_is_described_and_tagged(document: Json) -> None:
    described = {tag["name"] for tag in document["tags"]}
    for _, path, operation in operations(document):
        assert operation["description"], path
        assert set(operation["tags"]) <= described, path


def test_every_refusal_is_a_problem(document: Json) -> None:
    for method, path, operation in operations(document):
        refusals = {s: r for s, r in operation["responses"].items() if s >= "400"}
        if operation["tags"] != ["operations"]:
            assert {"422", "429", "500", "503"} <= set(refusals), path
        if method == "post":
            assert {"400", "413", "415"} <= set(refusals), path
        for response in refusals.values():
            (media_type,) = response["content"]
            assert media_type == "application/problem+json", path
            assert response["content"][media_type]["examples"], path


def test_every_answer_has_an_example(document: Json) -> None:
    for _, path, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        if "application/json" in content:
            assert content["application/json"]["example"], path


def test_all_references_lead_somewhere(document: Json) -> None:
    names = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert "Problem" in names
    assert names <= set(document["components"]["schemas"])


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (schemas.SurveyStart, examples.SURVEY_START),
        (schemas.SwipeIn, examples.SWIPE),
        (schemas.UndoIn, examples.UNDO),
        (schemas.SearchIn, examples.SEARCH),
        (schemas.ExplainIn, examples.EXPLAIN),
        (schemas.HistoryIn, examples.HISTORY),
        (models.SurveySession, examples.SURVEY_SESSION),
        (models.SurveyStep, examples.SURVEY_STEP),
        (models.SwipeReceipt, examples.SWIPE_RECEIPT),
        (models.SwipeReceipt, examples.UNDO_RECEIPT),
        (models.HistoryReceipt, examples.HISTORY_RECEIPT),
        (models.SearchResult, examples.SEARCH_RESULT),
        (models.Explanation, examples.EXPLANATION),
        (models.Profile, examples.PROFILE),
        (models.Item, examples.ITEM),
        (models.UserExport, examples.USER_EXPORT),
        (schemas.Readiness, examples.READINESS),
    ],
)
def test_the_examples_are_true_to_their_models(model: Any, example: Json) -> None:  # noqa: ANN401
    adapter = TypeAdapter[Any](model)
    assert set(adapter.dump_python(adapter.validate_python(example), exclude_unset=True)) == set(
        example
    )


def test_the_page_loads_everything_from_here(client: ApiClient) -> None:
    page = client.get("/docs")
    links = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page.text)
    urls = ["".join(pair) for pair in links]
    assert len(urls) == 4
    for url in urls:
        assert url.startswith("/")
        assert client.get(url).status_code == 200, url
    assert "default-src 'self'" in page.headers["content-security-policy"]
