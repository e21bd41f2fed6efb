"""The hosted chat models, by the names that LangChain knows them by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from langchain.agents.middleware import AgentMiddleware
from langchain.chat_models import init_chat_model
from langchain_core.exceptions import ModelConnectionError, ModelRateLimitError
from langchain_core.language_models import BaseChatModel

from assistant.refusal import ChatModelUnavailable
from assistant.settings import Settings

BEDROCK = "bedrock_converse:"
PLANNER = "Leave ASSISTANT_MODEL empty to run on the offline planner."
TEMPLATES = "Leave EXPLANATION_MODEL empty to have templates explain."
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 20, 3


@dataclass(frozen=True)
class HostedOptions:
    """What Bedrock is asked for beside the model: its guardrail, and how long prompts are kept."""

    guardrail_id: str | None = None
    guardrail_version: str | None = None
    prompt_cache: Literal["5m", "1h"] | None = None


def hosted(settings: Settings) -> HostedOptions:
    """The options that an installation is set up with."""
    return HostedOptions(
        guardrail_id=settings.bedrock_guardrail_id,
        guardrail_version=settings.bedrock_guardrail_version,
        prompt_cache=settings.bedrock_prompt_cache,
    )


def chat_model(
    name: str,
    options: HostedOptions = HostedOptions(),
    otherwise: str = PLANNER,
) -> BaseChatModel:
    """The model of a "provider:model" name. ``otherwise`` says how to do without one.

    Raises ChatModelUnavailable when the provider is unknown, its package is not installed, or it
    cannot do what ``options`` ask for.
    """
    _check(name, options)
    try:
        model: BaseChatModel = init_chat_model(name, **_options(name, options))
    except ModuleNotFoundError as error:
        if not name.startswith(BEDROCK):
            raise _unusable(name, error, otherwise) from error
        raise ChatModelUnavailable(
            f"The chat model {name!r} needs {error.name}: pip install -e '.[aws]'"
        ) from error
    except Exception as error:  # each provider's package has errors of its own
        raise _unusable(name, error, otherwise) from error
    return model


def caching(name: str, options: HostedOptions) -> Sequence[AgentMiddleware[Any, Any, Any]]:
    """What marks the part of a prompt that Bedrock shall keep, if it shall."""
    if options.prompt_cache is None:
        return ()
    _check(name, options)
    from langchain_aws.middleware import BedrockPromptCachingMiddleware

    return [
        BedrockPromptCachingMiddleware(
            ttl=options.prompt_cache,
            unsupported_model_behavior="ignore",  # the planner, where it stands in
        )
    ]


def failed_to_begin(error: Exception) -> bool:
    """Whether a model could not be reached or had no room, so that it has said nothing.

    Bedrock's own client has then waited and tried again already.
    """
    return isinstance(
        error,
        ModelRateLimitError
        | ModelConnectionError
        | httpx.ConnectError
        | httpx.ConnectTimeout
        | ConnectionRefusedError,
    )


def _check(name: str, options: HostedOptions) -> None:
    """Raises ChatModelUnavailable: a guardrail that does not guard must not go unnoticed."""
    if options != HostedOptions() and not name.startswith(BEDROCK):
        raise ChatModelUnavailable(
            f"Guardrails and prompt caching are Bedrock's, {name!r} is not: take a model named "
            f"{BEDROCK}…, or unset BEDROCK_GUARDRAIL_ID and BEDROCK_PROMPT_CACHE."
        )
    if bool(options.guardrail_id) != bool(options.guardrail_version):
        raise ChatModelUnavailable(
            "BEDROCK_GUARDRAIL_ID and BEDROCK_GUARDRAIL_VERSION belong together: set both."
        )


def _unusable(name: str, error: Exception, otherwise: str) -> ChatModelUnavailable:
    return ChatModelUnavailable(
        f"The chat model {name!r} cannot be used: {_one_line(error)} {otherwise}"
    )


def _options(name: str, options: HostedOptions) -> dict[str, Any]:
    """How Bedrock's client is set up; others are bounded by the agent alone."""
    if not name.startswith(BEDROCK):
        return {}
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
    if not options.guardrail_id:
        return {"config": config}
    guardrail = {
        "guardrailIdentifier": options.guardrail_id,
        "guardrailVersion": options.guardrail_version,
    }
    return {"config": config, "guardrails": guardrail}


def _one_line(error: Exception) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    return line if line.endswith(".") else f"{line}."
