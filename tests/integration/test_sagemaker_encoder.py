"""The SageMaker client when things go wrong, over the real boto3 client and real sockets."""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from botocore.loaders import Loader

from fusion.circuit import FAILURES_TO_OPEN, PAUSE_SECONDS
from fusion.errors import EncoderUnavailable, EndpointUnavailable, WrongDimension
from fusion.fake import BlendFusionEncoder
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm
from fusion.sagemaker_encoder import ATTEMPTS, SageMakerFusionEncoder
from fusion.wire import WireFused, WireInput
from tests.fusion_container import aws_environment, container, free_port, holding
from tests.scripted_endpoint import (
    PATIENT,
    Act,
    Handler,
    ScriptedEndpoint,
    aws_error,
    break_off,
    hang,
    hang_in_body,
    quote_request,
    reply,
    reset,
    scripted_endpoint,
)

BLEND = BlendFusionEncoder()
SECRET = "a wish nobody may read"
ASKED = FusionInput(SECRET, (SwipedFilm("1", "Heat (1995)", np.ones(384, np.float32), True),))
FUSED = BLEND.fuse(ASKED)


def answer(version: str = BLEND.model_version, **changes: object) -> bytes:
    """A good answer, or one with other fields."""
    made = WireFused.of(FUSED, version)
    return made.model_copy(update=changes).model_dump_json().encode()


GOOD = reply(200, answer())
BROKEN = aws_error(500, "InternalFailure")


@pytest.fixture(autouse=True)
def aws() -> Iterator[pytest.MonkeyPatch]:
    with aws_environment() as patch:
        yield patch


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long botocore would have slept before trying again."""
    slept: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture(scope="module")
def loader() -> Loader:
    """AWS's descriptions of its services, read once for all clients."""
    return Loader()


@pytest.fixture(autouse=True)
def _shared_loader(monkeypatch: pytest.MonkeyPatch, loader: Loader) -> None:
    monkeypatch.setattr("botocore.session.create_loader", lambda _path=None: loader)


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    with scripted_endpoint() as server:
        yield server


@pytest.fixture
def encoder(endpoint: ScriptedEndpoint) -> SageMakerFusionEncoder:
    return client(endpoint.url)


def client(url: str, timeout: float = PATIENT) -> SageMakerFusionEncoder:
    return SageMakerFusionEncoder("fusion", BLEND.model_version, url=url, timeout=timeout)


def check_good(fused: Fused) -> None:
    np.testing.assert_array_equal(fused.vector, FUSED.vector)
    assert (fused.influence, fused.confidence) == (FUSED.influence, FUSED.confidence)


def fail(encoder: SageMakerFusionEncoder, times: int = FAILURES_TO_OPEN) -> None:
    for _ in range(times):
        with pytest.raises(EndpointUnavailable):
            encoder.fuse(ASKED)


def test_a_request_names_the_endpoint_and_is_signed(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder
) -> None:
    endpoint.script.append(GOOD)
    check_good(encoder.fuse(ASKED))
    [request] = endpoint.requests
    assert request.path == "/endpoints/fusion/invocations"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=testing/")
    assert WireInput.model_validate_json(request.body).asked().query == SECRET


def test_one_of_several_production_variants_is_called(endpoint: ScriptedEndpoint) -> None:
    endpoint.script.append(GOOD)
    targeted = SageMakerFusionEncoder(
        "fusion",
        BLEND.model_version,
        url=endpoint.url,
        timeout=PATIENT,
        target_variant="token-fusion",
    )
    check_good(targeted.fuse(ASKED))
    check_good(client(endpoint.url).fuse(ASKED))
    named, shared = (request.headers for request in endpoint.requests)
    assert named["x-amzn-sagemaker-target-variant"] == "token-fusion"
    assert "x-amzn-sagemaker-target-variant" not in shared


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (BROKEN, "InternalFailure, HTTP 500"),
        (aws_error(503, "ServiceUnavailable"), "ServiceUnavailable, HTTP 503"),
        (aws_error(400, "ThrottlingException"), "ThrottlingException, HTTP 400"),
        (aws_error(400, "ValidationError"), "ValidationError, HTTP 400"),
        (aws_error(403, "ExpiredTokenException"), "ExpiredTokenException, HTTP 403"),
        (aws_error(429, "ModelNotReadyException"), "ModelNotReadyException, HTTP 429"),
        (
            aws_error(424, "ModelError", OriginalStatusCode=503),
            "ModelError, HTTP 424, the container said 503",
        ),
        (reply(502, b"<html>\xff bad gateway", "text/html"), "HTTP 502"),
        (reply(200, b""), "not a fused vector"),
        (reply(200, b"\xff\xfe"), "not a fused vector"),
        (reply(200, b'{"predictions": []}'), "not a fused vector"),
        (reply(200, answer(influence=2.0)), "not a fused vector"),
        (reply(200, answer(vector=np.full(384, np.nan, np.float32))), "not a fused vector"),
        (reply(200, answer(vector=np.ones(383, np.float32))), "have 383 numbers, not 384"),
        (reply(200, answer("blend-2")), "serves model blend-2, not blend-1-hashing-1. Set FUSION_"),
        (break_off, "ResponseStreamingError"),
        (reset, "ConnectionClosedError"),
        (quote_request(424), "ModelError"),
        (quote_request(500), "ModelError"),
    ],
)
def test_a_failure_is_named_and_quotes_no_words_of_the_user(
    endpoint: ScriptedEndpoint,
    encoder: SageMakerFusionEncoder,
    caplog: pytest.LogCaptureFixture,
    act: Act,
    reason: str,
) -> None:
    caplog.set_level(logging.INFO)
    endpoint.script.append(act)
    with pytest.raises(EndpointUnavailable, match=f"fusion gives no answer: .*{reason}") as failure:
        encoder.fuse(ASKED)
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    assert SECRET not in caplog.text
    assert len(endpoint.requests) <= ATTEMPTS


@pytest.mark.parametrize("act", [hang, hang_in_body])
def test_an_endpoint_that_hangs_is_given_up(endpoint: ScriptedEndpoint, act: Act) -> None:
    endpoint.script.append(act)
    with pytest.raises(EndpointUnavailable, match="ReadTimeoutError"):
        client(endpoint.url, timeout=0.1).fuse(ASKED)


@pytest.mark.parametrize("act", [BROKEN, aws_error(400, "ThrottlingException"), reset])
def test_what_passes_is_tried_again_after_a_pause(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder, pauses: list[float], act: Act
) -> None:
    endpoint.script.extend([act, GOOD])
    check_good(encoder.fuse(ASKED))
    assert len(pauses) == 1
    assert len(endpoint.requests) == 2


def test_what_does_not_pass_is_not_tried_again(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder
) -> None:
    endpoint.script.append(aws_error(400, "ValidationError"))
    fail(encoder, times=1)
    assert len(endpoint.requests) == 1


def test_nobody_listens() -> None:
    with pytest.raises(EndpointUnavailable, match="EndpointConnectionError"):
        client(f"http://127.0.0.1:{free_port()}").fuse(ASKED)


def test_no_credentials(aws: pytest.MonkeyPatch, endpoint: ScriptedEndpoint) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(EndpointUnavailable, match="no AWS credentials; give the process a role"):
        client(endpoint.url).fuse(ASKED)


def test_no_region(aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(EncoderUnavailable, match="Check AWS_DEFAULT_REGION"):
        SageMakerFusionEncoder("fusion", "1")


def test_a_malformed_address() -> None:
    with pytest.raises(EncoderUnavailable, match="SAGEMAKER_RUNTIME_URL"):
        client("not an address")


def test_the_circuit_opens_and_closes_again(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder, wait: Callable[[float], None]
) -> None:
    endpoint.script.append(BROKEN)
    fail(encoder)
    sent = len(endpoint.requests)
    assert sent == FAILURES_TO_OPEN * ATTEMPTS
    wait(PAUSE_SECONDS - 1)
    with pytest.raises(EndpointUnavailable, match="the circuit is open"):
        encoder.fuse(ASKED)
    assert len(endpoint.requests) == sent
    endpoint.script[0] = GOOD
    wait(2)
    check_good(encoder.fuse(ASKED))
    check_good(encoder.fuse(ASKED))


def test_a_failed_trial_opens_the_circuit_anew(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder, wait: Callable[[float], None]
) -> None:
    endpoint.script.append(BROKEN)
    fail(encoder)
    wait(PAUSE_SECONDS + 1)
    with pytest.raises(EndpointUnavailable, match="InternalFailure"):
        encoder.fuse(ASKED)
    with pytest.raises(EndpointUnavailable, match="the circuit is open"):
        encoder.fuse(ASKED)


def test_failures_that_do_not_follow_each_other_open_nothing(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder
) -> None:
    refused = aws_error(400, "ValidationError")
    for _ in range(3):
        endpoint.script.extend([refused] * (FAILURES_TO_OPEN - 1) + [GOOD])
        fail(encoder, FAILURES_TO_OPEN - 1)
        check_good(encoder.fuse(ASKED))
        endpoint.script.clear()


def test_a_vector_of_the_caller_that_does_not_fit_opens_nothing(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder
) -> None:
    odd = FusionInput("", (SwipedFilm("1", "Heat (1995)", np.ones(3, np.float32), True),))
    for _ in range(2 * FAILURES_TO_OPEN):
        with pytest.raises(WrongDimension):
            encoder.fuse(odd)
    endpoint.script.append(GOOD)
    check_good(encoder.fuse(ASKED))


def test_calls_run_side_by_side(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder
) -> None:
    meeting = threading.Barrier(4)

    def together(handler: Handler) -> None:
        meeting.wait(PATIENT)
        GOOD(handler)

    endpoint.script.append(together)
    with ThreadPoolExecutor(4) as pool:
        for fused in pool.map(encoder.fuse, [ASKED] * 4):
            check_good(fused)


def test_one_call_tries_whether_the_endpoint_is_back_and_the_others_do_not_wait(
    endpoint: ScriptedEndpoint, encoder: SageMakerFusionEncoder, wait: Callable[[float], None]
) -> None:
    asked = threading.Event()

    def held(handler: Handler) -> None:
        asked.set()
        handler.server.released.wait(PATIENT)
        GOOD(handler)

    endpoint.script.append(BROKEN)
    fail(encoder)
    endpoint.script[0] = held
    wait(PAUSE_SECONDS + 1)
    with ThreadPoolExecutor(1) as pool:
        trial = pool.submit(encoder.fuse, ASKED)
        assert asked.wait(PATIENT)
        with pytest.raises(EndpointUnavailable, match="the circuit is open"):
            encoder.fuse(ASKED)
        endpoint.released.set()
        check_good(trial.result())
    check_good(encoder.fuse(ASKED))


def test_a_container_killed_in_mid_flight_and_started_again() -> None:
    port = free_port()
    encoder = client(f"http://127.0.0.1:{port}")
    with (
        ThreadPoolExecutor(1) as pool,
        holding() as (hold, held),
        container(port=port, HOLD_PORT=hold) as (_url, process),
    ):
        check_good(encoder.fuse(ASKED))
        flight = pool.submit(encoder.fuse, FusionInput("hold"))
        with held():
            process.kill()
            process.wait()
        with pytest.raises(EndpointUnavailable):
            flight.result()
        with pytest.raises(EndpointUnavailable, match="EndpointConnectionError"):
            encoder.fuse(ASKED)
    with container(port=port):
        check_good(encoder.fuse(ASKED))
