"""A client of the REST API for tests, and what every problem must look like."""

from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.api.app import create_api
from assistant.api.settings import ApiSettings
from recommender.service import Recommender

Json = dict[str, Any]
HERE = ("127.0.0.1", 50000)


def api(recommender: Recommender, **settings: Any) -> FastAPI:  # noqa: ANN401
    """The API, known by the name under which the test client calls it."""
    return create_api(recommender, ApiSettings(**{"allowed_hosts": ("testserver",)} | settings))


class ApiClient(TestClient):
    """Sends JSON texts as they are, also those that no JSON library would write; from here."""

    def __init__(self, app: FastAPI, base_url: str = "http://testserver", **more: Any) -> None:  # noqa: ANN401
        super().__init__(app, base_url, **({"client": HERE} | more))

    def post_text(self, path: str, text: str | bytes) -> Any:  # noqa: ANN401
        return self.post(path, content=text, headers={"Content-Type": "application/json"})

    def ok(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """The answer to a request that must succeed. ``idempotency_key`` and the like: headers."""
        response = self.request(
            method, path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        assert response.status_code == 200, response.text
        answer: Json = response.json()
        return answer


def problem(response: Any, status: int, slug: str) -> Json:  # noqa: ANN401
    """The problem details in a response, checked for what all of them have."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: Json = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    assert set(body) <= {"type", "title", "status", "detail", "instance", "request_id", "errors"}
    return body
