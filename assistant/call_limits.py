"""How often a turn may ask its model and its tools, counted off the conversation."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Command

from prompts import phrase

Request = ModelRequest[Any]
Response = ModelResponse[Any]
ToolAnswer = ToolMessage | Command[Any]
REFUSED = "Tool call limit exceeded. Do not make additional tool calls."
"""What the model is told in place of a tool's answer."""


class CallLimits(AgentMiddleware[Any, Any, Any]):
    """Ends a turn that has asked its model so often, and refuses the tools it calls past a number.

    LangChain's own limits are steps of the graph around each answer: six in the usual turn, each of
    which takes longer than an answer of the planner.
    """

    def __init__(self, model_calls: int, tool_calls: int) -> None:
        super().__init__()
        self._model_calls = model_calls
        self._tool_calls = tool_calls

    def wrap_model_call(self, request: Request, handler: Callable[[Request], Response]) -> Response:
        """Ask the model, if it may be asked again."""
        return handler(request) if self._may_ask(request) else _enough()

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Ask the model, if it may be asked again."""
        return await handler(request) if self._may_ask(request) else _enough()

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], ToolAnswer]
    ) -> ToolAnswer:
        """Run the tool, if it is not one too many."""
        return handler(request) if self._may_run(request) else _refusal(request)

    async def awrap_tool_call(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[ToolAnswer]],
    ) -> ToolAnswer:
        """Run the tool, if it is not one too many."""
        return await handler(request) if self._may_run(request) else _refusal(request)

    def _may_ask(self, request: Request) -> bool:
        return len(list(_answers(request.messages))) < self._model_calls

    def _may_run(self, request: ToolCallRequest) -> bool:
        answers = reversed(list(_answers(request.state["messages"])))
        asked = [call["id"] for answer in answers for call in answer.tool_calls]
        return request.tool_call["id"] in asked[: self._tool_calls]


def _answers(messages: Sequence[AnyMessage]) -> Iterator[AIMessage]:
    """The model's messages since the person's latest, the latest first."""
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            return
        if isinstance(message, AIMessage):
            yield message


def _enough() -> Response:
    return ModelResponse(result=[AIMessage(phrase("error.CallLimit"))])


def _refusal(request: ToolCallRequest) -> ToolMessage:
    call = request.tool_call
    return ToolMessage(REFUSED, tool_call_id=call["id"], name=call["name"], status="error")
