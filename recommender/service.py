"""The product: every door (chat, REST, command line) calls exactly one of these methods."""

import hashlib
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import perf_counter

import numpy as np

from fusion.bounded import PATIENCE, BoundedEncoder, BoundedFusion, Deadlines
from fusion.encoder import TextEncoder
from fusion.errors import FusionError
from fusion.fusion_encoder import FusionEncoder
from recommender.cache import SHARED, AnswerCache
from recommender.catalogue import Catalogue
from recommender.colikes import CoLikes
from recommender.counterfactual import Counterfactuals
from recommender.errors import (
    IdempotencyKeyReused,
    NothingToUndo,
    StoreUnavailable,
    UnknownSession,
    UnknownUser,
)
from recommender.evidence import EvidenceFinder
from recommender.experiments.report import ExperimentReport, report
from recommender.experiments.running import Experiment
from recommender.experiments.variants import Variant
from recommender.explaining import Explainer, Tell, nobody_listens
from recommender.explanation import ExplanationWriter, brief_of
from recommender.fallbacks import Fallbacks
from recommender.fusing import FusionInputs
from recommender.history import recording
from recommender.history.exports import read_export, site_of
from recommender.history.matching import Matcher
from recommender.kept import Kept
from recommender.learner import PreferenceLearner
from recommender.models import (
    Direction,
    Evidence,
    Explanation,
    HistoryReceipt,
    HistorySite,
    HistoryUndone,
    Item,
    Profile,
    SearchRequest,
    SearchResult,
    SurveyMovie,
    SurveySession,
    SurveyStep,
    Swipe,
    SwipeEvent,
    SwipeReceipt,
    Understanding,
    UserExport,
)
from recommender.preferences.fold import standing_swipes
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import UserPreferences
from recommender.profile import describe
from recommender.query import QueryReader
from recommender.query_vector import QueryEmbedder
from recommender.ranking import Ranker
from recommender.retrieval import Retriever
from recommender.search import SearchEngine, Warmth
from recommender.settings import RecommenderSettings
from recommender.stores.ports import (
    ConversationStore,
    LogVersion,
    NewSwipe,
    Stores,
    Survey,
    WordIndex,
    version_of,
)
from recommender.survey import LearningSurvey
from recommender.survey_choice import FEWEST_SWIPES
from recommender.telemetry import EXPLANATION_SECONDS, timed
from recommender.users import UserState, UserStates, tier, update_due
from recommender.vectors import ItemVectors
from recommender.watch import Watch
from recommender.word_search import InEngine, InProcess, WordSearch

NOBODY = "nobody"
"""Whose name a request has that is made ahead for whoever is new."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class _Moment:
    """How a user's log stood right after an event: how many ``events`` there were, and how many of
    them swipes that stood. ``told`` holds the swipe that the event made or took back.
    """

    events: int
    standing: int
    told: Mapping[str, Swipe]


class Recommender:
    """A person's movie companion over one catalogue. Thread-safe; all methods block on I/O, but for
    ``item`` and ``films``, which are at hand.
    """

    def __init__(
        self,
        stores: Stores,
        encoder: TextEncoder,
        settings: RecommenderSettings,
        clock: Callable[[], datetime] = _now,
        fusions: Mapping[Variant, FusionEncoder] | None = None,
        writer: ExplanationWriter | None = None,
        survey_cards: Sequence[str] = (),
        cache_folder: Path | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Reads the catalogue from ``stores.items``; call again after importing films.

        ``fusions`` are the encoders by variant; a variant without one blends vectors. ``writer``
        puts explanations into words; without one templates do. Surveys ask about
        ``survey_cards`` before other films. ``cache_folder`` keeps what is made of the catalogue's
        words. What takes an encoder more than ``patience`` seconds is done without.
        """
        fusions = fusions or {}
        deadlines = Deadlines(patience)
        bounded = {
            variant: BoundedFusion(each, deadlines.of(each)) for variant, each in fusions.items()
        }
        self._stores = stores
        self._encoder = BoundedEncoder(encoder, deadlines.of(encoder))
        self._settings = settings
        self._clock = clock
        self._catalogue = Catalogue.of(stores.items.all())
        vectors, fused = ItemVectors(stores.items), ItemVectors(stores.items, "fused")
        mean = stores.items.mean_vector()
        mean_vector = np.zeros(encoder.dim, np.float32) if mean is None else mean
        self._version = version_of(stores.items.fingerprints())
        self._cache_folder = cache_folder
        kept = self.kept_by()
        words = _word_search(self._catalogue, stores.words, settings, kept)
        self._cache = AnswerCache(
            stores.embeddings,
            stores.searches,
            settings,
            generation=_generation(_models(encoder, fusions), self._version, settings),
        )
        self._learner = PreferenceLearner(
            self._catalogue,
            vectors,
            stores.preferences,
            settings,
            encoder.model_version,
            mean_vector,
            clock,
        )
        self._users = UserStates(stores.swipes, self._learner)
        self._engine = SearchEngine(
            self._catalogue,
            QueryReader(self._catalogue, kept),
            QueryEmbedder(
                self._encoder,
                bounded,
                FusionInputs(self._catalogue, fused),
                vectors,
                self._cache,
                settings,
            ),
            Retriever(self._catalogue, words, stores.items, vectors, fused),
            Ranker(self._catalogue, mean_vector, settings.ranking),
            EvidenceFinder(self._catalogue, words.holding, mean_vector),
            vectors,
            self._cache,
            settings,
            clock,
        )
        fusion = bounded.get("embedding_fusion")
        self._survey = LearningSurvey(
            self._catalogue, vectors, fused, mean_vector, fusion, survey_cards
        )
        self._counterfactuals = Counterfactuals(self._catalogue, self._engine, self._users, clock)
        self._colikes = CoLikes(self._catalogue, fused, fusion) if fusion else None
        self._explainer = Explainer(self._catalogue, self._cache, clock, writer)
        self._experiment = Experiment(self._engine, stores.exposures, settings)
        self._watch = Watch()

    def prepare(self) -> None:
        """Make what the first survey would wait a second for; where that fails, it tries again."""
        with suppress(StoreUnavailable):
            self._survey.prepare()

    def start_survey(
        self,
        user_id: str,
        size: int | None = None,
        *,
        seed: int | None = None,
        idempotency_key: str | None = None,
    ) -> SurveySession:
        """Choose ``size`` cards the user has not swiped yet; the same cards for the same seed.

        They are what is asked of somebody who has seen none of them; ``next_card`` goes by the
        answers instead.

        Raises InvalidRequest when ``size`` is outside 1..the number of films not yet swiped.
        """
        size = self._settings.survey_size if size is None else size
        seed = random.getrandbits(32) if seed is None else seed
        with timed("start_survey"):
            cards = self._survey.first(self._users.get(user_id).swipes, size, seed)
            survey = Survey(str(uuid.uuid4()), user_id, cards, self._clock(), idempotency_key)
            stored = self._stores.surveys.add(survey)
        if len(stored.item_ids) != size:
            raise IdempotencyKeyReused
        if stored.session_id == survey.session_id:  # else it was started before, with the same key
            self._watch.started()
        return SurveySession(
            user_id=user_id,
            session_id=stored.session_id,
            movies=tuple(_card(item) for item in self._catalogue.select(stored.item_ids)),
        )

    def next_card(self, user_id: str | None, session_id: str) -> SurveyStep:
        """Say which card comes next. ``user_id=None``: whoever started the survey.

        Raises UnknownSession, also when the survey is another user's.
        """
        survey = self._stores.surveys.get(session_id)
        if survey is None or user_id not in (None, survey.user_id):
            raise UnknownSession(session_id)
        swipes = self._users.get(survey.user_id).swipes
        total = len(survey.item_ids)
        events = self._stores.swipes.events(survey.user_id)
        position = min(len(_answered(survey, swipes, events)), total)
        settled = FEWEST_SWIPES <= position < total and self._survey.settled(swipes)
        done = settled or position == total
        movie = None if done else self._chosen(survey, swipes)
        if movie is None:
            self._watch.completed(session_id)
        return SurveyStep(
            session_id=session_id,
            position=position,
            total=total,
            completed=movie is None,
            settled=settled,
            movie=movie,
        )

    def record_swipe(
        self,
        user_id: str,
        item_id: str,
        direction: Direction,
        *,
        session_id: str | None = None,
        swiped_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> SwipeReceipt:
        """Record a swipe durably, then update the preferences as the policy says.

        Raises UnknownItem, IdempotencyKeyReused, StoreUnavailable (then nothing was recorded).
        """
        self._catalogue.get(item_id)
        now = self._clock()
        moment = min(swiped_at or now, now)
        event = self._recorded(user_id, idempotency_key) or self._append(
            NewSwipe(user_id, item_id, direction.value, session_id, moment, idempotency_key)
        )
        if (event.item_id, event.action) != (item_id, direction.value):
            raise IdempotencyKeyReused
        return self._acknowledge(event)

    def undo_swipe(
        self, user_id: str, item_id: str | None = None, *, idempotency_key: str | None = None
    ) -> SwipeReceipt:
        """Take back the latest standing swipe (of ``item_id``, or of all). Raises NothingToUndo."""
        event = self._recorded(user_id, idempotency_key) or self._append(
            NewSwipe(
                user_id,
                _latest(self._users.get(user_id), item_id),
                "undo",
                None,
                self._clock(),
                idempotency_key,
            )
        )
        if event.action != "undo" or item_id not in (None, event.item_id):
            raise IdempotencyKeyReused
        return self._acknowledge(event)

    def import_history(
        self,
        user_id: str,
        site: HistorySite | None,
        name: str,
        content: bytes,
        *,
        confirm: bool = False,
        idempotency_key: str | None = None,
    ) -> HistoryReceipt:
        """Say what an export of another site, a file called ``name``, tells of somebody's taste.

        Without a ``site`` it is recognised. With ``confirm`` it is recorded, as swipes of one
        session, and learned from at once. Films swiped here before are left alone, so that the same
        export again records nothing.

        Raises InvalidRequest for what is no such export, IdempotencyKeyReused, StoreUnavailable
        (then it is to be sent again: what was recorded is not recorded twice).
        """
        site = site or site_of(name, content)
        entries = read_export(site, name, content)
        session_id = recording.mark(site, entries)
        events = self._stores.swipes.events(user_id)
        earlier = recording.before(events, idempotency_key, session_id)
        plan = recording.plan(entries, self._matcher, standing_swipes(earlier))
        if confirm:
            swipes = recording.swipes_of(plan, user_id, session_id, self._clock(), idempotency_key)
            for swipe in swipes:
                self._append(swipe)
        state, updated = (
            self._learned_at_once(user_id) if confirm else (self._users.get(user_id), False)
        )
        return HistoryReceipt(
            user_id=user_id,
            site=site,
            session_id=session_id,
            status="recorded" if confirm else "preview",
            matches=plan.matches,
            unmatched=plan.unmatched,
            known=plan.known,
            neutral=plan.neutral,
            swipe_count=len(state.swipes),
            preferences_updated=updated,
        )

    def undo_history(self, user_id: str, session_id: str) -> HistoryUndone:
        """Take back what stands of an export that was recorded; again, nothing is left to do."""
        undone: list[str] = []
        if session_id.startswith(recording.SESSION):
            undone = recording.standing(self._stores.swipes.events(user_id), session_id)
        for item_id in undone:
            self._append(NewSwipe(user_id, item_id, "undo", None, self._clock()))
        state, updated = self._learned_at_once(user_id)
        return HistoryUndone(
            user_id=user_id,
            session_id=session_id,
            undone=len(undone),
            swipe_count=len(state.swipes),
            preferences_updated=updated and bool(undone),
        )

    def search(self, request: SearchRequest) -> SearchResult:
        """Rank the catalogue for this person and these words. Raises UnknownItem for film ids."""
        with self._watch.search() as answered:
            return answered(self._search(request))

    def _search(self, request: SearchRequest) -> SearchResult:
        state = self._users.get(request.user_id)
        mentions = request.mentions
        for item_id in mentions:
            self._catalogue.get(item_id)
        use_taste = request.use_taste and request.taste > 0
        if mentions or not use_taste:
            state = self._users.told(state, mentions, use_taste, self._clock())
        return self._experiment.search(request, state)

    def warm(self, user_id: str | None, queries: Iterable[str]) -> Iterator[Warmth]:
        """Embed queries ahead for a user, or, None, for whoever is new, as far as not done yet.

        Says of each query, and each variant that the user may be shown, what became of it.
        """
        state = self._users.get(user_id) if user_id is not None else self._nobody()
        for query in queries:
            request = SearchRequest(user_id=user_id or NOBODY, query=query)
            for variant in self._experiment.variants(user_id):
                yield self._engine.warm(request, state, variant)

    def experiment(self) -> ExperimentReport | None:
        """What the running experiment found so far; None where it has shown nobody anything."""
        name = self._settings.experiment_name
        if name not in self._stores.exposures.experiments():
            return None
        return report(self._stores, name)

    def recent_users(self, limit: int) -> Sequence[str]:
        """Who swiped last, the latest first."""
        return self._stores.swipes.recent_users(limit)

    def explain(
        self, user_id: str, item_id: str, query: str = "", tell: Tell = nobody_listens
    ) -> Explanation:
        """Say why a film suits this person and query, from evidence only. Raises UnknownItem.

        ``tell`` hears a writer's sentences as they come. What is returned counts: where the writer
        fails before the end, it is the template's.
        """
        item = self._catalogue.get(item_id)
        request = SearchRequest(user_id=user_id, query=query)
        fallbacks = Fallbacks()
        start = perf_counter()
        with timed("explain"):
            state, variant = self._state(user_id), self._experiment.variant(user_id)
            understood = self._engine.understand(request)
            evidence = self._engine.evidence(item, request, understood, state, variant, fallbacks)
            otherwise = self._counterfactuals.find(
                item, evidence, request, understood, state, variant, fallbacks
            )
            evidence += self._co_liked(item, understood, state, variant, fallbacks)
            brief = brief_of(item, evidence, otherwise, query)
            explanation = self._explainer.explain(brief, state, fallbacks, tell)
        EXPLANATION_SECONDS.labels(explanation.model).observe(perf_counter() - start)
        return explanation

    def profile(self, user_id: str) -> Profile:
        """Say what is believed about a user; a new user gets an empty profile."""
        state = self._state(user_id, stored=True)
        level = tier(state.preferences, self._settings)
        return describe(state, level, self._catalogue, self._encoder.dim)

    def item(self, item_id: str) -> Item:
        """Look a film up. Raises UnknownItem."""
        return self._catalogue.get(item_id)

    def films(self) -> Sequence[Item]:
        """The whole catalogue, most rated first."""
        return self._catalogue.items

    def kept_by(self, *code: Path) -> Kept:
        """Where what is made of the catalogue is kept, also by the sources in these folders."""
        return Kept(self._cache_folder, self._version, *code)

    def export_user(self, user_id: str) -> UserExport:
        """Hand out everything stored about a user. Raises UnknownUser."""
        events = self._stores.swipes.events(user_id)
        surveys = self._stores.surveys.of_user(user_id)
        exposures = self._stores.exposures.of_user(user_id)
        conversations = self._conversations(user_id)
        if not (events or surveys or exposures or conversations):
            raise UnknownUser(user_id)
        preferences = self._stores.preferences.get(user_id)
        return UserExport(
            user_id=user_id,
            exported_at=self._clock(),
            swipes=tuple(events),
            surveys=tuple(vars(survey) for survey in surveys),
            exposures=tuple(exposures),
            conversations=conversations,
            preferences=preferences.model_dump(mode="json") if preferences else None,
        )

    def reactions(self, user_id: str) -> dict[str, Direction]:
        """What a user thinks of each film they swiped, by the swipe that counts."""
        swipes = self._users.get(user_id).swipes
        return {item_id: swipe.direction for item_id, swipe in swipes.items()}

    @property
    def conversations(self) -> ConversationStore:
        """Where the chat keeps what was said, so that it is exported and forgotten with a user."""
        return self._stores.conversations

    def forget_user(self, user_id: str) -> None:
        """Erase everything stored about a user; first the log, so that nothing is learned again."""
        self._stores.swipes.erase(user_id)
        self._stores.surveys.erase(user_id)
        self._stores.exposures.erase(user_id)
        self._stores.conversations.erase(user_id)
        self._users.forget(user_id)
        self._watch.forget(user_id)
        self._cache.erase(user_id)

    def ready(self) -> dict[str, bool]:
        """Whether each part can serve: ``store`` and ``index`` are needed, ``encoder`` is not."""
        return {
            "store": _works(lambda: self._stores.swipes.version(""), StoreUnavailable),
            "index": self._searchable(),
            "encoder": _works(lambda: self._encoder.encode(["ready?"]), FusionError),
        }

    def _searchable(self) -> bool:
        """Whether there are films, and their store still has them: over two switches of the index
        while this server was not restarted, the version that it searches is dropped.
        """
        first = [item.item_id for item in self._catalogue.items[:1]]
        return bool(first) and _works(lambda: self._stores.items.vectors(first), StoreUnavailable)

    def _conversations(self, user_id: str) -> tuple[dict[str, object], ...]:
        """All that was said, conversation by conversation, the latest first."""
        kept = self._stores.conversations
        return tuple(
            vars(thread) | {"records": [vars(each) for each in kept.records(thread.thread_id)]}
            for thread in kept.threads(user_id)
        )

    def _co_liked(
        self,
        item: Item,
        understood: Understanding,
        state: UserState,
        variant: Variant,
        fallbacks: Fallbacks,
    ) -> list[Evidence]:
        """What people liked together, where the answer goes by the person's own likes."""
        colikes = self._colikes
        personal = tier(state.preferences, self._settings) != "generic"
        if colikes is None or variant != "embedding_fusion" or not personal:
            return []
        if understood.anchors or understood.for_someone_else:
            return []
        liked = state.items(Direction.LIKE)
        found = fallbacks.attempt("fusion", lambda: colikes.find(item, liked), None, (FusionError,))
        return [found] if found else []

    def _chosen(self, survey: Survey, swipes: Mapping[str, Swipe]) -> SurveyMovie | None:
        """The card that teaches most, or, when it is one too little known, one of the first."""
        waiting = (item_id for item_id in survey.item_ids if item_id not in swipes)
        item_id = self._survey.next(swipes) or next(waiting, None)
        return _card(self._catalogue.get(item_id)) if item_id else None

    def _nobody(self) -> UserState:
        nothing = no_preferences(self._encoder.model_version, weights=self._settings.ranking)
        return UserState(SHARED, LogVersion(), {}, nothing)

    def _state(self, user_id: str, stored: bool = False) -> UserState:
        """The user's state with preferences that no batch holds back, ``stored`` for others or not:
        what is learned ahead of its batch they would learn as quickly.
        """
        state = self._users.get(user_id)
        if state.preferences.event_count >= state.version.count:
            return state
        # Whoever recorded the latest swipe has then learned of it.
        due = update_due(state, self._settings)
        known = self._users.learned_elsewhere(state) if due else None
        return known or self._users.relearned(state, stored)

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self._catalogue)

    def _learned_at_once(self, user_id: str) -> tuple[UserState, bool]:
        """The state after many swipes, and whether they were learned from; no old answer stands."""
        fallbacks = Fallbacks()
        state = self._users.get(user_id)
        state = fallbacks.attempt("learning", lambda: self._users.relearned(state), state)
        fallbacks.attempt("search_cache", lambda: self._cache.erase(user_id), None)
        learning = self._settings.enable_preference_learning
        return state, learning and "learning" not in fallbacks.taken

    def _recorded(self, user_id: str, idempotency_key: str | None) -> SwipeEvent | None:
        if idempotency_key is None:
            return None
        return self._stores.swipes.find(user_id, idempotency_key)

    def _append(self, swipe: NewSwipe) -> SwipeEvent:
        event = self._stores.swipes.append(swipe)
        self._watch.swiped(event)
        return event

    def _acknowledge(self, event: SwipeEvent) -> SwipeReceipt:
        """The event is durable: whatever fails from here on costs freshness, not the swipe."""
        fallbacks = Fallbacks()
        with timed("acknowledge"):
            state, after = self._as_of(event)
            taste = state.preferences
            behind = taste.event_count < state.version.count
            if behind and update_due(state, self._settings):
                state = fallbacks.attempt("learning", lambda: self._users.relearned(state), state)
            fallbacks.attempt(
                "search_cache", lambda: self._renew_answers(event, taste, state.preferences), None
            )
            if event.session_id:
                fallbacks.attempt("survey", lambda: self._note_end(event, state), None)
            return self._receipt(event, after, state.preferences)

    def _as_of(self, event: SwipeEvent) -> tuple[UserState, _Moment]:
        """The user's state, and how things stood right after the event."""
        if grown := self._users.grown(event):
            return grown, _Moment(grown.version.count, len(grown.swipes), grown.swipes)
        events = self._stores.swipes.events(event.user_id)
        state = self._users.after(event.user_id, events)
        until = [earlier for earlier in events if earlier.event_id <= event.event_id]
        standing = state.swipes if len(until) == len(events) else standing_swipes(until)
        told = standing_swipes(until[:-1]) if event.action == "undo" else standing
        return state, _Moment(len(until), len(standing), told)

    def _note_end(self, event: SwipeEvent, state: UserState) -> None:
        """Who goes through the first cards of a survey on their own never asks for the next one."""
        survey = self._stores.surveys.get(event.session_id or "")
        if survey is None or survey.user_id != event.user_id:
            return
        if len(state.swipes) < len(survey.item_ids):
            return
        events = self._stores.swipes.events(event.user_id)
        if len(_answered(survey, state.swipes, events)) >= len(survey.item_ids):
            self._watch.completed(survey.session_id)

    def _renew_answers(self, event: SwipeEvent, old: UserPreferences, new: UserPreferences) -> None:
        if event.action == "undo":
            self._cache.erase(event.user_id)  # the film may be missing from any of them
        else:
            self._cache.swiped(event.user_id, [event.item_id], old, new)

    def _receipt(self, event: SwipeEvent, after: _Moment, learned: UserPreferences) -> SwipeReceipt:
        """As things stood right after the event, so that a replay gets the first answer again."""
        if event.item_id not in after.told:
            raise NothingToUndo
        return SwipeReceipt(
            status="undone" if event.action == "undo" else "recorded",
            preferences_updated=(
                self._settings.enable_preference_learning and learned.event_count >= after.events
            ),
            swipe_count=after.standing,
            item_id=event.item_id,
            direction=after.told[event.item_id].direction,
        )


def _answered(
    survey: Survey, swipes: Mapping[str, Swipe], events: Sequence[SwipeEvent]
) -> list[str]:
    """The films that have a swipe and were cards of the survey, one of its first or a later."""
    shown = {e.item_id for e in events if e.session_id == survey.session_id}
    return [item_id for item_id in swipes if item_id in shown.union(survey.item_ids)]


def _models(encoder: TextEncoder, fusions: Mapping[Variant, FusionEncoder]) -> str:
    """The versions of all models: none reads what another one made."""
    made = (f"{variant}={fusion.model_version}" for variant, fusion in sorted(fusions.items()))
    return " ".join((encoder.model_version, *made))


def _word_search(
    catalogue: Catalogue,
    index: WordIndex | None,
    settings: RecommenderSettings,
    kept: Kept,
) -> WordSearch:
    """How films are found by words: by the engine that holds them, if it can, else here."""
    if index is not None:
        return InEngine(catalogue, index, settings)
    return InProcess(catalogue, settings, kept)


def _generation(model_version: str, index: str, settings: RecommenderSettings) -> str:
    """Names all that a cached answer depends on besides request and taste, this code included."""
    digest = hashlib.sha256(f"{model_version}{index}".encode())
    digest.update(settings.model_dump_json().encode())
    for module in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _latest(state: UserState, item_id: str | None) -> str:
    """The film whose swipe is to be taken back. Raises NothingToUndo."""
    standing = list(state.swipes)
    if not standing or item_id not in (None, *standing):
        raise NothingToUndo
    return item_id or standing[-1]


def _works(action: Callable[[], object], failure: type[Exception]) -> bool:
    try:
        action()
    except failure:
        return False
    return True


def _card(item: Item) -> SurveyMovie:
    return SurveyMovie(**SurveyMovie.facts(item))
