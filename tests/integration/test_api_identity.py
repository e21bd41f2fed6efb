"""Who may ask for what: every route of the application before every kind of credential."""

import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import NonCallableMagicMock, create_autospec

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.routing import APIRoute, iter_route_contexts

from assistant.api import examples
from assistant.api.identity import UserRoute
from assistant.api.keys import make_key, revoke_keys
from assistant.api.tokens import FETCH_AGAIN_SECONDS
from assistant.server import create_app
from assistant.settings import Settings
from fusion.fake import HashingEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.models import (
    Direction,
    Explanation,
    HistoryReceipt,
    HistoryUndone,
    Item,
    Profile,
    SearchResult,
    SurveySession,
    SurveyStep,
    SwipeReceipt,
    UserExport,
)
from tests.integration.api_client import ApiClient, Json, api, problem
from tests.scripted_endpoint import PATIENT, ScriptedEndpoint, reply, scripted_endpoint

ISSUER, AUDIENCE = "https://issuer.test", "reelwise"
SECRET = "correct horse battery staple, and as much again and yet more of it"
ADA, BO = "ada", "bo"
OPEN = {
    "/docs", "/healthz", "/readyz", "/items/{item_id}", "/problems/{slug}", "/metrics",
    "/dashboard", "/dashboard/figures", "/dashboard/experiment",
}  # fmt: skip
"""What is nobody's: anyone may read it, or those alone who run the service."""


@pytest.fixture(scope="module")
def pair() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def public_pem(pair: rsa.RSAPrivateKey) -> bytes:
    return pair.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture
def service() -> NonCallableMagicMock:
    double: NonCallableMagicMock = create_autospec(Recommender, instance=True)
    double.start_survey.return_value = SurveySession.model_validate(examples.SURVEY_SESSION)
    double.next_card.return_value = SurveyStep.model_validate(examples.SURVEY_STEP)
    double.record_swipe.return_value = SwipeReceipt.model_validate(examples.SWIPE_RECEIPT)
    double.undo_swipe.return_value = SwipeReceipt.model_validate(examples.UNDO_RECEIPT)
    double.search.return_value = SearchResult.model_validate(examples.SEARCH_RESULT)
    double.explain.return_value = Explanation.model_validate(examples.EXPLANATION)
    double.profile.return_value = Profile.model_validate(examples.PROFILE)
    double.export_user.return_value = UserExport.model_validate(examples.USER_EXPORT)
    double.import_history.return_value = HistoryReceipt.model_validate(examples.HISTORY_RECEIPT)
    double.undo_history.return_value = HistoryUndone.model_validate(examples.HISTORY_UNDONE)
    double.forget_user.return_value = None
    double.item.return_value = Item.model_validate(examples.ITEM)
    double.ready.return_value = {"store": True, "index": True, "encoder": True}
    return double


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def key(key_file: Path) -> str:
    return make_key(key_file, ADA)


@pytest.fixture
def client(service: Recommender, key: str, key_file: Path) -> ApiClient:  # noqa: ARG001
    """Before an API that takes keys and tokens of a shared secret."""
    return ApiClient(both(service, key_file))


def both(service: Recommender, key_file: Path | None, **settings: object) -> Any:  # noqa: ANN401
    asked = {
        "api_keys_file": key_file,
        "jwt_secret": SECRET,
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
    }
    return api(service, **(asked | settings))


def claims(**changes: object) -> Json:
    whole = {"sub": ADA, "iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def token(signed: Any = SECRET, algorithm: str = "HS256", **changes: object) -> str:  # noqa: ANN401
    return jwt.encode(claims(**changes), signed, algorithm=algorithm)


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


# Requests, made from the routes: a new route is asked without anybody naming it here.

ROUTES = [
    route
    for route in iter_route_contexts(api(create_autospec(Recommender, instance=True)).routes)
    if isinstance(route.original_route, APIRoute)
    and getattr(route.endpoint, "__name__", "") != "method_not_allowed"
]
USER_ROUTES = [route for route in ROUTES if isinstance(route.original_route, UserRoute)]
Ask = Callable[..., Any]


@pytest.fixture(params=USER_ROUTES, ids=lambda route: route.name)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Sends a valid request for a user to one route, wherever it takes the user's id."""
    return partial(send, request.param.original_route)


def send(
    route: APIRoute, client: ApiClient, user_id: str, headers: dict[str, str] | None = None
) -> Any:  # noqa: ANN401
    path = route.path.format(user_id=user_id, session_id=examples.SESSION)
    query = {"user_id": user_id} if "user_id" in names(route.dependant.query_params) else {}
    method = min(route.methods or ())
    body = None
    if route.body_field:
        model: Any = route.body_field.field_info.annotation
        named = {"user_id": user_id} if "user_id" in model.model_fields else {}
        body = model.model_config["json_schema_extra"]["examples"][0] | named
    return client.request(method, path, params=query, json=body, headers=headers)


def names(fields: list[Any]) -> set[str]:
    return {field.name for field in fields}


def test_every_route_asks_or_is_known_to_be_open() -> None:
    unasked = {route.path for route in ROUTES if not isinstance(route.original_route, UserRoute)}
    assert unasked == OPEN
    assert len(USER_ROUTES) >= 9
    for route in ROUTES:
        takes = route.dependant
        fields = names(takes.path_params) | names(takes.query_params)
        if "user_id" in fields or takes.body_params:
            assert isinstance(route.original_route, UserRoute), route.path


def test_a_user_id_stands_only_where_it_is_compared(client: ApiClient) -> None:
    document = client.ok("GET", "/openapi.json")
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    }
    within = {
        ref.split("/")[-1]
        for body in bodies
        for ref in refs(document["components"]["schemas"][body])
    }
    for name in within - bodies:
        assert "user_id" not in document["components"]["schemas"][name].get("properties", {})
    in_path = {"HistoryIn"}
    for body in bodies:
        required = document["components"]["schemas"][body]["required"]
        assert ("user_id" in required) is (body not in in_path), body


def refs(schema: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(schema, dict):
        yield from [schema["$ref"]] if "$ref" in schema else []
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from refs(each)


def nobody_asked(service: NonCallableMagicMock) -> bool:
    return not service.method_calls


CREDENTIALS: dict[str, dict[str, str]] = {
    "none": {},
    "empty": {"Authorization": ""},
    "no scheme": {"Authorization": token()},
    "basic": {"Authorization": "Basic YWRhOmFkYQ=="},
    "no credential": {"Authorization": "Bearer "},
    "two words": bearer(f"{token()} {token()}"),
    "gibberish": bearer("gibberish"),
    "three dots": bearer("a.b.c"),
    "huge": bearer("x" * 200_000),
    "huge key": bearer("rw_" + "x" * 200_000),
    "a key of nobody": bearer("rw_0123456789abcdef_" + "A" * 43),
    "another secret": bearer(token(SECRET.upper())),
    "another algorithm": bearer(token(algorithm="HS512")),
    "none as algorithm": bearer(token(None, "none")),
    "expired": bearer(token(exp=int(time.time()) - 600)),
    "never expiring": bearer(token(exp=None)),
    "not yet": bearer(token(nbf=int(time.time()) + 600)),
    "another issuer": bearer(token(iss="https://evil.test")),
    "no issuer": bearer(token(iss=None)),
    "another audience": bearer(token(aud="another")),
    "no audience": bearer(token(aud=None)),
    "another client": bearer(token(aud=None, client_id="another")),
    "another audience, our client": bearer(token(aud="another", client_id=AUDIENCE)),
    "no user": bearer(token(sub=None)),
    "an empty user": bearer(token(sub="")),
    "a user who cannot be": bearer(token(sub="../bo")),
    "every user": bearer(token(sub="*")),
}


@pytest.mark.parametrize("headers", CREDENTIALS.values(), ids=CREDENTIALS)
def test_no_route_serves_who_is_not_known(
    client: ApiClient, service: NonCallableMagicMock, ask: Ask, headers: dict[str, str]
) -> None:
    response = ask(client, ADA, headers)
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith('Bearer realm="reelwise"')
    assert nobody_asked(service)
    assert SECRET not in response.text


@pytest.mark.parametrize(
    "names", [{"aud": "second"}, {"aud": ["x", AUDIENCE]}, {"aud": None, "client_id": AUDIENCE}]
)
def test_a_token_for_any_of_our_audiences_is_taken(
    service: NonCallableMagicMock, names: dict[str, Any]
) -> None:
    several = ApiClient(both(service, None, jwt_audience=f"{AUDIENCE},second"))
    response = several.get(f"/user/{ADA}/export", headers=bearer(token(**names)))
    assert response.status_code != 401


def test_a_tampered_token_is_refused(client: ApiClient, service: NonCallableMagicMock) -> None:
    head, _, signature = token().split(".")
    forged = jwt.encode(claims(sub=BO), SECRET).split(".")[1]
    response = client.get(f"/user/{BO}/export", headers=bearer(f"{head}.{forged}.{signature}"))
    problem(response, 401, "unauthenticated")
    assert nobody_asked(service)


@pytest.mark.parametrize("kind", ["key", "token"])
def test_no_route_serves_another_user(
    client: ApiClient, service: NonCallableMagicMock, ask: Ask, key: str, kind: str
) -> None:
    headers = bearer(key if kind == "key" else token())
    problem(ask(client, BO, headers), 403, "forbidden")
    assert nobody_asked(service)


@pytest.mark.parametrize("kind", ["key", "token"])
def test_every_route_serves_its_own_user(
    client: ApiClient, service: NonCallableMagicMock, ask: Ask, key: str, kind: str
) -> None:
    headers = bearer(key if kind == "key" else token())
    response = ask(client, ADA, headers)
    assert response.status_code in (200, 204), response.text
    (call,) = service.method_calls
    whom = call.args[0] if call.args else None
    assert getattr(whom, "user_id", whom) == ADA


def test_every_route_is_open_where_nothing_is_set(service: NonCallableMagicMock, ask: Ask) -> None:
    for headers in ({}, bearer("gibberish")):
        assert ask(ApiClient(api(service)), BO, headers).status_code in (200, 204)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/user/{ADA}/profile?user_id={BO}", None),
        ("GET", f"/user/{ADA}/export?user_id={ADA}&user_id={BO}", None),
        ("POST", f"/search?user_id={BO}", {"user_id": ADA}),
        ("POST", f"/search?user_id={ADA}", {"user_id": BO}),
        ("GET", f"/survey/s/next?user_id={BO}&user_id={ADA}", None),
        ("GET", "/user/Ada/profile", None),
        ("GET", "/user/%61d%61%20/profile", None),
    ],
)
def test_one_wrong_user_id_is_enough_to_refuse(
    client: ApiClient,
    service: NonCallableMagicMock,
    key: str,
    method: str,
    path: str,
    body: Json | None,
) -> None:
    response = client.request(method, path, json=body, headers=bearer(key))
    problem(response, 403, "forbidden")
    assert nobody_asked(service)


@pytest.mark.parametrize("body", ['{"user_id": "ada", "user_id": "bo"}', '{"user_id": ["bo"]}'])
def test_an_ambiguous_body_never_reaches_another_user(
    client: ApiClient, service: NonCallableMagicMock, key: str, body: str
) -> None:
    headers = bearer(key) | {"Content-Type": "application/json"}
    response = client.post("/search", content=body, headers=headers)
    assert response.status_code in (403, 422)
    assert nobody_asked(service)


def test_two_credentials_at_once_are_refused(client: ApiClient, key: str) -> None:
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {token(sub=BO)}")]
    problem(client.get(f"/user/{BO}/export", headers=twice), 401, "unauthenticated")


def test_the_credential_says_who_asks_for_the_next_card(
    client: ApiClient, service: NonCallableMagicMock, key: str
) -> None:
    assert client.get("/survey/s/next", headers=bearer(key)).status_code == 200
    service.next_card.assert_called_once_with(ADA, "s")


# On the real service.


@pytest.fixture
def people(recommender: Recommender, key_file: Path, user_id: str) -> tuple[ApiClient, ApiClient]:
    """Two users, each with a client that sends their key; the first is ``user_id``."""
    mine, theirs = (make_key(key_file, user) for user in (user_id, f"{user_id}-other"))
    app = api(recommender, api_keys_file=key_file)
    return ApiClient(app, headers=bearer(mine)), ApiClient(app, headers=bearer(theirs))


def test_a_survey_belongs_to_its_user(people: tuple[ApiClient, ApiClient], user_id: str) -> None:
    me, other = people
    survey = me.ok("POST", "/survey/start", {"user_id": user_id, "survey_size": 5})
    path = f"/survey/{survey['session_id']}/next"
    assert me.ok("GET", path)["total"] == 5
    problem(other.get(path), 404, "unknown-session")


def test_an_idempotency_key_is_each_users_own(
    people: tuple[ApiClient, ApiClient], user_id: str
) -> None:
    me, other = people
    swipe = {"user_id": user_id, "item_id": "6", "direction": "like"}
    theirs = {"user_id": f"{user_id}-other", "item_id": "1214", "direction": "dislike"}
    first = me.ok("POST", "/swipe", swipe, idempotency_key="k1")
    assert other.ok("POST", "/swipe", theirs, idempotency_key="k1")["item_id"] == "1214"
    assert me.ok("POST", "/swipe", swipe, idempotency_key="k1") == first
    assert me.ok("GET", f"/user/{user_id}/profile")["swipe_count"] == 1


def test_nobody_exports_or_erases_another(
    people: tuple[ApiClient, ApiClient], user_id: str, recommender: Recommender
) -> None:
    me, other = people
    recommender.record_swipe(user_id, "6", Direction.LIKE)
    problem(other.get(f"/user/{user_id}/export"), 403, "forbidden")
    problem(other.delete(f"/user/{user_id}"), 403, "forbidden")
    assert len(me.ok("GET", f"/user/{user_id}/export")["swipes"]) == 1
    assert me.delete(f"/user/{user_id}").status_code == 204
    problem(me.get(f"/user/{user_id}/export"), 404, "unknown-user")


# Quotas.


def test_a_quota_is_the_credentials_users(service: Recommender, key: str, key_file: Path) -> None:
    app = both(service, key_file, rate_limit="2/minute")
    ada, bo = ApiClient(app, headers=bearer(key)), ApiClient(app, headers=bearer(token(sub=BO)))
    for _ in range(3):
        problem(bo.get(f"/user/{ADA}/profile"), 403, "forbidden")
        problem(ApiClient(app).get(f"/user/{ADA}/profile"), 401, "unauthenticated")
    for _ in range(2):
        assert ada.get(f"/user/{ADA}/profile").status_code == 200
    problem(ada.get("/survey/s/next"), 429, "rate-limited")


def basic(name: str, password: str) -> dict[str, str]:
    """What signs an operator in."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def test_bad_credentials_count_by_address(service: Recommender, key: str, key_file: Path) -> None:
    client = ApiClient(both(service, key_file, rate_limit_per_address="3/minute"))
    for _ in range(3):
        problem(client.get(f"/user/{ADA}/profile", headers=bearer("no")), 401, "unauthenticated")
    problem(client.get(f"/user/{ADA}/profile", headers=bearer(key)), 429, "rate-limited")


# The figures of operation.


@pytest.mark.parametrize("path", ["/metrics", "/dashboard", "/dashboard/figures"])
def test_the_figures_are_the_operators(
    service: Recommender, key: str, key_file: Path, path: str
) -> None:
    client = ApiClient(both(service, key_file, metrics_password="sesame"))
    for headers in ({}, bearer(key), basic("operator", "open"), basic("ada", "sesame")):
        problem(client.get(path, headers=headers), 401, "operators-only")
    assert client.get(path, headers=basic("operator", "sesame")).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/dashboard"])
def test_the_figures_are_nobodys_where_no_password_is_set(
    client: ApiClient, service: Recommender, key: str, path: str
) -> None:
    problem(client.get(path, headers=bearer(key)), 401, "operators-only")
    assert ApiClient(api(service)).get(path).status_code == 200


@pytest.mark.parametrize("asks", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "unknown"])
def test_the_figures_are_not_for_whom_a_proxy_on_this_machine_asks(
    service: Recommender, asks: str
) -> None:
    problem(ApiClient(api(service), client=(asks, 1)).get("/metrics"), 401, "operators-only")


@pytest.mark.parametrize("path", ["/items/541", "/healthz", "/readyz", "/docs", "/openapi.json"])
def test_what_is_nobodys_is_open(client: ApiClient, path: str) -> None:
    assert client.get(path).status_code == 200
    assert client.get(path, headers=bearer("gibberish")).status_code == 200


# API keys.


def test_a_revoked_key_is_refused_at_once_and_a_new_one_taken(
    client: ApiClient, key: str, key_file: Path
) -> None:
    path = f"/user/{ADA}/profile"
    assert client.get(path, headers=bearer(key)).status_code == 200
    assert revoke_keys(key_file, ADA) == 1
    problem(client.get(path, headers=bearer(key)), 401, "unauthenticated")
    assert client.get(path, headers=bearer(make_key(key_file, ADA))).status_code == 200


def test_the_file_holds_no_key_and_is_its_owners(key: str, key_file: Path) -> None:
    secret = key.split("_", 2)[2]
    assert secret not in key_file.read_text()
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_with_one_character_changed_is_refused(client: ApiClient, key: str) -> None:
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    problem(client.get(f"/user/{ADA}/profile", headers=bearer(other)), 401, "unauthenticated")


@pytest.mark.parametrize("presented", ["right", "rw_0123456789abcdef_" + "A" * 43, "gibberish"])
def test_keys_are_compared_in_constant_time(
    service: Recommender,
    key: str,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    presented: str,
) -> None:
    compared: list[tuple[str, str]] = []

    compare = hmac.compare_digest

    def compare_digest(one: str, other: str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr("assistant.api.keys.hmac.compare_digest", compare_digest)
    client = ApiClient(api(service, api_keys_file=key_file))
    credential = key if presented == "right" else presented
    client.get(f"/user/{ADA}/profile", headers=bearer(credential))
    ((one, other),) = compared
    assert len(one) == len(other) == 64
    assert (one == other) == (presented == "right")


@pytest.mark.parametrize("damage", ["{", '{"x": {"user": "ada"}}', "[]", None])
def test_a_damaged_file_lets_nobody_in(
    client: ApiClient,
    key: str,
    key_file: Path,
    damage: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole = key_file.read_bytes()
    key_file.write_text(damage) if damage else key_file.unlink()
    problem(client.get(f"/user/{ADA}/profile", headers=bearer(key)), 401, "unauthenticated")
    assert "No API key is accepted" in caplog.text
    key_file.write_bytes(whole)
    assert client.get(f"/user/{ADA}/profile", headers=bearer(key)).status_code == 200


@pytest.mark.parametrize(
    "damage", [None, "{", '{"x": {"user": "a/b", "sha256": "", "made_at": 0}}']
)
def test_a_server_does_not_start_on_a_file_without_keys(
    service: Recommender, key_file: Path, damage: str | None
) -> None:
    if damage:
        key_file.write_text(damage)
    with pytest.raises(InvalidRequest, match=str(key_file)):
        api(service, api_keys_file=key_file)


# Tokens of a key pair.


def test_a_public_key_checks_tokens_and_is_no_secret(
    service: Recommender, pair: rsa.RSAPrivateKey, public_pem: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "public.pem"
    file.write_bytes(public_pem)
    client = ApiClient(
        api(service, jwt_public_key_file=file, jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
    )
    path = f"/user/{ADA}/profile"
    assert client.get(path, headers=bearer(token(pair, "RS256"))).status_code == 200
    # The trick of old: the public key, which all may know, taken as the secret of HS256.
    body = ".".join(jwt.encode(claims(), SECRET).split(".")[:2])
    signature = jwt.utils.base64url_encode(hmac.digest(public_pem, body.encode(), "sha256"))
    confused = f"{body}.{signature.decode()}"
    problem(client.get(path, headers=bearer(confused)), 401, "unauthenticated")
    problem(client.get(path, headers=bearer(token(pair, "RS512"))), 401, "unauthenticated")


def test_another_claim_may_name_the_user(service: Recommender) -> None:
    client = ApiClient(both(service, None, jwt_user_claim="username"))
    named = bearer(token(sub=BO, username=ADA))
    assert client.get(f"/user/{ADA}/profile", headers=named).status_code == 200
    problem(client.get(f"/user/{BO}/profile", headers=named), 403, "forbidden")
    problem(client.get(f"/user/{BO}/profile", headers=bearer(token())), 401, "unauthenticated")
    number = bearer(token(username=7))
    problem(client.get("/user/7/profile", headers=number), 401, "unauthenticated")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds that passes for whoever fetches keys."""
    now = [time.monotonic()]
    monkeypatch.setattr("assistant.api.tokens.monotonic", lambda: now[0])
    return now


@pytest.fixture
def issuer(
    clock: list[float],  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ScriptedEndpoint]:
    monkeypatch.setattr("assistant.api.tokens.FETCH_SECONDS", PATIENT)
    with scripted_endpoint() as server:
        yield server


def jwks(pair: rsa.RSAPrivateKey, key_id: str) -> bytes:
    published = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(pair.public_key()))
    return json.dumps({"keys": [published | {"kid": key_id, "use": "sig"}]}).encode()


def signed(pair: rsa.RSAPrivateKey, **head: object) -> dict[str, str]:
    return bearer(jwt.encode(claims(), pair, algorithm="RS256", headers=head))


def published(service: Recommender, issuer: ScriptedEndpoint) -> ApiClient:
    url = f"{issuer.url}/jwks.json"
    return ApiClient(api(service, jwt_jwks_url=url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE))


def test_an_issuers_published_keys_are_fetched_once(
    service: Recommender, issuer: ScriptedEndpoint, pair: rsa.RSAPrivateKey
) -> None:
    issuer.script.append(reply(200, jwks(pair, "k1")))
    client = published(service, issuer)
    path = f"/user/{ADA}/profile"
    for _ in range(3):
        assert client.get(path, headers=signed(pair, kid="k1")).status_code == 200
    for head in ({"kid": "k2"}, {"kid": ""}, {}):
        problem(client.get(path, headers=signed(pair, **head)), 401, "unauthenticated")
    stranger = rsa.generate_private_key(65537, 2048)
    problem(client.get(path, headers=signed(stranger, kid="k1")), 401, "unauthenticated")
    assert len(issuer.requests) == 1


@pytest.mark.parametrize("answer", [reply(500, b"no"), reply(200, b"<html>"), reply(200, b"[]")])
def test_an_issuer_that_fails_is_a_503_and_asked_again_later(
    service: NonCallableMagicMock,
    issuer: ScriptedEndpoint,
    pair: rsa.RSAPrivateKey,
    clock: list[float],
    answer: Any,  # noqa: ANN401
) -> None:
    issuer.script.extend([answer, reply(200, jwks(pair, "k1"))])
    client = published(service, issuer)
    path, headers = f"/user/{ADA}/profile", signed(pair, kid="k1")
    for _ in range(2):
        response = client.get(path, headers=headers)
        problem(response, 503, "identity-unavailable")
        assert int(response.headers["retry-after"]) >= 1
    assert len(issuer.requests) == 1
    assert nobody_asked(service)
    clock[0] += FETCH_AGAIN_SECONDS
    assert client.get(path, headers=headers).status_code == 200


# Settings.


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"jwt_secret": SECRET}, "JWT_SECRET needs JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_secret": SECRET, "jwt_issuer": ISSUER}, "JWT_AUDIENCE"),
        ({"jwt_secret": SECRET, "jwt_jwks_url": "https://x.test"}, "exclude each other"),
        ({"jwt_secret": "short"}, "too short"),
        ({"jwt_jwks_url": "http://issuer.test/jwks"}, "https://"),
        ({"jwt_jwks_url": "file:///etc/passwd"}, "https://"),
        ({"jwt_public_key_file": "nowhere.pem"}, "cannot be read"),
        ({"jwt_public_key_file": __file__}, "no public key"),
    ],
)
def test_settings_that_clash_are_refused_at_the_start(
    service: Recommender, settings: dict[str, str], says: str
) -> None:
    whole = {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    if "needs" in says or says == "JWT_AUDIENCE":
        whole = {}
    with pytest.raises(InvalidRequest, match=says) as refused:
        api(service, **(whole | settings))
    assert SECRET not in str(refused.value)


# What is documented.


def test_the_credential_is_documented_only_where_it_is_asked_for(
    client: ApiClient, service: Recommender
) -> None:
    for _ in range(2):
        asked = client.ok("GET", "/openapi.json")
    schemes = asked["components"]["securitySchemes"]
    assert schemes["credential"]["bearerFormat"] == "API key or JWT"
    by_id = {o["operationId"]: o for m in asked["paths"].values() for o in m.values()}
    for route in ROUTES:
        operation = by_id.get(route.name)
        if operation and isinstance(route.original_route, UserRoute):
            assert operation["security"] == [{"credential": []}]
            assert {"401", "403", "503"} <= set(operation["responses"])
            unavailable = operation["responses"]["503"]["description"]
            assert unavailable.count("Tokens cannot be checked") == 1
        elif operation:
            assert "security" not in operation
    plain = ApiClient(api(service)).ok("GET", "/openapi.json")
    assert "securitySchemes" not in plain["components"]
    assert "/problems/unauthenticated" not in json.dumps(plain)
    assert "Tokens cannot be checked" not in json.dumps(plain)


@pytest.mark.parametrize(
    ("host", "asks", "warned"),
    [
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("0.0.0.0", False, True),  # noqa: S104 - read only
        ("192.0.2.7", False, True),
        ("0.0.0.0", True, False),  # noqa: S104 - read only
    ],
)
def test_a_server_that_others_reach_warns_where_it_asks_nobody(
    service: Recommender,
    key: str,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    host: str,
    asks: bool,
    warned: bool,
) -> None:
    monkeypatch.setattr("assistant.server.mount_chat", lambda *_: None)
    monkeypatch.setattr("assistant.server.offline_planner", lambda *_: None)
    monkeypatch.setattr("assistant.server.agent_with", lambda *_: None)
    if asks:
        monkeypatch.setenv("API_KEYS_FILE", str(key_file))
    create_app(service, HashingEncoder(), Settings(host=host))
    assert ("Set API_KEYS_FILE" in caplog.text) is warned
    assert key not in caplog.text
