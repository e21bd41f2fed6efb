"""From words, named films and taste to the one vector that the nearest films are sought for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import Literal

import numpy as np

from fusion.bounded import BoundedEncoder, BoundedFusion, Deadline
from fusion.errors import FusionError
from recommender.cache import AnswerCache, Slot
from recommender.experiments.variants import Variant
from recommender.fallbacks import Fallbacks
from recommender.fusing import FusionInputs, packed, packed_length, unpacked
from recommender.models import SearchRequest, Understanding
from recommender.preferences.model import Tier
from recommender.preferences.vectors import unit
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Space, Vector
from recommender.telemetry import EMBEDDING_CACHE, INFERENCES, timed
from recommender.users import UserState
from recommender.vectors import ItemVectors

ANCHOR_SHARE = 0.85


@dataclass(frozen=True)
class _Wanted:
    """A vector of so many numbers that a search needs: where it is kept, if it is, and what makes
    it, by when.
    """

    slot: Slot
    length: int
    part: Literal["encoder", "fusion"]
    step: Literal["encode", "fuse"]
    make: Callable[[], Vector]
    deadline: Deadline
    lasting: bool = True


@dataclass(frozen=True)
class _Obtained:
    """The vectors that could be had, those that were ``remembered`` among them, and the
    milliseconds that making the others took.
    """

    vectors: Mapping[Slot, Vector]
    remembered: frozenset[Slot]
    latency_ms: float


@dataclass(frozen=True)
class QueryVector:
    """What the vector search looks for, and how it came about.

    ``vector`` lives in ``space``; None without words, named films and taste. ``wish`` is the unit
    vector of words and named films among texts. ``taste`` is the part of a fused vector that swipes
    made. ``influence`` is the share of taste, 0..1; ``confidence`` the fusion's own, 0..1.
    ``model_version`` names the encoder that made ``vector``.
    """

    vector: Vector | None
    space: Space
    words: Vector | None
    wish: Vector | None
    taste: Vector | None
    influence: float
    confidence: float | None
    cached: bool
    latency_ms: float
    model_version: str


class QueryEmbedder:
    """Fuses words, named films and taste: by the variant's encoder, else by blending vectors."""

    def __init__(
        self,
        encoder: BoundedEncoder,
        fusions: Mapping[Variant, BoundedFusion],
        inputs: FusionInputs,
        vectors: ItemVectors,
        cache: AnswerCache,
        settings: RecommenderSettings,
    ) -> None:
        self._encoder = encoder
        self._fusions = fusions
        self._inputs = inputs
        self._vectors = vectors
        self._cache = cache
        self._explore = settings.explore
        blends = settings.enhance_query_vector
        self._taste_share = settings.ranking.taste_in_vector if blends else 0.0
        self._for_someone_else = settings.ranking.for_someone_else

    def embed(
        self,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        tier: Tier,
        variant: Variant,
        now: datetime,
        fallbacks: Fallbacks,
    ) -> QueryVector:
        """Without a fusion encoder vectors are blended; without any encoder, taste stands alone."""
        encoder = self._fusions.get(variant)
        told = self._worded(understood.text) if understood.text else None
        asked = None
        if encoder is not None:
            asked = self._fusing(encoder, request, understood, state, tier, now)
        had = self._obtain([each for each in (told, asked) if each], now, fallbacks)
        words = had.vectors.get(told.slot) if told else None
        wish = self._lean(words, understood.anchors)
        if encoder is None or asked is None or asked.slot not in had.vectors:
            cached = told is not None and told.slot in had.remembered
            blended = self._blended(words, wish, understood, state, tier)
            return replace(blended, cached=cached, latency_ms=had.latency_ms)
        fused = unpacked(had.vectors[asked.slot])
        if understood.anchors:  # They were fused in the place of the person's swipes.
            fused = replace(fused, taste=np.zeros_like(fused.taste), influence=0.0)
        return QueryVector(
            fused.vector,
            "fused",
            words,
            wish,
            fused.taste,
            fused.influence,
            fused.confidence,
            asked.slot in had.remembered,
            had.latency_ms,
            encoder.model_version,
        )

    def words(self, text: str, now: datetime, fallbacks: Fallbacks) -> Vector | None:
        """The vector of the words alone; None without any, or when they cannot be embedded."""
        if not text:
            return None
        told = self._worded(text)
        return self._obtain([told], now, fallbacks).vectors.get(told.slot)

    def _exploring(self, request: SearchRequest, understood: Understanding) -> float:
        """As asked; else as set, but not where a wish is named: that wants the best."""
        if request.explore is not None:
            return request.explore
        return 0.0 if understood.text or understood.anchors else self._explore

    def _worded(self, text: str) -> _Wanted:
        return _Wanted(
            self._cache.slot_of_words(text),
            self._encoder.dim,
            "encoder",
            "encode",
            lambda: self._encoder.encoder.encode([text])[0],
            self._encoder.deadline,
        )

    def _fusing(
        self,
        fusion: BoundedFusion,
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        tier: Tier,
        now: datetime,
    ) -> _Wanted:
        explore = self._exploring(request, understood)
        asked = self._inputs.of(understood, request.mentions, state, tier, explore, now)
        whose = state if self._inputs.personal(understood, tier) else None
        name = self._inputs.name(asked, fusion.model_version)
        return _Wanted(
            self._cache.slot_of_fusion(name, whose),
            packed_length(fusion.dim),
            "fusion",
            "fuse",
            lambda: packed(fusion.encoder.fuse(asked)),
            fusion.deadline,
            # A taste that is only supposed is hardly ever asked of twice.
            lasting=whose is None or not whose.mentioned,
        )

    def _obtain(self, wanted: Sequence[_Wanted], now: datetime, fallbacks: Fallbacks) -> _Obtained:
        """Recall vectors; make those that are not there, side by side, and remember them."""
        if not wanted:
            return _Obtained({}, frozenset(), 0.0)
        slots = [each.slot for each in wanted if each.lasting]
        known = fallbacks.attempt(
            "embedding_cache", lambda: self._cache.embeddings(slots, now), dict[Slot, Vector]()
        )
        recalled = {e.slot: known[e.slot] for e in wanted if _is_whole(known.get(e.slot), e.length)}
        for slot in slots:
            EMBEDDING_CACHE.labels("hit" if slot in recalled else "miss").inc()
        missing = [each for each in wanted if each.slot not in recalled]
        if not missing:
            return _Obtained(recalled, frozenset(recalled), 0.0)
        start = perf_counter()
        made = self._made(missing, fallbacks)
        latency_ms = 1000 * (perf_counter() - start)
        if lasting := {slot: made[slot] for slot in slots if slot in made}:
            fallbacks.attempt(
                "embedding_cache", lambda: self._cache.keep_embeddings(lasting, now), None
            )
        return _Obtained(recalled | made, frozenset(recalled), latency_ms)

    def _made(self, missing: Sequence[_Wanted], fallbacks: Fallbacks) -> dict[Slot, Vector]:
        """Those that could be made: what shares a deadline in turn, the others at the same time."""
        made = {}
        begun: list[tuple[_Wanted, Callable[[], Vector]]] = []
        # Those that take no time of this thread go first, and go on beside the others.
        deadlines = dict.fromkeys(each.deadline for each in missing)
        for deadline in sorted(deadlines, key=lambda d: d.at_once):
            some = [each for each in missing if each.deadline is deadline]
            results = deadline.begin(*(partial(_timed, each) for each in some))
            begun += zip(some, results, strict=True)
        for each, result in begun:
            vector = fallbacks.attempt(each.part, result, None, (FusionError,))
            INFERENCES.labels(each.part, "failed" if vector is None else "made").inc()
            if vector is not None:
                made[each.slot] = vector
        return made

    def _blended(
        self,
        words: Vector | None,
        wish: Vector | None,
        understood: Understanding,
        state: UserState,
        tier: Tier,
    ) -> QueryVector:
        taste = state.preferences.vector if tier == "personal" else None
        share = self._taste_share * state.preferences.confidence
        if understood.for_someone_else:
            share *= self._for_someone_else
            taste = None if wish is None else taste
        if taste is None or wish is None:
            influence = 0.0 if taste is None else 1.0
            vector = wish if taste is None else taste
        else:
            influence, vector = share, unit((1 - share) * wish + share * taste)
        return QueryVector(
            vector,
            "text",
            words,
            wish,
            None,
            influence,
            None,
            False,
            0.0,
            self._encoder.model_version,
        )

    def _lean(self, words: Vector | None, anchor_ids: Sequence[str]) -> Vector | None:
        anchors = list(self._vectors.get(anchor_ids).values())
        if not anchors:
            return words
        middle = unit(np.mean(anchors, axis=0))
        if words is None or middle is None:
            return middle
        return unit(ANCHOR_SHARE * middle + (1 - ANCHOR_SHARE) * words)


def _timed(wanted: _Wanted) -> Vector:
    with timed(wanted.step):
        return wanted.make()


def _is_whole(known: Vector | None, length: int) -> bool:
    """Whether something was remembered, and by nothing else than this."""
    return known is not None and known.shape == (length,)
