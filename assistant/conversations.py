"""What the agent remembers of conversations, bounded: the latest state of the recent ones.

And what a hosted chat model is told of it.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    BaseMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from assistant.planner import OfflinePlanner
from recommender import models

Request = ModelRequest[Any]
Response = ModelResponse[Any]
MOST_CONVERSATIONS = 1_000
MOST_MESSAGES = 80
"""The messages of a conversation that are kept, tool calls and their answers included."""

_ARTIFACTS = [
    (model.__module__, model.__name__)
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, models.Frozen | models.Direction)
]
_LIVE = "live"


class RecentConversations(InMemorySaver):
    """Keeps one checkpoint a conversation, and only the conversations used last.

    The saver it extends keeps every step for ever, each with all messages so far.
    """

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        super().__init__(serde=_LiveMessages(allowed_msgpack_modules=_ARTIFACTS))
        self._most = most
        self._kept: OrderedDict[str, set[tuple[Any, ...]]] = OrderedDict()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint in place of the conversation's earlier one, without artifacts and what
        is too long ago.
        """
        values = checkpoint["channel_values"]
        if messages := values.get("messages"):
            kept = [_without_artifact(message) for message in recent_turns(messages)]
            values = values | {"messages": kept}
            checkpoint = {**checkpoint, "channel_values": values}
        saved = super().put(config, checkpoint, metadata, new_versions)
        thread, namespace = (
            saved["configurable"]["thread_id"],
            saved["configurable"]["checkpoint_ns"],
        )
        self._drop_older(thread, namespace, checkpoint)
        while len(self._kept) > self._most:
            self.delete_thread(next(iter(self._kept)))
        return saved

    def said(self, thread_id: str) -> list[BaseMessage]:
        """All that is kept of what was said in a conversation."""
        checkpoint = self.get({"configurable": {"thread_id": thread_id}})
        return checkpoint["channel_values"].get("messages", []) if checkpoint else []

    def delete_thread(self, thread_id: str) -> None:
        """Forget a conversation."""
        for key in self._kept.pop(thread_id, set()):
            self.blobs.pop(key, None)
        for namespace, checkpoints in self.storage.pop(thread_id, {}).items():
            for checkpoint_id in checkpoints:
                self.writes.pop((thread_id, namespace, checkpoint_id), None)

    def _drop_older(self, thread: str, namespace: str, latest: Checkpoint) -> None:
        live: set[tuple[Any, ...]] = {
            (thread, namespace, *channel) for channel in latest["channel_versions"].items()
        }
        for key in self._kept.get(thread, set()) - live:
            self.blobs.pop(key, None)
        self._kept[thread] = live
        self._kept.move_to_end(thread)
        checkpoints = self.storage[thread][namespace]
        for checkpoint_id in [key for key in checkpoints if key != latest["id"]]:
            del checkpoints[checkpoint_id]
            self.writes.pop((thread, namespace, checkpoint_id), None)


class _LiveMessages(JsonPlusSerializer):
    """Leaves messages as they are, which nobody changes: packing and unpacking all that was said
    would take longer than a turn does.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, Any]:  # noqa: ANN401 - whatever a graph holds
        """Pack anything but a list of messages."""
        if isinstance(obj, list) and obj and all(isinstance(each, BaseMessage) for each in obj):
            return _LIVE, tuple(obj)
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, Any]) -> Any:  # noqa: ANN401
        """What was packed."""
        kind, kept = data
        return list(kept) if kind == _LIVE else super().loads_typed(data)


def recent_turns(messages: list[BaseMessage]) -> list[BaseMessage]:
    """Without the oldest whole turns of a conversation that has grown too long."""
    if len(messages) <= MOST_MESSAGES:
        return messages
    return trim_messages(
        messages, max_tokens=MOST_MESSAGES, token_counter=len, strategy="last", start_on="human"
    )


def _without_artifact(message: BaseMessage) -> BaseMessage:
    """What a tool found was shown in its turn, and is kept as a card; the model reads its text."""
    has_one = isinstance(message, ToolMessage) and message.artifact is not None
    return message.model_copy(update={"artifact": None}) if has_one else message


class AnsweredCalls(AgentMiddleware[Any, Any, Any]):
    """Leaves out what a model said to call tools that never answered: the person stopped its turn.

    Providers refuse a conversation that holds such a call, in every turn that follows. The planner
    does not, and what it was about to search for is what "older" then changes.
    """

    def wrap_model_call(self, request: Request, handler: Callable[[Request], Response]) -> Response:
        """Ask the model."""
        return handler(_acceptable(request))

    async def awrap_model_call(
        self, request: Request, handler: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Ask the model."""
        return await handler(_acceptable(request))


def _acceptable(request: Request) -> Request:
    if isinstance(request.model, OfflinePlanner):
        return request
    rounds = filter(_is_answered, _rounds(request.messages))
    return request.override(messages=[message for each in rounds for message in each])


def _rounds(messages: Sequence[AnyMessage]) -> Iterator[list[AnyMessage]]:
    """Each message, together with what answered the tools that it called.

    Models may number their calls anew in each message: an answer is one to the message before it.
    """
    found: list[AnyMessage] = []
    for message in messages:
        if found and not isinstance(message, ToolMessage):
            yield found
            found = []
        found.append(message)
    if found:
        yield found


def _is_answered(spoken: Sequence[AnyMessage]) -> bool:
    calls = spoken[0].tool_calls if isinstance(spoken[0], AIMessage) else []
    answered = {each.tool_call_id for each in spoken if isinstance(each, ToolMessage)}
    return all(call["id"] in answered for call in calls)
