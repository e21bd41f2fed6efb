"""What a user sees while an experiment runs, and the note that they saw it."""

import hashlib

from recommender.experiments.interleaving import Drafted, team_draft
from recommender.experiments.variants import Variant, assign
from recommender.fallbacks import Fallbacks
from recommender.models import (
    IntelligenceMetadata,
    RecommendedItem,
    SearchRequest,
    SearchResult,
)
from recommender.search import SearchEngine
from recommender.settings import RecommenderSettings
from recommender.stores.ports import ExposureLog, NewExposure
from recommender.users import UserState

Teams = tuple[Variant | None, ...]


class Experiment:
    """Answers each user with their variant, or with two interleaved; without a name, with one."""

    def __init__(
        self, engine: SearchEngine, log: ExposureLog, settings: RecommenderSettings
    ) -> None:
        self._engine = engine
        self._log = log
        self._name = settings.experiment_name
        self._weights = settings.variant_weights
        self._interleaving = settings.experiment_interleaving
        self._standard = settings.search_variant

    def variant(self, user_id: str) -> Variant:
        """The user's variant; the standard one where everybody sees the same or both."""
        if not self._name or self._interleaving:
            return self._standard
        return assign(self._name, user_id, self._weights)

    def variants(self, user_id: str | None) -> tuple[Variant, ...]:
        """All variants whose answers the user may see; None: all that anybody may."""
        if not self._name:
            return (self._standard,)
        if self._interleaving or user_id is None:
            return tuple(self._weights)
        return (self.variant(user_id),)

    def search(self, request: SearchRequest, state: UserState) -> SearchResult:
        """Answer, and note what was shown. Raises what ``SearchEngine.search`` raises.

        Whoever asks for a variant gets it; that says nothing of how the assigned ones do.
        """
        if request.variant:
            return self._engine.search(request, state, request.variant)
        if self._name and self._interleaving:
            return self._noted(*self._interleaved(request, state))
        result = self._engine.search(request, state, self.variant(state.user_id))
        return self._noted(result, None) if self._name else result

    def _interleaved(self, request: SearchRequest, state: UserState) -> tuple[SearchResult, Teams]:
        first, second = self._weights
        one = self._engine.search(request, state, first)
        other = self._engine.search(request, state, second)
        draft = team_draft(_ids(one), _ids(other), request.k, self._seed(request, state))
        teams = tuple(None if who is None else (first, second)[who] for _, who in draft)
        return _merged(one, other, draft), teams

    def _seed(self, request: SearchRequest, state: UserState) -> int:
        """The same until the user swipes again: a repeated search repeats its answer."""
        drawn = "\n".join(
            (self._name, state.user_id, str(state.version.last_event_id), request.query)
        )
        return int.from_bytes(hashlib.sha256(drawn.encode()).digest())

    def _noted(self, result: SearchResult, teams: Teams | None) -> SearchResult:
        metadata, fallbacks = result.intelligence_metadata, Fallbacks()
        exposure = NewExposure(
            self._name, result.user_id, metadata.variant, tuple(_ids(result)), teams
        )
        fallbacks.attempt("exposure_log", lambda: self._log.append(exposure), None)
        degraded = (*metadata.degraded, *fallbacks.taken)
        changed = {"intelligence_metadata": metadata.model_copy(update={"degraded": degraded})}
        return result.model_copy(update=changed)


def _ids(result: SearchResult) -> list[str]:
    return [item.item_id for item in result.items]


def _merged(first: SearchResult, second: SearchResult, draft: list[Drafted]) -> SearchResult:
    """One answer of both: each film as its team found it, or as whoever found it."""
    found = [{item.item_id: item for item in result.items} for result in (first, second)]
    either = found[1] | found[0]
    items: list[RecommendedItem] = [
        either[item_id] if team is None else found[team][item_id] for item_id, team in draft
    ]
    versions = dict.fromkeys((first.model_version, second.model_version))
    return first.model_copy(
        update={
            "items": tuple(items),
            "model_version": "+".join(versions),
            "cached": first.cached and second.cached,
            "intelligence_metadata": _joined(
                first.intelligence_metadata, second.intelligence_metadata
            ),
        }
    )


def _joined(first: IntelligenceMetadata, second: IntelligenceMetadata) -> IntelligenceMetadata:
    """What holds of both: the mean influence, the time together, the more personal strategy."""
    return IntelligenceMetadata(
        embedding_cached=first.embedding_cached and second.embedding_cached,
        preference_influence=(first.preference_influence + second.preference_influence) / 2,
        confidence_score=first.confidence_score,
        transformer_latency_ms=first.transformer_latency_ms + second.transformer_latency_ms,
        strategy=second.strategy if first.strategy == "generic" else first.strategy,
        variant="interleaved",
        degraded=tuple(dict.fromkeys((*first.degraded, *second.degraded))),
    )
