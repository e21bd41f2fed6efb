"""When a hosted chat model fails, the offline planner goes on, says so, and it is counted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.errors import GraphBubbleUp

from assistant.planner.model import NAME, OfflinePlanner
from prompts import phrase
from recommender.telemetry import FALLBACKS

PART = "chat_model"
Request = ModelRequest[Any]
Response = ModelResponse[Any]

log = logging.getLogger(__name__)


class BrokenOff(Exception):
    """A model's answer has no end."""


class PlannerFallback(AgentMiddleware[Any, Any, Any]):
    """Answers with the planner when the model raises or takes longer than ``timeout`` seconds.

    The planner then ends the turn that it began; the next one tries the model again.
    """

    def __init__(self, planner: OfflinePlanner, timeout: float) -> None:
        super().__init__()
        self._planner = planner.model_copy(update={"preface": phrase("note.model_failed")})
        self._timeout = timeout

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Ask the model, else the planner."""
        if not _taken_over(request.messages):
            try:
                async with asyncio.timeout(self._timeout):
                    response = await handler(request)
                    check_ended(response.result[-1])
                    return response
            except GraphBubbleUp:
                raise
            except Exception as error:
                # Its text may quote the conversation.
                log.warning("The chat model failed: %s", type(error).__name__)
                FALLBACKS.labels(PART).inc()
        return await handler(request.override(model=self._planner))


def check_ended(message: BaseMessage) -> None:
    """Raises BrokenOff: Bedrock's client takes a stream that broke off for one that ended."""
    said = message.response_metadata
    if said.get("model_provider") == "bedrock_converse" and "stopReason" not in said:
        raise BrokenOff


def _taken_over(messages: Sequence[BaseMessage]) -> bool:
    """Whether the planner has spoken since the person's latest message."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return False
        if isinstance(message, AIMessage) and message.response_metadata.get("model_name") == NAME:
            return True
    return False
