"""The REST API as a Lambda function: events of an API Gateway's HTTP API are its requests.

The function's command is ``assistant.lambda_function.handler``. Everything is loaded on import,
while Lambda gives a whole processor, and kept until the process ends.
"""

import atexit
import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext, LambdaEvent

from assistant.api.app import create_api
from assistant.api.settings import ApiSettings
from assistant.composition import load_encoder, open_recommender
from assistant.emf import EmfExporter
from assistant.refusal import mendable
from assistant.settings import Settings

ROOMS = ("assistant", "tools", "recommender", "fusion")
PROBLEM = "application/problem+json"
Handler = Callable[[LambdaEvent, LambdaContext], dict[str, Any]]


def create_handler(opened: ExitStack) -> Handler:
    """The function over parts that ``opened`` closes.

    Raises typer.Exit with code 2, having said what to mend, when a setting does not do.
    """
    with mendable():
        settings = Settings()
        for room in ROOMS:  # Mangum would write each path, and paths name people
            logging.getLogger(room).setLevel(settings.log_level.upper())
        encoder = load_encoder(settings)
        recommender = opened.enter_context(open_recommender(settings, encoder))
    api = create_api(recommender, ApiSettings())
    answer = Mangum(api, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, PROBLEM])
    return _measured(answer, settings) if settings.metrics == "emf" else answer


def _measured(answer: Handler, settings: Settings) -> Handler:
    """Write the metrics after each event: between two of them Lambda lets nothing run."""
    exporter = EmfExporter(settings.metrics_namespace)

    def answer_and_write(event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
        try:
            return answer(event, context)
        finally:
            exporter.flush()

    return answer_and_write


_parts = ExitStack()
atexit.register(_parts.close)
handler = create_handler(_parts)
