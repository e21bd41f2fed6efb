"""How the REST door behaves when the service, the client's pace or the path fails."""

import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import NonCallableMagicMock, create_autospec

import limits
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocket

from assistant.api import examples, kinds
from assistant.api.app import create_api
from assistant.api.settings import ApiSettings
from recommender.errors import (
    InvalidRequest,
    NotFound,
    ReelwiseError,
    StoreUnavailable,
    UnknownUser,
)
from recommender.models import Item, Profile, SearchResult
from recommender.service import Recommender
from tests.counting import Gains
from tests.integration.api_client import ApiClient, api, problem

SECRET = "the user's own words"


@pytest.fixture
def service() -> NonCallableMagicMock:
    double: NonCallableMagicMock = create_autospec(Recommender, instance=True)
    double.item.return_value = Item.model_validate(examples.ITEM)
    double.search.return_value = SearchResult.model_validate(examples.SEARCH_RESULT)
    double.ready.return_value = {"store": True, "index": True, "encoder": True}
    return double


@pytest.fixture
def client(service: NonCallableMagicMock) -> ApiClient:
    return ApiClient(api(service))


def test_a_failing_store_is_a_503_that_says_when_to_come_back(
    client: ApiClient, service: NonCallableMagicMock
) -> None:
    service.record_swipe.side_effect = StoreUnavailable()
    response = client.post("/swipe", json=examples.SWIPE)
    assert "othing was acknowledged" in problem(response, 503, "store-unavailable")["detail"]
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (InvalidRequest("size: 1 to 9"), 422, "invalid-request"),
        (UnknownUser("ada"), 404, "unknown-user"),
        (NotFound("gone"), 404, "not-found"),
    ],
)
def test_the_domains_words_reach_the_client(
    client: ApiClient, service: NonCallableMagicMock, error: Exception, status: int, slug: str
) -> None:
    service.export_user.side_effect = error
    body = problem(client.get("/user/ada/export"), status, slug)
    assert body["detail"] == str(error)
    assert body["instance"] == "/user/ada/export"


def test_the_unforeseen_is_a_500_without_details(
    client: ApiClient, service: NonCallableMagicMock, caplog: pytest.LogCaptureFixture
) -> None:
    service.search.side_effect = RuntimeError(SECRET)
    with caplog.at_level(logging.ERROR):
        response = client.post("/search", json=examples.SEARCH, headers={"X-Request-ID": "req-7"})
    assert SECRET not in str(problem(response, 500, "internal-error"))
    assert "req-7" in caplog.text
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert examples.SEARCH["query"] not in caplog.text


def test_a_domain_error_without_a_status_is_a_500(
    client: ApiClient, service: NonCallableMagicMock
) -> None:
    service.search.side_effect = ReelwiseError(SECRET)
    body = problem(client.post("/search", json=examples.SEARCH), 500, "internal-error")
    assert SECRET not in str(body)


@pytest.mark.parametrize("offered", ["x" * 65, "a b", "<script>", "é"])
def test_a_strange_request_id_is_replaced(client: ApiClient, offered: str) -> None:
    response = client.get("/healthz", headers={b"X-Request-ID": offered.encode()})
    assert response.headers["x-request-id"].isalnum()
    assert len(response.headers["x-request-id"]) == 32


def test_a_status_without_a_kind_is_a_blank_problem(service: NonCallableMagicMock) -> None:
    service.item.side_effect = HTTPException(418)
    body = ApiClient(api(service)).get("/items/541").json()
    assert (body["type"], body["status"], body["title"]) == ("about:blank", 418, "I'm a Teapot")


def test_an_unknown_path_is_a_problem(client: ApiClient) -> None:
    problem(client.get("/nowhere/%F0%9F%A4%96"), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/search", "POST"), ("POST", "/items/541", "GET"), ("PUT", "/user/ada", "DELETE")],
)
@pytest.mark.parametrize("with_chat", [False, True])
def test_a_wrong_method_is_a_problem_with_and_without_chat(
    service: NonCallableMagicMock, method: str, path: str, allow: str, with_chat: bool
) -> None:
    app = api(service)
    if with_chat:
        app.mount("/", chat())
    response = ApiClient(app).request(method, path)
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allow


def chat() -> Starlette:
    """A stand-in for the chat: a page with an inline script on any path, and a websocket."""

    async def page(_: Request) -> HTMLResponse:
        return HTMLResponse("<script>chat()</script>")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    return Starlette(routes=[WebSocketRoute("/ws/socket.io", socket), Route("/{path:path}", page)])


def test_a_chat_mounted_behind_the_api_is_left_alone(service: NonCallableMagicMock) -> None:
    app = api(service, rate_limit_per_address="1/minute")
    app.mount("/", chat())
    client = ApiClient(app)
    for _ in range(3):
        response = client.get("/")
        assert response.text == "<script>chat()</script>"
    assert "content-security-policy" not in response.headers
    assert "ratelimit" not in response.headers
    assert response.headers["x-content-type-options"] == "nosniff"
    with client.websocket_connect("/ws/socket.io") as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_answers_carry_security_headers(client: ApiClient) -> None:
    headers = client.get("/items/541").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


def test_past_the_quota_comes_429_and_when_to_come_back(service: NonCallableMagicMock) -> None:
    client = ApiClient(api(service, rate_limit_per_address="3/minute"))
    left = [client.get("/items/541").headers["ratelimit"] for _ in range(3)]
    assert [part.split(";")[1] for part in left] == ["r=2", "r=1", "r=0"]
    response = client.get("/items/541")
    problem(response, 429, "rate-limited")
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert response.headers["ratelimit-policy"] == '"address";q=3;w=60'
    assert client.get("/healthz").status_code == 200


def test_requests_that_are_refused_count_too(service: NonCallableMagicMock) -> None:
    client = ApiClient(api(service, rate_limit_per_address="2/minute"))
    problem(client.post_text("/search", "{"), 400, "malformed-json")
    problem(client.post("/search", json={}), 422, "invalid-request")
    problem(client.post("/search", json=examples.SEARCH), 429, "rate-limited")
    service.search.assert_not_called()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/search", {"user_id": "ada"}),
        ("GET", "/user/ada/profile", None),
        ("GET", "/survey/s/next?user_id=ada", None),
    ],
)
def test_a_users_quota_is_shared_by_all_addresses(
    service: NonCallableMagicMock,
    method: str,
    path: str,
    body: Any,  # noqa: ANN401
) -> None:
    app = api(service, rate_limit="2/minute")
    for address in ("192.0.2.1", "192.0.2.2"):
        ApiClient(app, client=(address, 1)).post("/search", json={"user_id": "ada"})
    response = ApiClient(app, client=("192.0.2.3", 1)).request(method, path, json=body)
    problem(response, 429, "rate-limited")
    other = ApiClient(app, client=("192.0.2.3", 1)).post("/search", json={"user_id": "bo"})
    assert other.status_code == 200


def test_a_query_parameter_cannot_charge_another_user(service: NonCallableMagicMock) -> None:
    client = ApiClient(api(service, rate_limit="1/minute"))
    service.profile.return_value = Profile.model_validate(examples.PROFILE)
    assert client.get("/user/ada/profile?user_id=zzz").status_code == 200
    assert client.get("/user/zzz/profile").status_code == 200
    problem(client.get("/user/ada/profile?user_id=bo"), 429, "rate-limited")


def test_many_users_of_one_address_each_have_a_quota(service: NonCallableMagicMock) -> None:
    client = ApiClient(api(service, rate_limit="2/minute", rate_limit_per_address="5/minute"))
    for user_id in ("ada", "ada", "bo", "bo"):
        answer = client.post("/search", json={"user_id": user_id})
        assert answer.headers["ratelimit-policy"] == '"user";q=2;w=60'
    assert client.get("/items/541").headers["ratelimit"].startswith('"address";r=0;')
    problem(client.post("/search", json={"user_id": "cy"}), 429, "rate-limited")


def test_a_thousand_users_of_one_address_fit_its_quota() -> None:
    quotas = ApiSettings()
    assert limits.parse(quotas.rate_limit_per_address) > limits.parse("12000/minute")
    assert limits.parse(quotas.rate_limit) == limits.parse("6000/minute")


@pytest.mark.parametrize("name", ["rate_limit", "rate_limit_per_address"])
def test_a_quota_that_cannot_be_read_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ValueError, match="rate limit string"):
        ApiSettings.model_validate({name: "plenty"})


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LocalHost"])
def test_this_machine_is_known_by_its_own_names(service: NonCallableMagicMock, host: str) -> None:
    client = ApiClient(api(service, allowed_hosts=()))
    assert client.get("/items/541", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:8000", "localhost.evil.test", "127.0.0.1.evil.test", "testserver",
     "localhost@evil.test", "localhost:80:80", "[::2]", "192.0.2.7", ""],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/items/541", "/healthz", "/", "/docs"])
def test_a_host_that_is_not_ours_is_a_421(
    service: NonCallableMagicMock, host: str, path: str
) -> None:
    app = api(service, allowed_hosts=())
    app.mount("/", chat())
    response = ApiClient(app).get(path, headers={"Host": host})
    assert "ALLOWED_HOSTS" in problem(response, 421, "unknown-host")["detail"]


def test_a_websocket_to_a_host_that_is_not_ours_is_refused(service: NonCallableMagicMock) -> None:
    app = api(service, allowed_hosts=())
    app.mount("/", chat())
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        ApiClient(app).websocket_connect("/ws/socket.io", headers={"Host": "evil.test"}),
    ):
        pass
    assert refusal.value.status_code == 421


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"ALLOWED_HOSTS": "films.test, Other.test"}, "other.test:443"),
        ({"ALLOWED_HOSTS": "*"}, "anything.test"),
        ({"HOST": "192.0.2.7"}, "192.0.2.7:8000"),
        ({"HOST": "2001:db8::7"}, "[2001:db8::7]:8000"),
        ({"HOST": "0.0.0.0"}, "anything.test"),  # noqa: S104 - read only
        ({"HOST": "::"}, "anything.test"),
    ],
)
def test_the_operator_names_the_hosts(
    service: NonCallableMagicMock,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    host: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client = ApiClient(create_api(service, ApiSettings()))
    assert client.get("/items/541", headers={"Host": host}).status_code == 200


def test_a_body_that_is_too_large_is_a_413(service: NonCallableMagicMock) -> None:
    client = ApiClient(api(service, max_body_bytes=1024))
    problem(client.post("/search", json={"query": "x" * 2000}), 413, "payload-too-large")

    def chunks() -> Iterator[bytes]:
        yield from [b" " * 500] * 4

    problem(client.post("/search", content=chunks()), 413, "payload-too-large")
    service.search.assert_not_called()


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_declared_as_json_is_a_415(
    client: ApiClient, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    response = client.post("/search", content=b'{"user_id": "ada"}', headers=headers)
    assert "application/json" in problem(response, 415, "unsupported-media-type")["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("ready", [True, False])
def test_head_is_answered_like_get(
    client: ApiClient, service: NonCallableMagicMock, path: str, ready: bool
) -> None:
    service.ready.return_value |= {"store": ready}
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("missing", ["store", "index"])
def test_without_store_or_index_the_service_is_not_ready(
    client: ApiClient, service: NonCallableMagicMock, missing: str
) -> None:
    service.ready.return_value |= {missing: False}
    response = client.get("/readyz")
    assert missing in problem(response, 503, "not-ready")["detail"]
    assert client.get("/healthz").json() == {"status": "alive"}


def test_without_the_encoder_the_service_is_degraded_but_ready(
    client: ApiClient, service: NonCallableMagicMock
) -> None:
    service.ready.return_value |= {"encoder": False}
    assert client.ok("GET", "/readyz")["status"] == "degraded"


def test_metrics_count_by_route_template(client: ApiClient) -> None:
    series = 'reelwise_http_requests_total{method="GET",route="/items/{item_id}",status="200"}'
    before = _value(client, series)
    client.get("/items/541")
    client.get("/items/6")
    assert _value(client, series) == before + 2
    client.get("/some/path/of/an/attacker")
    assert "attacker" not in client.get("/metrics").text


def test_what_the_chat_serves_is_one_route(service: NonCallableMagicMock) -> None:
    chat = Starlette(routes=[Route("/avatars/{name}", lambda _: PlainTextResponse("x"))])
    app = api(service)
    app.mount("/", chat)
    client, gains = ApiClient(app), Gains()
    for path in ("/avatars/a", "/avatars/b"):
        assert client.get(path).text == "x"
    client.get("/healthz")
    assert gains("reelwise_http_requests_total", route="chat", status="200") == 2
    assert gains("reelwise_http_requests_total", route="/healthz") == 1
    assert gains("reelwise_http_requests_total") == 3


def _value(client: ApiClient, series: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(series)), 0.0)


@pytest.mark.parametrize("slug", kinds.KINDS)
def test_the_type_of_a_problem_can_be_opened(client: ApiClient, slug: str) -> None:
    page = client.ok("GET", f"/problems/{slug}")
    assert page["type"] == f"/problems/{slug}"
    assert page["mend"]


def test_there_is_no_page_for_an_unknown_problem(client: ApiClient) -> None:
    problem(client.get("/problems/bad-mood"), 404, "not-found")
