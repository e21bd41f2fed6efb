"""The intent of the nearest example message, by embedding."""

import logging
from functools import cached_property

import numpy as np

import prompts
from assistant.planner.intents import Intent
from fusion.bounded import Deadlines
from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable

log = logging.getLogger(__name__)
_FLOOR = 0.40
"""Below this cosine no example is near enough to say anything."""
_MARGIN = 0.04
"""An intent must be this much nearer than a search to be preferred to one."""
_SURE = 0.60
"""The cosine from which on an intent is believed that descriptions of films can sound like."""
_DOUBTFUL = frozenset(
    {
        Intent.UNDO,
        Intent.SURVEY,
        Intent.FORGET,
        Intent.RESTART,
        Intent.PRIVACY,
        Intent.JOKE,
        Intent.SMALLTALK,
        Intent.INSULT,
    }
)


class NearestExample:
    """Compares a message with the examples of each intent."""

    def __init__(self, encoder: TextEncoder, patience: float) -> None:
        """``patience`` is for a message; the examples, which are many, may take longer."""
        self._encoder = encoder
        self._deadline = Deadlines(patience).of(encoder)
        self._pairs = [
            (Intent(name), text)
            for name, texts in prompts.intent_examples().items()
            for text in texts
        ]

    def prepare(self) -> None:
        """Embed the examples, which takes the better part of a second, before anybody waits for it.

        Raises EncoderUnavailable.
        """
        self._examples  # noqa: B018 - they are kept

    def intent(self, text: str) -> Intent | None:
        """The nearest intent; a search in doubt; None where nothing is near."""
        try:
            message = self._deadline.call(lambda: self._encoder.encode([text])[0])
            scores = self._examples @ message
        except EncoderUnavailable:
            log.warning("No encoder: the intent of a message is decided by its words alone.")
            return None
        best: dict[Intent, float] = {}
        for (intent, _), score in zip(self._pairs, scores.tolist(), strict=True):
            best[intent] = max(score, best.get(intent, -1.0))
        top = max(best, key=lambda intent: best[intent])
        if best[top] < _FLOOR:
            return None
        needed = best[Intent.SEARCH] + _MARGIN
        unsure = best[top] < needed or (top in _DOUBTFUL and best[top] < _SURE)
        return Intent.SEARCH if unsure else top

    @cached_property
    def _examples(self) -> Vectors:
        """Shape (examples, dim), unit rows."""
        return np.asarray(self._encoder.encode([text for _, text in self._pairs]))
