"""The offline planner: a chat model without a language model behind it."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Self
from uuid import uuid4

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.runnables.config import run_in_executor
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr
from typing_extensions import override

from assistant.planner.conversation import Conversation
from assistant.planner.intents import Intent
from assistant.planner.planning import Call, Plan, Planner
from assistant.planner.replies import reply
from prompts import phrase

NAME = "offline-planner"
_SENTENCES = re.compile(r".+?(?:[.!?…]\s+|\n\s*|\Z)", re.DOTALL)


class OfflinePlanner(BaseChatModel):
    """Turns messages into tool calls, and what tools answered into sentences.

    It stands in for a hosted chat model in the agent loop: bind its tools, give it messages, and it
    answers with `AIMessage`s. It keeps nothing between calls.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    planner: Planner
    tool_schemas: tuple[dict[str, Any], ...] = ()
    preface: str = ""
    """Said before every answer in words."""
    _bound: tuple[list[object], "OfflinePlanner"] | None = PrivateAttr(default=None)
    """The tools bound last, and the copy that may call them."""

    def prepare(self) -> None:
        """Make what the first messages would wait a second for."""
        self.planner.prepare()

    @property
    def _llm_type(self) -> str:
        return NAME

    @override
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: object,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A copy that may call these tools and no others; ``tool_choice`` has no effect.

        An agent binds the same tools before each answer: that copy is made once.
        """
        if self._bound is None or self._bound[0] != list(tools):
            schemas = tuple(convert_to_openai_tool(tool) for tool in tools)
            bound = self.model_copy(update={"tool_schemas": schemas})
            self._bound = list(tools), bound
        return self._bound[1]

    @override
    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, which binds tools anew: it may differ."""
        copied = super().model_copy(update=update, deep=deep)
        copied._bound = None
        return copied

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(self._answer(messages)):
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> AsyncIterator[ChatGenerationChunk]:
        answer = await run_in_executor(None, self._answer, messages)
        for chunk in _chunks(answer):
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _answer(self, messages: Sequence[BaseMessage]) -> AIMessage:
        conversation = Conversation.of(messages)
        plan = self.planner.plan(conversation)
        if conversation.rounds < len(plan.rounds):
            return self._call(plan, plan.rounds[conversation.rounds])
        words = reply(plan, conversation.results, conversation.said)
        return _say(plan, f"{self.preface} {words}".strip())

    def _call(self, plan: Plan, calls: Sequence[Call]) -> AIMessage:
        known = {schema["function"]["name"] for schema in self.tool_schemas}
        if any(call.name not in known for call in calls):
            return _say(plan, phrase("clarify.unavailable"))
        return AIMessage(
            content="",
            tool_calls=[
                tool_call(name=call.name, args=call.args, id=f"call_{uuid4().hex}")
                for call in calls
            ],
            response_metadata=_metadata(plan.intent),
        )


def _say(plan: Plan, text: str) -> AIMessage:
    return AIMessage(content=text, response_metadata=_metadata(plan.intent))


def _metadata(intent: Intent) -> dict[str, str]:
    return {"model_name": NAME, "intent": str(intent)}


def _chunks(message: AIMessage) -> Iterator[ChatGenerationChunk]:
    """Sentence by sentence, then one chunk that carries the tool calls and the metadata.

    All words are there at once, and each piece costs what a whole one does on its way to the page.
    """
    for sentence in _SENTENCES.findall(str(message.text)):
        yield ChatGenerationChunk(message=AIMessageChunk(content=sentence))
    calls = [
        tool_call_chunk(
            name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index
        )
        for index, call in enumerate(message.tool_calls)
    ]
    yield ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=calls,
            response_metadata=message.response_metadata,
            chunk_position="last",
        )
    )
