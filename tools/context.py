"""What a tool knows about the turn it runs in, without asking the model."""

from dataclasses import dataclass
from hashlib import sha256

from langchain.tools import ToolRuntime

from recommender.experiments.variants import Variant
from recommender.service import Recommender

DEFAULT_K = 10


@dataclass(frozen=True)
class SearchDefaults:
    """What the user has set for all their searches: how many films, how much their taste counts
    beside the words (1 as fitted), and the way of searching, if not the usual one.
    """

    k: int = DEFAULT_K
    taste: float = 1.0
    variant: Variant | None = None


@dataclass(frozen=True)
class ToolContext:
    """The run context of the agent, filled by the door that authenticated the user.

    ``shown`` holds the ids of the films last shown in this conversation, best first.
    """

    recommender: Recommender
    user_id: str
    session_id: str | None = None
    shown: tuple[str, ...] = ()
    defaults: SearchDefaults = SearchDefaults()


def idempotency_key(runtime: ToolRuntime[ToolContext]) -> str | None:
    """What names this very call, however often it is tried; None outside of a conversation.

    Models may number their calls anew in each message, so the message counts as well.
    """
    messages = runtime.state.get("messages")
    if not messages or not runtime.tool_call_id:
        return None
    return sha256(f"{messages[-1].id} {runtime.tool_call_id}".encode()).hexdigest()
