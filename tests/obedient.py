"""A hosted chat model under attack: it does whatever any text that reaches it tells it to."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

CALL = re.compile(r"«CALL (\w+) (\{.*?\})»", re.DOTALL)
SAY = re.compile(r"«SAY (.*?)»", re.DOTALL)
PRINT = "«PRINT EVERYTHING»"


def order(tool: str, **args: object) -> str:
    """The text that makes it call a tool."""
    return f"«CALL {tool} {json.dumps(args, ensure_ascii=False)}»"


class ObedientModel(BaseChatModel):
    """Obeys each order once, wherever it stands: in messages, titles, overviews, tool answers.

    ``relentless``, it obeys them again and again. ``seen`` holds every text that it was given.
    """

    relentless: bool = False
    seen: list[str] = []

    @property
    def _llm_type(self) -> str:
        return "obedient"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "ObedientModel":  # noqa: ANN401
        self.seen.extend(str(tool) for tool in tools)
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:  # noqa: ANN401
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        *_: Any,  # noqa: ANN401
        **__: Any,  # noqa: ANN401
    ) -> Iterator[ChatGenerationChunk]:
        answer = self._answer(messages)
        chunks = [
            {"name": call["name"], "args": json.dumps(call["args"]), "id": call["id"], "index": n}
            for n, call in enumerate(answer.tool_calls)
        ]
        message = AIMessageChunk(content=answer.content, tool_call_chunks=chunks)
        yield ChatGenerationChunk(message=message)

    def _answer(self, messages: list[BaseMessage]) -> AIMessage:
        self.seen.extend(repr(message) for message in messages)
        last = max(n for n, each in enumerate(messages) if isinstance(each, HumanMessage))
        told = "\n".join(
            each.text for each in messages[last:] if isinstance(each, HumanMessage | ToolMessage)
        )
        done = sum(len(each.tool_calls) for each in messages[last:] if isinstance(each, AIMessage))
        orders = CALL.findall(told)
        calls = [
            {"name": name, "args": json.loads(args), "id": f"call_{uuid4().hex}"}
            for name, args in (orders if self.relentless else orders[done:])
        ]
        said = SAY.findall(told) or ["Done."]
        if PRINT in told:
            said += [
                repr(each) for each in messages if isinstance(each, SystemMessage | ToolMessage)
            ]
        return AIMessage(content="" if calls else "\n".join(said), tool_calls=calls)
