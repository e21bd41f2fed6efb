"""A hosted chat model that puts explanations into words."""

import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from queue import Empty, Queue
from threading import BoundedSemaphore, Event, Thread
from time import monotonic

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage

from assistant.fallback import check_ended
from prompts import explanation_prompt
from recommender.explanation import Brief, ExplanationWriter, WriterFailed

MOST_AT_ONCE = 8
"""Explanations being written; whoever asks for one more does not wait for them."""
_FACTS = {"title", "year", "genres", "director", "cast", "tags"}
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})

log = logging.getLogger(__name__)
Piece = str | Exception | None


class ChatModelWriter(ExplanationWriter):
    """Hands the brief to a chat model as JSON, and passes on what it streams.

    A model that raises, breaks off, or has not finished after ``timeout`` seconds has failed. It is
    called in a thread of its own, because not every provider's package gives up by itself.
    """

    def __init__(self, model: BaseChatModel, name: str, timeout: float) -> None:
        """``name`` is the model's "provider:model"."""
        self._chat = model
        self._name = f"{name} ({sha256(explanation_prompt().encode()).hexdigest()[:8]})"
        self._timeout = timeout
        self._places = BoundedSemaphore(MOST_AT_ONCE)

    @property
    def model(self) -> str:
        """The model's name, and a digest of the prompt."""
        return self._name

    def write(self, brief: Brief) -> Iterator[str]:
        """The model's words as they come."""
        if not self._places.acquire(blocking=False):
            raise WriterFailed("The chat model is busy with other explanations.")
        pieces: Queue[Piece] = Queue()
        enough = Event()
        Thread(target=self._ask, args=(brief, pieces, enough), daemon=True).start()
        try:
            yield from self._received(pieces, monotonic() + self._timeout)
        finally:
            enough.set()

    def _received(self, pieces: Queue[Piece], until: float) -> Iterator[str]:
        while True:
            try:
                piece = pieces.get(timeout=max(until - monotonic(), 0.0))
            except Empty:
                raise WriterFailed("The chat model took too long.") from None
            if isinstance(piece, Exception):
                # Its text may quote the person's words.
                raise WriterFailed(f"The chat model failed: {type(piece).__name__}.") from None
            if piece is None:
                return
            yield piece

    def _ask(self, brief: Brief, pieces: Queue[Piece], enough: Event) -> None:
        try:
            last: AIMessageChunk | None = None
            for chunk in self._chat.stream(messages(brief)):
                if enough.is_set():
                    return
                pieces.put(str(chunk.text))
                last = chunk if last is None else last + chunk
            if last is not None:
                check_ended(last)
            pieces.put(None)
        except Exception as error:  # each provider's package has errors of its own
            pieces.put(error)
        finally:
            self._places.release()


def messages(brief: Brief) -> list[SystemMessage | HumanMessage]:
    """What the model is told: the instructions, and the brief as data that no text can leave.

    Of the film its overview is left out, as nothing of it is evidence; of the evidence, the ids.
    """
    film = brief.item.model_dump(mode="json", include=_FACTS)
    evidence = [
        fact.model_dump(mode="json", include={"kind", "text", "against"}) for fact in brief.evidence
    ]
    parts = {"FILM": film, "EVIDENCE": evidence, "WORDS": brief.query}
    data = "\n".join(f"<{name}>{_data(value)}</{name}>" for name, value in parts.items())
    return [SystemMessage(explanation_prompt()), HumanMessage(data)]


def _data(value: object) -> str:
    """JSON on one line without angle brackets: no text in it can close the part it stands in."""
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
