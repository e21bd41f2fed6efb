"""The text encoder of Amazon Bedrock: Titan Text Embeddings V2 (extra `[aws]`)."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from fusion.circuit import Circuit
from fusion.encoder import Vectors
from fusion.errors import EmbeddingUnavailable

MODEL = "amazon.titan-embed-text-v2:0"
DIMENSIONS = (256, 512, 1024)
JSON = "application/json"
ATTEMPTS = 3
AT_ONCE = 4
"""Requests at a time for the texts of one call: the model takes one text a request."""
MAX_CONNECTIONS = 48
MOST_BYTES = 8000
"""A token is a byte of UTF-8 at least, and the model takes 8,192 of them."""
NOTHING = "."
"""What stands for a text without a visible character: the model refuses the empty one."""


class BedrockTextEncoder:
    """A `TextEncoder` over Bedrock's InvokeModel.

    Each request is tried three times at most, with growing pauses where Bedrock throttles. After
    five failed calls in a row calls fail at once for a while; see `fusion.circuit`.
    """

    remote = True

    def __init__(self, dim: int, timeout: float = 1.0) -> None:
        """Prepare a client for vectors of ``dim`` numbers; nothing is sent yet.

        ``timeout`` bounds the seconds of connecting and of waiting for data, each, per attempt.

        Raises:
            ValueError: the model has no vectors of this length.
            EmbeddingUnavailable: AWS's configuration does not do: no region, or a malformed URL.
        """
        if dim not in DIMENSIONS:
            raise ValueError(f"{MODEL} makes vectors of 256, 512 or 1024 numbers, not of {dim}")
        self.dim = dim
        self._client = _connect(timeout)
        self._circuit = Circuit(EmbeddingUnavailable)
        self._workers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="bedrock-embedding")

    @property
    def model_version(self) -> str:
        """Name of the model and length of its vectors."""
        return f"{MODEL}-{self.dim}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts` as unit rows, shape (len(texts), dim); see `TextEncoder.encode`."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        if len(texts) == 1:  # a query: no other thread need be waited for
            vectors[0] = self._encode_one(texts[0])
        else:
            for row, vector in zip(
                vectors, self._workers.map(self._encode_one, texts), strict=True
            ):
                row[:] = vector
        return vectors

    def _encode_one(self, text: str) -> Vectors:
        asked = {"inputText": _acceptable(text), "dimensions": self.dim, "normalize": True}
        with self._circuit.calling():
            return self._checked(self._invoke(json.dumps(asked)))

    def _invoke(self, body: str) -> bytes:
        # What a service says in its errors may quote the request: neither the message nor the
        # chained exception may carry it into a log.
        try:
            response = self._client.invoke_model(
                modelId=MODEL, contentType=JSON, accept=JSON, body=body
            )
            content: bytes = response["body"].read()
        except ClientError as error:
            raise EmbeddingUnavailable(error.response["Error"]["Code"]) from None
        except NoCredentialsError:
            reason = "no AWS credentials; give the process a role or a profile"
            raise EmbeddingUnavailable(reason) from None
        except BotoCoreError as error:
            raise EmbeddingUnavailable(type(error).__name__) from None
        return content

    def _checked(self, content: bytes) -> Vectors:
        """The unit vector in an answer. Raises EmbeddingUnavailable where there is none."""
        try:
            vector = np.array(json.loads(content)["embedding"], dtype=np.float64)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise EmbeddingUnavailable("its answer is not a vector") from None
        if vector.shape != (self.dim,):
            raise EmbeddingUnavailable(f"its vector has {vector.size} numbers, not {self.dim}")
        with np.errstate(over="ignore"):
            length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or not length:
            raise EmbeddingUnavailable("its vector has no direction")
        unit: Vectors = (vector / length).astype(np.float32)
        return unit


def _connect(timeout: float) -> Any:  # noqa: ANN401 - boto3 has no types
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=MAX_CONNECTIONS,
        tcp_keepalive=True,
    )
    try:
        return boto3.Session().client("bedrock-runtime", config=config)
    except (BotoCoreError, ValueError) as error:
        raise EmbeddingUnavailable(f"{error} Check AWS_DEFAULT_REGION") from error


def _acceptable(text: str) -> str:
    """The text as the model takes it: cut, in whole characters, and never empty."""
    encoded = text.encode("utf-8", "replace")[:MOST_BYTES]
    return encoded.decode("utf-8", "ignore").strip() or NOTHING
