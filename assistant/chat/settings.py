"""What the chat door can be told."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from recommender.models import UserIdentifier


class ChatSettings(BaseModel):
    """Settings of the chat door.

    ``user_id`` is who talks in this chat: a chat without sign-in has one person, its owner.
    ``markdown``: whether the agent writes Markdown, as hosted models do. The planner's replies are
    plain text, in which titles such as ``M*A*S*H`` must read as they are.
    ``home`` is the data folder; Chainlit's working files go into its ``chat`` folder.
    """

    model_config = ConfigDict(frozen=True)

    home: Path
    user_id: UserIdentifier = "local"
    markdown: bool = False
