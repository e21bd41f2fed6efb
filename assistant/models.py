"""The hosted chat models, by the names that LangChain knows them by."""

from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel

BEDROCK = "bedrock_converse:"
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 20, 3


class ChatModelUnavailable(RuntimeError):
    """The chat model that was asked for cannot be made; the message says what to do."""


def chat_model(name: str) -> BaseChatModel:
    """The model of a "provider:model" name.

    Raises ChatModelUnavailable when the provider is unknown or its package is not installed.
    """
    try:
        model: BaseChatModel = init_chat_model(name, **_options(name))
    except ModuleNotFoundError as error:
        if not name.startswith(BEDROCK):
            raise _unusable(name, error) from error
        raise ChatModelUnavailable(
            f"The chat model {name!r} needs {error.name}: pip install -e '.[aws]'"
        ) from error
    except Exception as error:  # each provider's package has errors of its own
        raise _unusable(name, error) from error
    return model


def _unusable(name: str, error: Exception) -> ChatModelUnavailable:
    return ChatModelUnavailable(
        f"The chat model {name!r} cannot be used: {_one_line(error)} "
        "Leave ASSISTANT_MODEL empty to run on the offline planner."
    )


def _options(name: str) -> dict[str, Any]:
    """Time-outs and retries of Bedrock's client; others are bounded by the agent alone."""
    if not name.startswith(BEDROCK):
        return {}
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    return {
        "config": Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries
        )
    }


def _one_line(error: Exception) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    return line if line.endswith(".") else f"{line}."
