"""What SageMaker asks of an inference container: ``GET /ping`` and ``POST /invocations``."""

import os
from collections.abc import Callable
from concurrent.futures import Future

from anyio import CapacityLimiter, to_thread
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fusion.errors import EncoderUnavailable, WrongDimension
from fusion.fusion_encoder import FusionEncoder
from fusion.wire import (
    JSON,
    JSON_LINES,
    REQUEST,
    WireFused,
    WireInput,
    WirePredictions,
)

EXAMPLE = (
    '{"query": "...", "swipes": [{"item_id": "1", "text": "...", "liked": true, '
    '"vector": "<base64 of little-endian float32>", "days_ago": 0}], "for_someone_else": false}'
)


def create_app(loading: Future[FusionEncoder], max_bytes: int) -> Starlette:
    """The container's web application; it answers 503 until ``loading`` is done.

    Errors are ``{"message": ...}`` and say how to mend the request, without its own text.
    """
    inference = _Inference(loading, max_bytes)
    return Starlette(
        routes=[
            Route("/ping", inference.ping),
            Route("/invocations", inference.invoke, methods=["POST"]),
            # The path that AWS's clients ask for: SAGEMAKER_RUNTIME_URL can name a bare container.
            Route("/endpoints/{name}/invocations", inference.invoke, methods=["POST"]),
        ]
    )


class _Inference:
    def __init__(self, loading: Future[FusionEncoder], max_bytes: int) -> None:
        self._loading = loading
        self._max_bytes = max_bytes
        # More at once than there are cores would only slow each other down.
        self._limiter = CapacityLimiter(os.cpu_count() or 1)

    async def ping(self, _request: Request) -> Response:
        """Answer 200 once the model is loaded."""
        return Response(status_code=200 if self._loaded() else 503)

    async def invoke(self, request: Request) -> Response:
        """Fuse what the body asks, or say why not."""
        try:
            return await self._answer(request)
        except HTTPException as error:
            return _message(error.status_code, error.detail)
        except ValidationError as error:
            return _message(400, _problem(error))
        except WrongDimension as error:
            return _message(400, str(error))
        except EncoderUnavailable as error:
            return _message(503, str(error))

    async def _answer(self, request: Request) -> Response:
        encoder = self._loaded()
        if encoder is None:
            raise HTTPException(503, "The model is loading. Ask again when /ping answers 200.")
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        answer = ANSWERS.get(media_type)
        if answer is None:
            raise HTTPException(415, f"Send the Content-Type {' or '.join(ANSWERS)}.")
        body = await _read(request, self._max_bytes)
        # Off the event loop, so that pings are answered meanwhile.
        content = await to_thread.run_sync(answer, encoder, body, limiter=self._limiter)
        return Response(content, media_type=media_type)

    def _loaded(self) -> FusionEncoder | None:
        whole = self._loading.done() and self._loading.exception() is None
        return self._loading.result() if whole else None


async def _read(request: Request, max_bytes: int) -> bytes:
    """The body. Raises HTTPException 413 past `max_bytes`, without reading further."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise HTTPException(
                413,
                f"The body is over {max_bytes} bytes. Send fewer swipes or instances at a time.",
            )
    return bytes(body)


def _answer_json(encoder: FusionEncoder, body: bytes) -> str:
    request = REQUEST.validate_json(body)
    if isinstance(request, WireInput):
        return _fuse(encoder, request).model_dump_json()
    predictions = tuple(_fuse(encoder, instance) for instance in request.instances)
    return WirePredictions(predictions=predictions).model_dump_json()


def _answer_lines(encoder: FusionEncoder, body: bytes) -> str:
    """One answer per line, in order, as a batch transform's output is joined to its input."""
    # All lines are read first: a bad one is refused before any work is done.
    inputs = [_read_line(number, line) for number, line in enumerate(body.splitlines(), 1)]
    return "".join(_fuse(encoder, each).model_dump_json() + "\n" for each in inputs)


def _read_line(number: int, line: bytes) -> WireInput:
    try:
        return WireInput.model_validate_json(line)
    except ValidationError as error:
        raise HTTPException(400, f"Line {number}: {_problem(error)}") from error


def _fuse(encoder: FusionEncoder, asked: WireInput) -> WireFused:
    return WireFused.of(encoder.fuse(asked.asked()), encoder.model_version)


ANSWERS: dict[str, Callable[[FusionEncoder, bytes], str]] = {
    JSON: _answer_json,
    JSON_LINES: _answer_lines,
}


def _problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("one", "many"))
    reason = first["msg"].removeprefix("Value error, ")
    return f"{place or 'the body'}: {reason}. An input is written as {EXAMPLE}"


def _message(status: int, text: str) -> Response:
    return JSONResponse({"message": text}, status)
