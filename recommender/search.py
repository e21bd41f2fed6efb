"""One search, from words and taste to ranked films with reasons."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from recommender.cache import AnswerCache
from recommender.catalogue import Catalogue
from recommender.diversity import mmr, represented
from recommender.evidence import EvidenceFinder, Fact, Question, recent
from recommender.experiments.variants import Variant
from recommender.fallbacks import Fallbacks
from recommender.lexical import TextQuery
from recommender.models import (
    MAX_NAMES,
    Direction,
    Evidence,
    Filters,
    IntelligenceMetadata,
    Item,
    Names,
    RecommendedItem,
    SearchRequest,
    SearchResult,
    Understanding,
)
from recommender.preferences.enhance import pool_size, preferred_labels
from recommender.preferences.model import Tier, UserPreferences
from recommender.query import QueryReader
from recommender.query.refusals import tags_refused
from recommender.query_vector import QueryEmbedder, QueryVector
from recommender.ranking import Ranked, Ranker
from recommender.retrieval import Candidates, Retriever
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Vector
from recommender.telemetry import timed
from recommender.text import terms
from recommender.top_k import top_k
from recommender.users import UserState, stranger, tier
from recommender.vectors import ItemVectors

SHOWN_REASONS = 3
DEPTH_WITHOUT_WORDS = 200
ANCHOR_TAGS = 8
FUSED: frozenset[Variant] = frozenset({"token_fusion", "embedding_fusion"})
LOVED, LOVED_GENRES = 0.3, 3
"""From which weight a genre is loved, and how many of them are sure of a place."""

Warmth = Literal["made", "known", "failed"]
"""Whether vectors were embedded for later, were remembered already, or could not be had."""


@dataclass(frozen=True)
class _Retrieved:
    """Films that may be in the answer, and for whom and by which vector they were found."""

    known: UserState
    tier: Tier
    query: QueryVector
    candidates: Candidates


class SearchEngine:
    """Understand, embed, retrieve, rank, diversify, give reasons."""

    def __init__(
        self,
        catalogue: Catalogue,
        reader: QueryReader,
        embedder: QueryEmbedder,
        retriever: Retriever,
        ranker: Ranker,
        evidence: EvidenceFinder,
        vectors: ItemVectors,
        cache: AnswerCache,
        settings: RecommenderSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._embedder = embedder
        self._retriever = retriever
        self._ranker = ranker
        self._evidence = evidence
        self._vectors = vectors
        self._cache = cache
        self._settings = settings
        self._clock = clock

    def search(self, request: SearchRequest, state: UserState, variant: Variant) -> SearchResult:
        """The earlier answer if it still holds, else a new one. Raises UnknownItem for anchors."""
        fallbacks, now = Fallbacks(), self._clock()
        with timed("search"):
            result = fallbacks.attempt(
                "search_cache", lambda: self._cache.answer(request, state, variant, now), None
            )
            if result is None:
                result = self._compute(request, state, variant, now, fallbacks)
        return result

    def warm(self, request: SearchRequest, state: UserState, variant: Variant) -> Warmth:
        """Embed a request as a search would, so that the search finds its vectors in the cache."""
        fallbacks, now = Fallbacks(), self._clock()
        understood, known = self.understand(request), self._known(state, variant)
        tier_ = self._tier(request, known)
        query = self._embedder.embed(request, understood, known, tier_, variant, now, fallbacks)
        if fallbacks.taken:
            return "failed"
        return "known" if query.cached or query.latency_ms == 0 else "made"

    def understand(self, request: SearchRequest) -> Understanding:
        """How the words are read, joined with what the request says outright.

        Raises UnknownItem for a named film, InvalidRequest for a genre that the catalogue lacks.
        """
        for item_id in request.similar_to:
            self._catalogue.get(item_id)
        read: Understanding = self._reader.read(request.query)
        asked = self._catalogue.spelled(request.filters)
        anchors = dict.fromkeys((*request.similar_to, *read.similar_to))
        return read.model_copy(
            update={
                "similar_to": tuple(anchors),
                "filters": _joined(asked, read.filters),
                "for_someone_else": request.for_someone_else or read.for_someone_else,
            }
        )

    def evidence(
        self,
        item: Item,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        variant: Variant,
        fallbacks: Fallbacks,
    ) -> list[Evidence]:
        """What speaks for and against one film, whether or not a search would return it.

        ``understood`` is how the request was read.
        """
        now = self._clock()
        known = self._known(state, variant)
        tier_ = self._tier(request, known)
        if understood.anchors and variant in FUSED:
            known = self._only_told(known)
        words = self._embedder.words(understood.text, now, fallbacks)
        vector = self._vectors.get([item.item_id]).get(item.item_id)
        if vector is None:
            return []
        question = self._question(request, understood, known, tier_, words)
        return self._evidence.find(item, vector, question)

    def place(
        self,
        item_id: str,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        variant: Variant,
        fallbacks: Fallbacks,
    ) -> int | None:
        """Where a film stands in the answer, from 1; None when it is not in it."""
        found = self._retrieve(request, understood, state, variant, self._clock(), fallbacks)
        row, rows = self._catalogue.rows[item_id], found.candidates.rows
        if row not in rows and item_id != understood.lookup:
            return None
        _, order = self._rank(found, request, understood)
        places = rows[order].tolist()
        if named := understood.lookup:
            places = [self._catalogue.rows[named], *places][: request.k]
        return places.index(row) + 1 if row in places else None

    def _compute(
        self,
        request: SearchRequest,
        state: UserState,
        variant: Variant,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> SearchResult:
        understood = self.understand(request)
        found = self._retrieve(request, understood, state, variant, now, fallbacks)
        ranked, order = self._rank(found, request, understood)
        known, tier_, query = found.known, found.tier, found.query
        aside = understood.anchors and query.space == "fused"
        told = self._only_told(known) if aside else known
        question = self._question(request, understood, told, tier_, query.words)
        items = self._recommend(found.candidates, ranked, order, question, request.explain)
        result = SearchResult(
            user_id=request.user_id,
            items=tuple(self._named_first(items, understood, question, request)),
            model_version=query.model_version,
            cached=False,
            preference_confidence=state.preferences.confidence,
            understood=understood,
            intelligence_metadata=IntelligenceMetadata(
                embedding_cached=query.cached,
                preference_influence=_influence(
                    known, tier_, query, self._taste_share(understood), request.taste
                ),
                confidence_score=_confidence(state, query),
                transformer_latency_ms=round(query.latency_ms, 3),
                strategy=tier_,
                variant="preference_vector" if _fell_back(variant, query) else variant,
                degraded=fallbacks.taken,
            ),
        )
        return self._kept(request, state, variant, result, now, fallbacks)

    def _retrieve(
        self,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        variant: Variant,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> _Retrieved:
        """Embed and retrieve."""
        known = self._known(state, variant)
        tier_ = self._tier(request, known)
        query = self._embedder.embed(request, understood, known, tier_, variant, now, fallbacks)
        with timed("retrieve"):
            candidates = self._candidates(request, understood, state, known.preferences, query)
        return _Retrieved(known, tier_, query, candidates)

    def _rank(
        self, found: _Retrieved, request: SearchRequest, understood: Understanding
    ) -> tuple[Ranked, list[int]]:
        """Rank and diversify, no reasons yet: the scores, and rows of candidates, best first."""
        candidates, preferences = found.candidates, found.known.preferences
        ranked = self._ranker.rank(
            candidates,
            preferences,
            found.tier,
            understood.soft_genres,
            _has_wish(understood),
            understood.anchors,
            understood.for_someone_else,
            tags_refused(understood.less),
            request.taste,
        )
        ranked = self._ranker.exploring(ranked, candidates.rows, request.explore or 0.0)
        order = self._order(candidates, ranked, request.k)
        by_taste = found.tier != "generic" and request.taste >= 1
        if found.query.space == "fused" and not _has_wish(understood) and by_taste:
            order = self._serving_all(order, candidates, ranked, preferences)
        return ranked, order

    def _kept(
        self,
        request: SearchRequest,
        state: UserState,
        variant: Variant,
        result: SearchResult,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> SearchResult:
        """Remember a whole answer; one that cannot be remembered says so, like any other lack."""
        if fallbacks.taken:
            return result
        fallbacks.attempt(
            "search_cache",
            lambda: self._cache.keep_answer(request, state, variant, result, now),
            None,
        )
        metadata = result.intelligence_metadata.model_copy(update={"degraded": fallbacks.taken})
        return result.model_copy(update={"intelligence_metadata": metadata})

    def _known(self, state: UserState, variant: Variant) -> UserState:
        """What the variant may use of a user: the generic one knows nobody."""
        return stranger(state, self._settings) if variant == "generic" else state

    def _only_told(self, known: UserState) -> UserState:
        """Films that are named take the place of the own swipes in a fused vector: so no reason
        may speak of these, but of what was said of films in the request.
        """
        said = {i: swipe for i, swipe in known.swipes.items() if i in known.mentioned}
        nobody = stranger(known, self._settings)
        return replace(nobody, swipes=said, mentioned=known.mentioned)

    def _tier(self, request: SearchRequest, known: UserState) -> Tier:
        """As many swipes allow; who names films in the request wants them to count."""
        reached = tier(known.preferences, self._settings)
        told = request.mentions and known.preferences.signal_count
        return "light" if reached == "generic" and told else reached

    def _candidates(
        self,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        preferences: UserPreferences,
        query: QueryVector,
    ) -> Candidates:
        exclude = [*understood.anchors, *request.mentions, *self._reader.left_out(understood)]
        if understood.filters.exclude_seen:
            exclude += state.swipes
        depth = request.k * self._settings.candidate_multiplier
        gems: Sequence[int] = ()
        if not _has_wish(understood):
            depth = max(depth, DEPTH_WITHOUT_WORDS)
            if request.explore:  # neither the most popular nor the nearest are little known
                allowed = self._catalogue.allowed(understood.filters, exclude)
                gems = self._ranker.gems(allowed, depth).tolist()
        if self._settings.enhance_candidate_pool:
            depth = pool_size(depth, request.k, preferences.confidence)
        return self._retriever.retrieve(
            query,
            self._text(understood, preferences),
            understood.filters,
            exclude,
            depth,
            understood.soft_genres,
            gems,
        )

    def _text(self, understood: Understanding, preferences: UserPreferences) -> TextQuery:
        """The query's words; films that are named lend their tags and directors."""
        anchors, refused = self._catalogue.select(understood.anchors), tags_refused(understood.less)
        lent = [" ".join((*_lent(anchor, refused), *anchor.director)) for anchor in anchors]
        hints: tuple[str, ...] = ()
        if self._settings.enhance_query_terms:
            hints = preferred_labels(preferences, tier(preferences, self._settings))
        return TextQuery(
            terms(" ".join((understood.text, *lent))),
            terms(" ".join(hints)),
            preferences.field_weights,
        )

    def _order(self, candidates: Candidates, ranked: Ranked, k: int) -> list[int]:
        """MMR over the best 3 k candidates."""
        best = top_k(ranked.score, k * self._settings.candidate_multiplier)
        if not len(best):
            return []
        scores = ranked.score[best]
        relevance = (scores - scores.min()) / max(float(np.ptp(scores)), 1e-9)
        chosen = mmr(relevance, candidates.vectors[best], k, self._settings.mmr_lambda)
        return [int(best[row]) for row in chosen]

    def _serving_all(
        self,
        order: Sequence[int],
        candidates: Candidates,
        ranked: Ranked,
        preferences: UserPreferences,
    ) -> list[int]:
        """Two places in ten for each loved genre: who loves two opposite ones is served both."""
        weights = preferences.genre_weights
        loved = sorted((g for g in weights if weights[g] > LOVED), key=lambda g: -weights[g])
        columns = [self._catalogue.genres.index(g) for g in loved if g in self._catalogue.genres]
        member = self._catalogue.genre_matrix[candidates.rows][:, columns[:LOVED_GENRES]]
        pool = np.argsort(-ranked.score, kind="stable")
        return represented(order, pool, member, max(1, len(order) // 5))

    def _question(
        self,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        tier_: Tier,
        words: Vector | None,
    ) -> Question:
        named = (*understood.anchors, *recent(state, Direction.LIKE))
        named += recent(state, Direction.DISLIKE)
        taste = self._taste_share(understood) * min(request.taste, 1.0)
        return Question(understood, state, tier_, words, self._vectors.get(named), taste)

    def _taste_share(self, understood: Understanding) -> float:
        """How much the person's own taste counts, 0..1."""
        return self._settings.ranking.for_someone_else if understood.for_someone_else else 1.0

    def _recommend(
        self,
        candidates: Candidates,
        ranked: Ranked,
        order: Sequence[int],
        question: Question,
        explain: bool,
    ) -> list[RecommendedItem]:
        items = [self._catalogue.items[candidates.rows[row]] for row in order]
        facts = self._evidence.facts(items, candidates.vectors[list(order)], question)
        scores, boosts = ranked.score[list(order)].tolist(), ranked.boost[list(order)].tolist()
        return [
            _recommended(*told, explain) for told in zip(items, scores, boosts, facts, strict=True)
        ]

    def _named_first(
        self,
        items: Sequence[RecommendedItem],
        understood: Understanding,
        question: Question,
        request: SearchRequest,
    ) -> Sequence[RecommendedItem]:
        """A film whose very title was the query leads the answer, swiped or not, if it may."""
        if understood.lookup is None:
            return items
        item = self._catalogue.get(understood.lookup)
        vectors: Mapping[str, Vector] = self._vectors.get([item.item_id])
        allowed = self._catalogue.allowed(understood.filters)[self._catalogue.rows[item.item_id]]
        if item.item_id not in vectors or not allowed:
            return items
        (facts,) = self._evidence.facts([item], vectors[item.item_id][None], question)
        best = max((other.score for other in items), default=0.0)
        return [_recommended(item, best, 0.0, facts, request.explain), *items][: request.k]


def _lent(anchor: Item, refused: Collection[str]) -> list[str]:
    """The tags that a film lends to the query that names it."""
    return [tag for tag in anchor.tags if tag not in refused][:ANCHOR_TAGS]


def _has_wish(understood: Understanding) -> bool:
    return bool(understood.text or understood.anchors)


def _influence(
    state: UserState, tier_: Tier, query: QueryVector, counts: float, lean: float
) -> float:
    """The share of taste in the ranking: the fused vector's own, or its weight, as far as it
    ``counts``, and its part of the blended vector's; all that ``lean`` times.
    """
    if query.space == "fused":
        return round(_leant(query.influence, lean), 4)
    if tier_ == "generic":
        return 0.0
    weights = state.preferences.search_weights
    share = counts * weights.preference + weights.vector * query.influence
    return round(_leant(share, lean), 4)


def _leant(share: float, lean: float) -> float:
    """A share of a whole once it counts ``lean`` times, 0..1."""
    return lean * share / max(1.0 + (lean - 1.0) * share, 1e-9)


def _confidence(state: UserState, query: QueryVector) -> float:
    return state.preferences.confidence if query.confidence is None else round(query.confidence, 4)


def _fell_back(variant: Variant, query: QueryVector) -> bool:
    """Whether a fusion was wanted and the vectors were blended."""
    return variant in FUSED and query.space == "text"


def _joined(asked: Filters, read: Filters) -> Filters:
    """Both sets of limits; where they contradict each other, the request overrides the words."""
    year_from, year_to = _years(asked, read)
    return Filters(
        include_genres=_both(asked.include_genres, read.include_genres, asked.exclude_genres),
        exclude_genres=_both(asked.exclude_genres, read.exclude_genres, asked.include_genres),
        year_from=year_from,
        year_to=year_to,
        people=_both(asked.people, read.people, asked.exclude_people),
        exclude_people=_both(asked.exclude_people, read.exclude_people, asked.people),
        exclude_seen=asked.exclude_seen,
    )


def _both(asked: Names, read: Names, against: Names) -> Names:
    wanted = [*asked, *(name for name in read if name not in against)]
    return tuple(dict.fromkeys(wanted))[:MAX_NAMES]


def _years(asked: Filters, read: Filters) -> tuple[int | None, int | None]:
    """Where words and request leave no year, the words are passed over."""
    year_from = asked.year_from if asked.year_from is not None else read.year_from
    year_to = asked.year_to if asked.year_to is not None else read.year_to
    if year_from and year_to and year_from > year_to:
        return asked.year_from, asked.year_to
    return year_from, year_to


def _recommended(
    item: Item, score: float, boost: float, facts: Sequence[Fact], explain: bool
) -> RecommendedItem:
    reasons = [fact.text for fact in facts if not fact.against]
    return RecommendedItem(
        **RecommendedItem.facts(item),
        score=round(score, 4),
        preference_boost=round(boost, 4),
        reason=tuple(reasons[:SHOWN_REASONS]),
        evidence=tuple(fact.shown() for fact in facts) if explain else (),
    )
