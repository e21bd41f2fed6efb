"""The fusion encoder of a SageMaker real-time endpoint (extra `[aws]`)."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from pydantic import ValidationError

from fusion.circuit import Circuit
from fusion.errors import EndpointUnavailable, WrongDimension
from fusion.fusion_encoder import Fused, FusionInput
from fusion.wire import JSON, WireFused, WireInput

ATTEMPTS = 2
MAX_CONNECTIONS = 32


class SageMakerFusionEncoder:
    """A `FusionEncoder` over an endpoint that runs `fusion.container`.

    Each call is tried twice at most. After five failed calls in a row calls fail at once for a
    while; see `fusion.circuit`.

    The model's version is given and not asked for: it is part of cache keys, so it must be known
    while the endpoint is down and must not change between a key's making and its use. An answer
    of any other version is refused. A new model is a new endpoint name and version, set together.
    """

    remote = True

    def __init__(
        self,
        endpoint: str,
        model_version: str,
        dim: int = 384,
        url: str | None = None,
        timeout: float = 0.5,
        target_variant: str | None = None,
    ) -> None:
        """Prepare a client for `endpoint`; nothing is sent yet.

        An endpoint may have several production variants, each with a model of its own:
        `target_variant` is the one that is called.

        `url` replaces AWS's address of the region; `timeout` bounds the seconds of connecting and
        of waiting for data, each, per attempt.

        Raises:
            EndpointUnavailable: AWS's configuration does not do: no region, or a malformed `url`.
        """
        self.model_version = model_version
        self.dim = dim
        self._endpoint = endpoint
        self._target = {} if target_variant is None else {"TargetVariant": target_variant}
        self._client = self._connect(url, timeout)
        self._circuit = Circuit(self._failed)

    def fuse(self, asked: FusionInput) -> Fused:
        """Ask the endpoint; see `FusionEncoder.fuse`."""
        for film in asked.swipes:
            if film.vector.shape != (self.dim,):
                raise WrongDimension(film.vector.size, self.dim)
        body = WireInput.of(asked).model_dump_json().encode()
        with self._circuit.calling():
            return self._checked(self._invoke(body))

    def _connect(self, url: str | None, timeout: float) -> Any:  # noqa: ANN401 - boto3 has no types
        config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=MAX_CONNECTIONS,
            tcp_keepalive=True,
        )
        try:
            return boto3.Session().client("sagemaker-runtime", endpoint_url=url, config=config)
        except (BotoCoreError, ValueError) as error:
            mend = "Check AWS_DEFAULT_REGION and SAGEMAKER_RUNTIME_URL"
            raise self._failed(f"{error} {mend}") from error

    def _invoke(self, body: bytes) -> bytes:
        # What a service says in its errors may quote the request: neither the message nor the
        # chained exception may carry it into a log.
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self._endpoint,
                ContentType=JSON,
                Accept=JSON,
                Body=body,
                **self._target,
            )
            content: bytes = response["Body"].read()
        except ClientError as error:
            raise self._failed(_refusal(error)) from None
        except NoCredentialsError:
            raise self._failed("no AWS credentials; give the process a role or a profile") from None
        except BotoCoreError as error:
            raise self._failed(type(error).__name__) from None
        return content

    def _checked(self, content: bytes) -> Fused:
        try:
            answer = WireFused.model_validate_json(content)
        except ValidationError:
            raise self._failed("its answer is not a fused vector") from None
        if answer.model_version != self.model_version:
            raise self._failed(
                f"it serves model {answer.model_version}, not {self.model_version}. "
                "Set FUSION_MODEL_VERSION and SAGEMAKER_ENDPOINT_NAME to belong together"
            )
        if answer.vector.shape != (self.dim,):
            raise self._failed(f"its vectors have {answer.vector.size} numbers, not {self.dim}")
        return answer.fused()

    def _failed(self, reason: str) -> EndpointUnavailable:
        return EndpointUnavailable(self._endpoint, reason)


def _refusal(error: ClientError) -> str:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    model_status = error.response.get("OriginalStatusCode")
    told = f", the container said {model_status}" if model_status else ""
    return f"{error.response['Error']['Code']}, HTTP {status}{told}"
