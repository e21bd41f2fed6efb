"""The container's HTTP interface, in process."""

import json
from concurrent.futures import Future

import numpy as np
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from fusion.container.app import create_app
from fusion.errors import EncoderUnavailable
from fusion.fake import BlendFusionEncoder
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput, SwipedFilm
from fusion.wire import WireFused, WireInput

BLEND = BlendFusionEncoder()
MAX_BYTES = 100_000
SWIPES = tuple(
    SwipedFilm(str(seed), "Film", np.random.default_rng(seed).normal(size=384).astype("f4"), True)
    for seed in range(3)
)
ASKED = [FusionInput("heist", SWIPES), FusionInput(), FusionInput("七人の侍", SWIPES[:1], True)]


class Broken(BlendFusionEncoder):
    """Has no vector to give."""

    def fuse(self, asked: FusionInput) -> Fused:
        raise EncoderUnavailable(f"out of memory for {len(asked.swipes)} swipes")


def serving(encoder: FusionEncoder) -> TestClient:
    loading: Future[FusionEncoder] = Future()
    loading.set_result(encoder)
    return TestClient(create_app(loading, MAX_BYTES))


@pytest.fixture
def client() -> TestClient:
    return serving(BLEND)


def post(client: TestClient, body: bytes | str, media_type: str = "application/json") -> Response:
    return client.post("/invocations", content=body, headers={"Content-Type": media_type})


def line(asked: FusionInput) -> str:
    return WireInput.of(asked).model_dump_json()


def check(answer: object, asked: FusionInput) -> None:
    read = WireFused.model_validate(answer)
    expected = BLEND.fuse(asked)
    np.testing.assert_array_equal(read.vector, expected.vector)
    assert (read.influence, read.confidence) == (expected.influence, expected.confidence)
    assert read.model_version == BLEND.model_version


def check_refused(response: Response, status: int, message: str) -> None:
    assert response.status_code == status
    assert message in response.json()["message"]


def test_until_the_model_is_loaded_it_is_not_there() -> None:
    loading: Future[FusionEncoder] = Future()
    client = TestClient(create_app(loading, MAX_BYTES))
    assert client.get("/ping").status_code == 503
    check_refused(post(client, "{}"), 503, "The model is loading")
    loading.set_result(BLEND)
    assert client.get("/ping").status_code == 200
    assert post(client, "{}").status_code == 200


def test_a_model_that_cannot_be_loaded_is_never_there() -> None:
    loading: Future[FusionEncoder] = Future()
    loading.set_exception(EncoderUnavailable("no weights"))
    client = TestClient(create_app(loading, MAX_BYTES))
    assert client.get("/ping").status_code == 503
    assert post(client, "{}").status_code == 503


@pytest.mark.parametrize("asked", ASKED)
def test_one_input_gets_one_answer(client: TestClient, asked: FusionInput) -> None:
    response = post(client, line(asked), "application/json; charset=utf-8")
    assert response.headers["content-type"] == "application/json"
    check(response.json(), asked)


def test_instances_get_predictions_in_their_order(client: TestClient) -> None:
    response = post(client, '{"instances": [' + ",".join(map(line, ASKED)) + "]}")
    for answer, asked in zip(response.json()["predictions"], ASKED, strict=True):
        check(answer, asked)


def test_lines_get_one_answer_each_in_their_order(client: TestClient) -> None:
    many = ASKED * 5
    tricky = FusionInput("one line\u2028still\x85the same\n")
    body = "\n".join(map(line, [*many, tricky])) + "\n"
    response = post(client, body, "application/jsonlines")
    assert response.headers["content-type"] == "application/jsonlines"
    for answer, asked in zip(response.content.splitlines(), [*many, tricky], strict=True):
        check(json.loads(answer), asked)


def test_the_path_of_awss_clients_is_the_same_thing(client: TestClient) -> None:
    response = client.post("/endpoints/fusion/invocations", json={"query": "heist"})
    check(response.json(), FusionInput("heist"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "the body: Invalid JSON"),
        ("secret", "the body: Invalid JSON"),
        (b"\xff\xfe", "the body: Invalid JSON"),
        ("[]", "the body: "),
        (
            '{"query": ["secret"]}',
            "query: Input should be a valid string. An input is written as",
        ),
        ('{"wish": "secret"}', "wish: Extra inputs are not permitted"),
        ('{"swipes": [{"text": "secret"}]}', "swipes.0.item_id: Field required"),
        ('{"instances": [{}, {"query": 1}]}', "instances.1.query: Input should be a valid string"),
        (
            '{"swipes": [{"item_id": "1", "text": "secret", "liked": true, "vector": "secret"}]}',
            "swipes.0.vector: ",
        ),
        (
            line(FusionInput("secret", (SwipedFilm("1", "t", np.ones(3, np.float32), True),))),
            "A film's vector has 3 numbers and the model reads 384",
        ),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_without_quoting_it(
    client: TestClient, body: bytes | str, message: str
) -> None:
    response = post(client, body)
    check_refused(response, 400, message)
    assert "secret" not in response.text


@pytest.mark.parametrize("bad", ["", "secret", '{"instances": []}'])
def test_a_line_that_cannot_be_read_is_named(client: TestClient, bad: str) -> None:
    response = post(client, f"{{}}\n{bad}\n{{}}", "application/jsonlines")
    check_refused(response, 400, "Line 2: ")
    assert "secret" not in response.text


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-npy", ""])
def test_other_content_types_are_refused(client: TestClient, media_type: str) -> None:
    check_refused(post(client, "{}", media_type), 415, "application/json or application/jsonlines")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_past_the_limit_is_refused(client: TestClient, chunked: bool) -> None:
    def body(size: int) -> bytes | list[bytes]:
        content = b'{"query": "a"}'.ljust(size)
        return [content[:50_000], content[50_000:]] if chunked else content

    headers = {"Content-Type": "application/json"}
    fits = client.post("/invocations", content=body(MAX_BYTES), headers=headers)
    assert fits.status_code == 200
    over = client.post("/invocations", content=body(MAX_BYTES + 1), headers=headers)
    check_refused(over, 413, "over 100000 bytes")


def test_an_encoder_without_an_answer_is_503() -> None:
    check_refused(post(serving(Broken()), "{}"), 503, "out of memory for 0 swipes")


def test_other_methods_and_paths_are_not_there(client: TestClient) -> None:
    assert client.get("/invocations").status_code == 405
    assert client.get("/").status_code == 404
