"""Writers of explanations for tests: they say what a test has them say."""

from collections.abc import Iterator
from threading import Event
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from recommender.explanation import Brief, ExplanationWriter, WriterFailed


class ScriptedWriter(ExplanationWriter):
    """Says ``said`` in pieces, then fails if it is to; notes each brief."""

    def __init__(self, said: str = "", model: str = "scripted", fails: bool = False) -> None:
        self.said = said
        self.briefs: list[Brief] = []
        self._model = model
        self._fails = fails

    @property
    def model(self) -> str:
        """As it was named."""
        return self._model

    def write(self, brief: Brief) -> Iterator[str]:
        """Seven letters at a time."""
        self.briefs.append(brief)
        for start in range(0, len(self.said), 7):
            yield self.said[start : start + 7]
        if self._fails:
            raise WriterFailed("as scripted")


class ScriptedChatModel(BaseChatModel):
    """A chat model that streams ``words``, then raises ``failure``; notes what it was told.

    With ``held`` it says nothing after the first word until that is set.
    """

    words: list[str]
    held: Event | None = None
    failure: Exception | None = None
    told: list[list[BaseMessage]] = []

    model_config = {"arbitrary_types_allowed": True}

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> ChatResult:
        self.told.append(messages)
        message = AIMessage("".join(self.words))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **_: Any,  # noqa: ANN401
    ) -> Iterator[ChatGenerationChunk]:
        self.told.append(messages)
        for word in self.words:
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
            if self.held:
                self.held.wait(60)
        if self.failure:
            raise self.failure
