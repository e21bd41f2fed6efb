"""A conversation held for the sake of a picture of its last turn."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from assistant.tracing import tracing
from assistant.turns import chat_turn
from recommender import Recommender
from tools import ToolContext

Agent = CompiledStateGraph[Any, ToolContext, Any, Any]


def traced_turn(
    agent: Agent, recommender: Recommender, user_id: str, messages: Sequence[str]
) -> Sequence[ReadableSpan]:
    """Say each of ``messages``; the spans of the answer to the last."""
    exporter = InMemorySpanExporter()
    context = ToolContext(recommender, user_id)
    config: RunnableConfig = {"configurable": {"thread_id": "traced"}}
    for number, words in enumerate(messages, 1):
        last = number == len(messages)
        with tracing(SimpleSpanProcessor(exporter)) if last else nullcontext(), chat_turn(user_id):
            said = {"messages": [("user", words)]}
            asyncio.run(agent.ainvoke(said, config, context=context))
    return exporter.get_finished_spans()
