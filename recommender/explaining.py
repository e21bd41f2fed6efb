"""From a brief to the explanation that is shown: written, checked, remembered, or by template."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from recommender.cache import AnswerCache
from recommender.catalogue import Catalogue
from recommender.claims import ClaimChecker, Splitter
from recommender.explanation import Brief, ExplanationWriter, TemplateWriter, WriterFailed
from recommender.fallbacks import Fallbacks
from recommender.models import Explanation
from recommender.telemetry import EXPLANATION_SENTENCES, timed
from recommender.users import UserState

PART = "explanation_model"
MOST_LETTERS = 4_000
"""Of what a writer writes; beyond it nothing is read."""

Tell = Callable[[str], None]


def nobody_listens(sentence: str) -> None:
    """For whoever wants the explanation only when it is whole."""


class Explainer:
    """Asks the writer, holds each sentence against the evidence, and tells those that stand.

    The templates are believed, and take over where the writer fails or nothing it says stands.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        cache: AnswerCache,
        clock: Callable[[], datetime],
        writer: ExplanationWriter | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._clock = clock
        self._writer = writer
        self._templates = TemplateWriter()

    def explain(
        self, brief: Brief, state: UserState, fallbacks: Fallbacks, tell: Tell = nobody_listens
    ) -> Explanation:
        """Say why. ``tell`` hears each sentence that a writer writes, once it is checked.

        They are no part of the explanation if the writer fails before the end.
        """
        writer, text = self._writer, None
        if writer is not None and brief.evidence:
            text = self._by(writer, brief, state, fallbacks, tell)
        if writer is None or text is None:
            writer, text = self._templates, "".join(self._templates.write(brief))
        return Explanation(
            item_id=brief.item.item_id,
            title=brief.item.title,
            explanation=text,
            evidence=brief.evidence,
            model=writer.model,
            degraded=fallbacks.taken,
        )

    def _by(
        self,
        writer: ExplanationWriter,
        brief: Brief,
        state: UserState,
        fallbacks: Fallbacks,
        tell: Tell,
    ) -> str | None:
        """What the writer says that stands, now or earlier; None where it fails."""
        now, asked = self._clock(), _asked(writer, brief)
        known = fallbacks.attempt(
            "search_cache", lambda: self._cache.explanation(asked, state, now), None
        )
        if known is not None:
            return known
        text = fallbacks.attempt(
            PART, lambda: self._written(writer, brief, tell), None, (WriterFailed,)
        )
        if text is not None:
            fallbacks.attempt(
                "search_cache",
                lambda: self._cache.keep_explanation(asked, state, text, self._clock()),
                None,
            )
        return text

    def _written(self, writer: ExplanationWriter, brief: Brief, tell: Tell) -> str:
        """The sentences that stand. Raises WriterFailed, also where none does."""
        checker = ClaimChecker(brief.item, brief.evidence, self._titles(brief))
        told: list[str] = []
        with timed("write_explanation"):
            for sentence in _sentences(writer.write(brief), checker.names):
                stands = checker.checked(sentence)
                kept = stands is not None and stands not in told
                EXPLANATION_SENTENCES.labels("kept" if kept else "dropped").inc()
                if stands is not None and kept:
                    told.append(stands)
                    tell(stands)
        if not told:
            raise WriterFailed(f"No sentence of {writer.model} stands.")
        return " ".join(told)

    def _titles(self, brief: Brief) -> Mapping[str, str]:
        ids = [fact.item_id for fact in brief.evidence if fact.item_id]
        return {item.item_id: item.title for item in self._catalogue.select(ids)}


def _sentences(pieces: Iterator[str], names: Sequence[str]) -> Iterator[str]:
    """Whole sentences of a text that arrives in pieces, which are not read beyond the limit."""
    splitter, read = Splitter(names), 0
    for piece in pieces:
        read += len(piece)
        if read > MOST_LETTERS:
            break
        yield from splitter.feed(piece)
    yield from splitter.finish()


def _asked(writer: ExplanationWriter, brief: Brief) -> str:
    """Names all that the words depend on besides the catalogue and this code."""
    evidence = [fact.model_dump(mode="json") for fact in brief.evidence]
    return json.dumps([writer.model, brief.item.item_id, brief.query, evidence])
