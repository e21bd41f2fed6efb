"""Titan Text Embeddings V2 on the wire: a server that embeds as Bedrock's InvokeModel answers.

The vectors are the hashing encoder's; what the model refuses, it refuses:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from fusion.fake import HashingEncoder
from tests.scripted_endpoint import (
    Handler,
    ScriptedEndpoint,
    aws_error,
    reply,
    scripted_endpoint,
)

PATH = "/model/amazon.titan-embed-text-v2%3A0/invoke"
MOST_CHARACTERS, MOST_TOKENS = 50_000, 8192
FIELDS = {"inputText", "dimensions", "normalize", "embeddingTypes"}
ENCODERS = {dim: HashingEncoder(dim) for dim in (256, 512, 1024)}


@contextmanager
def titan() -> Iterator[ScriptedEndpoint]:
    """A running server that embeds whatever it is asked to."""
    with scripted_endpoint() as server:
        server.script.append(embed)
        yield server


def embed(handler: Handler) -> None:
    """Answer one request. A token is taken to be a byte: no text has more of them."""
    asked = json.loads(handler.body)
    text, encoder = asked["inputText"], ENCODERS.get(asked["dimensions"])
    fits = 0 < len(text) <= MOST_CHARACTERS and len(text.encode()) <= MOST_TOKENS
    if encoder and fits and handler.path == PATH and asked.keys() <= FIELDS:
        reply(200, answer(encoder.encode([text])[0].tolist()))(handler)
    else:
        aws_error(400, "ValidationException")(handler)


def answer(vector: object) -> bytes:
    """The body of an answer with this vector."""
    whole = {"embedding": vector, "inputTextTokenCount": 1, "embeddingsByType": {"float": vector}}
    return json.dumps(whole).encode()
