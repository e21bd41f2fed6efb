"""Which chat model speaks: the offline planner, or a hosted model by its name."""

from collections.abc import Iterable

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

from assistant.planner import offline_planner
from fusion.encoder import TextEncoder
from recommender.models import Item


class ChatModelUnavailable(RuntimeError):
    """The chat model that was asked for cannot be made; the message says what to do."""


def chat_model(name: str | None, encoder: TextEncoder, films: Iterable[Item]) -> BaseChatModel:
    """The offline planner, or the hosted model of a "provider:model" name.

    Raises ChatModelUnavailable when the provider is unknown or its package is not installed.
    """
    if not name:
        return offline_planner(encoder, films)
    try:
        return init_chat_model(name)
    except (ImportError, ValueError) as error:
        raise ChatModelUnavailable(
            f"The chat model {name!r} cannot be used: {error} "
            "Leave ASSISTANT_MODEL empty to run on the offline planner."
        ) from error
