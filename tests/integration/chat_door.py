"""The chat over the real service, called as Chainlit calls it, without a browser."""

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from assistant.chat.mount import mount_chat
from assistant.chat.settings import ChatSettings
from recommender import Recommender

if TYPE_CHECKING:
    from assistant.chat.handlers import Agent


class ChatDoor:
    """One person's conversation; make it within a running loop."""

    def __init__(self, home: Path, recommender: Recommender, agent: "Agent", user_id: str) -> None:
        mount_chat(FastAPI(), recommender, agent, ChatSettings(home=home, user_id=user_id))
        from chainlit.config import config
        from chainlit.context import init_http_context
        from chainlit.user import PersistedUser

        self._code = config.code
        init_http_context(user=PersistedUser(id=user_id, createdAt="", identifier=user_id))

    async def say(self, text: str) -> str:
        """Send a message; the reply's words."""
        import chainlit as cl
        from chainlit.chat_context import chat_context

        assert self._code.on_message
        await self._code.on_message(cl.Message(content=text))
        messages = [each for each in chat_context.get() if isinstance(each, cl.Message)]
        return str(messages[-1].content)
