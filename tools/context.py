"""What a tool knows about the turn it runs in, without asking the model."""

from dataclasses import dataclass

from recommender.service import Recommender


@dataclass(frozen=True)
class ToolContext:
    """The run context of the agent, filled by the door that authenticated the user.

    ``shown`` holds the ids of the films last shown in this conversation, best first.
    """

    recommender: Recommender
    user_id: str
    session_id: str | None = None
    shown: tuple[str, ...] = ()
