"""A turn of the conversation: counted, timed, traced and logged."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal
from uuid import uuid4

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.messages import ToolMessage
from langgraph.types import Command
from prometheus_client import Histogram

from assistant.context import serving
from assistant.planner.model import NAME
from recommender.telemetry import span

CHAT_TURN_SECONDS = Histogram(
    "reelwise_chat_turn_seconds",
    "Seconds from a message to the end of its answer, by who answered and how it ended",
    ["model", "outcome"],
    buckets=(0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3, 6, 12, 30, 60),
)
Request = ModelRequest[Any]
Response = ModelResponse[Any]
ToolAnswer = ToolMessage | Command[Any]

log = logging.getLogger(__name__)


@dataclass
class Turn:
    """How a turn goes. ``planner`` is the offline one, also when it stands in for a model.

    ``refused``: something that the person asked for is not to be had just now.
    """

    model: Literal["none", "planner", "model"] = "none"
    outcome: Literal["answered", "refused", "failed"] = "answered"


_current: ContextVar[Turn | None] = ContextVar("turn", default=None)


def current_turn() -> Turn:
    """The turn that is being answered; one that nobody counts where there is none."""
    return _current.get() or Turn()


@contextmanager
def chat_turn(user_id: str) -> Iterator[Turn]:
    """Whoever answers within says through ``current_turn`` how it goes."""
    turn, start = Turn(), perf_counter()
    token = _current.set(turn)
    try:
        with serving(uuid4().hex, user_id), span("chat turn") as traced:
            try:
                yield turn
            except Exception:
                turn.outcome = "failed"
                raise
            finally:
                seconds = perf_counter() - start
                CHAT_TURN_SECONDS.labels(turn.model, turn.outcome).observe(seconds)
                traced.set_attribute("model", turn.model)
                traced.set_attribute("outcome", turn.outcome)
                _log(turn, seconds)
    finally:
        _current.reset(token)


def _log(turn: Turn, seconds: float) -> None:
    milliseconds = round(1000 * seconds)
    log.info(
        "chat turn %s by %s in %d ms",
        turn.outcome,
        turn.model,
        milliseconds,
        extra={"outcome": turn.outcome, "model": turn.model, "milliseconds": milliseconds},
    )


class WatchedTurn(AgentMiddleware[Any, Any, Any]):
    """Traces what the agent does in a turn, and notes who spoke last."""

    def wrap_model_call(self, request: Request, handler: Callable[[Request], Response]) -> Response:
        """Ask the model."""
        with span("model"):
            return _noted(handler(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Ask the model."""
        with span("model"):
            return _noted(await handler(request))

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolAnswer]
    ) -> ToolAnswer:
        """Run the tool."""
        with span(_tool(request)):
            return handler(request)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]],
    ) -> ToolAnswer:
        """Run the tool."""
        with span(_tool(request)):
            return await handler(request)


def _tool(request: ToolCallRequest) -> str:
    """Named by the tool that there is: a model may call for anything."""
    return f"tool {request.tool.name}" if request.tool else "tool"


def _noted(response: Response) -> Response:
    said = response.result[-1].response_metadata
    current_turn().model = "planner" if said.get("model_name") == NAME else "model"
    return response
