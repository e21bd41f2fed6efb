"""The agent loop: a chat model and the product's tools, the same for every model."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelRetryMiddleware,
    ToolCallRequest,
    ToolErrorMiddleware,
    ToolRetryMiddleware,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.tools import ToolException
from langgraph.graph.state import CompiledStateGraph
from langsmith import set_runtime_overrides
from langsmith.utils import tracing_is_enabled
from pydantic import ValidationError

from assistant.call_limits import CallLimits
from assistant.conversations import AnsweredCalls, RecentConversations
from assistant.fallback import PlannerFallback
from assistant.models import HostedOptions, caching, chat_model, failed_to_begin
from assistant.planner import OfflinePlanner, offline_planner
from assistant.turns import WatchedTurn, current_turn
from fusion.encoder import TextEncoder
from prompts import system_prompt
from recommender.errors import ReelwiseError, StoreUnavailable
from recommender.kept import UNKEPT, Kept
from recommender.models import Item
from tools import ALL_TOOLS, ToolContext

log = logging.getLogger(__name__)
_MODEL_CALLS = 8
MODEL_SECONDS = 30.0
_TOOL_CALLS = 16
"""Most calls in one turn; a turn that wants more has lost its way."""
TOOL_RETRIES, MODEL_RETRIES = 2, 1
RETRY_SECONDS = 0.25
"""Before the first of the retries; each further one waits twice as long."""


def agent_by_name(
    name: str | None,
    encoder: TextEncoder,
    films: Iterable[Item],
    options: HostedOptions = HostedOptions(),  # noqa: B008 - it is frozen
    kept: Kept = UNKEPT,
) -> CompiledStateGraph[Any, ToolContext, Any, Any]:
    """The agent of a hosted model's "provider:model" name, or, without one, of the planner.

    ``kept`` is the planner's. Raises ChatModelUnavailable when there is no such model.
    """
    return agent_with(offline_planner(encoder, films, kept), name, options)


def agent_with(
    planner: OfflinePlanner,
    name: str | None,
    options: HostedOptions = HostedOptions(),  # noqa: B008 - it is frozen
) -> CompiledStateGraph[Any, ToolContext, Any, Any]:
    """The same with a planner that is there already; raises as ``agent_by_name`` does."""
    if not name:
        return build_agent(planner)
    return build_agent(chat_model(name, options), planner, inner=caching(name, options))


def build_agent(
    model: BaseChatModel,
    planner: OfflinePlanner | None = None,
    timeout: float = MODEL_SECONDS,
    inner: Sequence[AgentMiddleware[Any, Any, Any]] = (),
) -> CompiledStateGraph[Any, ToolContext, Any, Any]:
    """An agent that remembers each conversation by its ``thread_id``, in this process. Let that
    name the person as well: what was said under it is told to whoever comes with it.

    Run it with ``context=ToolContext(...)``: who the user is comes from there. ``planner`` stands
    in for a ``model`` that fails or takes longer than ``timeout`` seconds for one call, retries
    included. ``inner`` is nearest to the model.

    Tools are tried again where the store did not answer: their writes carry an idempotency key. A
    model is, where its answer did not even begin: one that broke off has been read already.
    """
    middleware: list[AgentMiddleware[Any, Any, Any]] = [
        WatchedTurn(),
        CallLimits(_MODEL_CALLS, _TOOL_CALLS),
        ToolErrorMiddleware(tool_error),
        ToolRetryMiddleware(
            max_retries=TOOL_RETRIES,
            retry_on=(StoreUnavailable,),
            on_failure="error",
            initial_delay=RETRY_SECONDS,
        ),
    ]
    set_runtime_overrides(aio_to_thread=_traced)
    if planner is not None:
        middleware.append(PlannerFallback(planner, timeout))
        middleware.append(
            ModelRetryMiddleware(
                max_retries=MODEL_RETRIES,
                retry_on=failed_to_begin,
                on_failure="error",
                initial_delay=RETRY_SECONDS,
            )
        )
    middleware += [AnsweredCalls(), *inner]
    return create_agent(
        model,
        ALL_TOOLS,
        system_prompt=system_prompt(),
        context_schema=ToolContext,
        checkpointer=RecentConversations(),
        middleware=middleware,
    )


async def _traced(
    in_thread: Callable[..., Awaitable[Any]],
    context: Context,
    step: Callable[..., Any],
    /,
    *args: object,
    **kwargs: object,
) -> Any:  # noqa: ANN401 - whatever the step returns
    """Begin or end a span of LangSmith, in a thread only where it is told of spans.

    It begins and ends one around each hook of the middleware, in any case: 20 changes of thread a
    turn, for each of which a busy interpreter lets one wait.
    """
    if tracing_is_enabled():
        return await in_thread(context, step, *args, **kwargs)
    return context.run(step, *args, **kwargs)


def tool_error(error: Exception, request: ToolCallRequest) -> str:
    """What the chat model is told of a failed tool: ``Kind: message``."""
    match error:
        case StoreUnavailable():
            current_turn().outcome = "refused"
            return f"{type(error).__name__}: {error}"
        case ReelwiseError() | ToolException():
            return f"{type(error).__name__}: {error}"
        case ValidationError():
            return f"InvalidRequest: {error.errors()[0]['msg']}"
        case _:
            current_turn().outcome = "failed"
            log.error("The tool %s failed.", request.tool_call["name"], exc_info=error)
            return "InternalError: the service could not do that just now."
