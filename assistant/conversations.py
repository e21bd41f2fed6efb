"""What the agent remembers of conversations, bounded: the latest state of the recent ones."""

from collections import OrderedDict
from typing import Any

from langchain.agents import AgentState
from langchain.agents.middleware import before_agent
from langchain_core.messages import (
    AnyMessage,
    BaseMessage,
    RemoveMessage,
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
from langgraph.runtime import Runtime

from recommender import models

MOST_CONVERSATIONS = 1_000
MOST_MESSAGES = 80
"""The messages of a conversation that are kept, tool calls and their answers included."""

_ARTIFACTS = [
    (model.__module__, model.__name__)
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, models.Frozen | models.Direction)
]


class RecentConversations(InMemorySaver):
    """Keeps one checkpoint a conversation, and only the conversations used last.

    The saver it extends keeps every step for ever, each with all messages so far.
    """

    def __init__(self, most: int = MOST_CONVERSATIONS) -> None:
        super().__init__(serde=JsonPlusSerializer(allowed_msgpack_modules=_ARTIFACTS))
        self._most = most
        self._kept: OrderedDict[str, set[tuple[Any, ...]]] = OrderedDict()

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint in place of the conversation's earlier one, without artifacts."""
        values = checkpoint["channel_values"]
        if messages := values.get("messages"):
            values = values | {"messages": [_without_artifact(message) for message in messages]}
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


@before_agent
def forget_old_turns(
    state: AgentState[Any],
    runtime: Runtime[Any],  # noqa: ARG001
) -> dict[str, list[RemoveMessage]] | None:
    """Take the oldest whole turns out of a conversation that has grown too long."""
    messages: list[AnyMessage] = state["messages"]
    if len(messages) <= MOST_MESSAGES:
        return None
    kept = trim_messages(
        messages, max_tokens=MOST_MESSAGES, token_counter=len, strategy="last", start_on="human"
    )
    ids = {message.id for message in kept}
    return {"messages": [RemoveMessage(id=m.id) for m in messages if m.id and m.id not in ids]}


def _without_artifact(message: BaseMessage) -> BaseMessage:
    """What a tool found was shown in its turn, and is kept as a card; the model reads its text."""
    has_one = isinstance(message, ToolMessage) and message.artifact is not None
    return message.model_copy(update={"artifact": None}) if has_one else message
