"""What the agent does during a turn, shown while it does it."""

from dataclasses import dataclass, field
from typing import Any

import chainlit as cl
from langchain.messages import AIMessage, ToolMessage

from assistant.chat import elements
from prompts import phrase


@dataclass
class ToolSteps:
    """The tool calls of one turn by their ids: the arguments, and the step that shows each."""

    _arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    _steps: dict[str, cl.Step] = field(default_factory=dict)

    async def begin(self, message: AIMessage) -> None:
        """Show the tools that the model calls as at work."""
        run = cl.context.current_run
        for call in message.tool_calls:
            call_id, name = call["id"] or "", phrase(f"steps.{call['name']}")
            step = cl.Step(name, type="tool", parent_id=run and run.id, show_input=False)
            self._arguments[call_id], self._steps[call_id] = call["args"], step
            await step.send()

    async def end(self, message: ToolMessage) -> dict[str, Any]:
        """Show what a tool told the model; the arguments that it was called with."""
        if step := self._steps.get(message.tool_call_id):
            step.output = elements.plain(str(message.text))
            step.is_error = message.status == "error"
            await step.update()
        return self._arguments.get(message.tool_call_id, {})

    def place(self, message: ToolMessage) -> int:
        """Which of the turn's calls a tool answers, counted from 0: they end in any order."""
        calls = list(self._arguments)
        return calls.index(message.tool_call_id) if message.tool_call_id in calls else len(calls)
