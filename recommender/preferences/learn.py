"""Learning a person's taste: a pure function of their swipes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from recommender.models import Direction, Item, LearnedWeights, Swipe
from recommender.preferences import vectors as strategies
from recommender.preferences.fields import FieldHabits
from recommender.preferences.model import Floats, UserPreferences, numbers
from recommender.ranking_weights import RankingWeights
from recommender.settings import RecommenderSettings

SMOOTHING = 4.0
LABEL_SHRINKAGE = 2.0
CONFIDENCE_SWIPES = 14.0
KEPT_TAGS = 60
DEFAULT_WEIGHTS = RankingWeights()


@dataclass(frozen=True)
class TasteContext:
    """What learning needs to know of the catalogue.

    ``mean_vector`` shape (dim,); ``genre_shares`` and ``tag_shares`` are shares of films, 0..1;
    ``popularity`` is each film's percentile, 0..1. Without ``field_habits`` no field weights
    are learned.
    """

    model_version: str
    mean_vector: NDArray[np.float32]
    genre_shares: Mapping[str, float]
    tag_shares: Mapping[str, float]
    popularity: Mapping[str, float]
    field_habits: FieldHabits | None = None


@dataclass(frozen=True)
class SwipedItem:
    """A film that was swiped, and the vector of its text, shape (dim,)."""

    item: Item
    vector: NDArray[np.float32]


def learn(
    swipes: Sequence[Swipe],
    items: Mapping[str, SwipedItem],
    now: datetime,
    context: TasteContext,
    settings: RecommenderSettings,
    event_count: int = 0,
) -> UserPreferences:
    """Preferences from standing swipes; those on films not in ``items`` are passed over."""
    known = [swipe for swipe in swipes if swipe.item_id in items]
    likes = [swipe for swipe in known if swipe.direction is Direction.LIKE]
    dislikes = [swipe for swipe in known if swipe.direction is Direction.DISLIKE]
    liked = [items[swipe.item_id].item for swipe in likes]
    disliked = [items[swipe.item_id].item for swipe in dislikes]
    near, far = _centred(likes, items, context), _centred(dislikes, items, context)
    half_life = settings.taste_half_life_days
    directions = _vectors(
        near, far, _recency(likes, now, half_life), _recency(dislikes, now, half_life)
    )
    consistency = _consistency(near, far)
    confidence = _confidence(len(likes) + len(dislikes), consistency)
    years = [item.year for item in liked if item.year]
    return UserPreferences(
        event_count=event_count,
        model_version=context.model_version,
        like_count=len(likes),
        dislike_count=len(dislikes),
        skip_count=len(known) - len(likes) - len(dislikes),
        confidence=confidence,
        vectors={name: _rounded(vector) for name, vector in directions.items()},
        vector_strategy=settings.preference_vector_strategy,
        genre_weights=lifts(
            [item.genres for item in liked],
            [item.genres for item in disliked],
            context.genre_shares,
        ),
        tag_weights=lifts(
            [item.tags for item in liked],
            [item.tags for item in disliked],
            context.tag_shares,
            KEPT_TAGS,
        ),
        year_centre=round(float(np.mean(years)), 1) if years else None,
        year_spread=round(float(np.std(years)), 1) if years else None,
        popularity_bias=_popularity_bias(liked, context.popularity),
        search_weights=_search_weights(settings.ranking, confidence * consistency),
        field_weights=context.field_habits.weights(liked) if context.field_habits else {},
        updated_at=now,
    )


def no_preferences(
    model_version: str, event_count: int = 0, weights: RankingWeights = DEFAULT_WEIGHTS
) -> UserPreferences:
    """What is believed of somebody who has not swiped."""
    return UserPreferences(
        event_count=event_count,
        model_version=model_version,
        search_weights=_search_weights(weights, 0.0),
    )


def _vectors(
    liked: NDArray[np.float32],
    disliked: NDArray[np.float32],
    like_recency: NDArray[np.float64],
    dislike_recency: NDArray[np.float64],
) -> dict[str, NDArray[np.float32]]:
    learned = {
        "centroid": strategies.centroid(liked, disliked),
        "recency": strategies.weighted_centroid(liked, disliked, like_recency, dislike_recency),
        "contrastive": strategies.contrastive(liked, disliked),
    }
    return {name: vector for name, vector in learned.items() if vector is not None}


def _centred(
    swipes: Sequence[Swipe], items: Mapping[str, SwipedItem], context: TasteContext
) -> NDArray[np.float32]:
    rows = [items[swipe.item_id].vector - context.mean_vector for swipe in swipes]
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(context.mean_vector))


def _recency(swipes: Sequence[Swipe], now: datetime, half_life_days: float) -> NDArray[np.float64]:
    """Weight 1 for a swipe of now, halved every ``half_life_days``."""
    ages = np.array([max((now - swipe.swiped_at).total_seconds(), 0) for swipe in swipes])
    return np.asarray(0.5 ** (ages / 86_400 / half_life_days))


def lifts(
    liked: Sequence[Iterable[str]],
    disliked: Sequence[Iterable[str]],
    shares: Mapping[str, float],
    most: int | None = None,
) -> dict[str, float]:
    """How much more often a label occurs among likes than among dislikes or in the catalogue, in
    the order of the alphabet; of ``most`` labels, those furthest from 0.

    tanh of the difference of two log lifts ln((n + m s) / ((N + m) s)), each smoothed by m = 4
    imaginary films drawn from the catalogue, whose share of the label is s; then shrunk by
    n / (n + 2) for n swipes with the label, as one film proves little.
    """
    like_counts = Counter(chain.from_iterable(map(set, liked)))
    dislike_counts = Counter(chain.from_iterable(map(set, disliked)))
    if not (names := sorted(like_counts.keys() | dislike_counts.keys())):
        return {}
    likes, dislikes = _column(like_counts, names), _column(dislike_counts, names)
    share = np.maximum(_column(shares, names), 0.01)
    difference = _log_lift(likes, len(liked), share) - _log_lift(dislikes, len(disliked), share)
    count = likes + dislikes
    weights = np.round(count / (count + LABEL_SHRINKAGE) * np.tanh(difference), 4)
    if most is not None and len(names) > most:
        kept = np.sort(np.argsort(-np.abs(weights), kind="stable")[:most])
        names, weights = [names[place] for place in kept.tolist()], weights[kept]
    return dict(zip(names, weights.tolist(), strict=True))


def _column(numbers: Mapping[str, float], names: Sequence[str]) -> NDArray[np.float64]:
    """Shape (names,), 0 for those that are not there."""
    return np.fromiter(map(numbers.get, names, repeat(0.0)), np.float64, len(names))


def _log_lift(
    counts: NDArray[np.float64], total: int, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shape (labels,), as are both."""
    return np.log((counts + SMOOTHING * shares) / ((total + SMOOTHING) * shares))


def _popularity_bias(liked: Sequence[Item], popularity: Mapping[str, float]) -> float:
    """Where the likes sit between niche (-1) and hits (1), shrunk to 0 while there are few."""
    if not liked:
        return 0.0
    mean = float(np.mean([popularity.get(item.item_id, 0.5) for item in liked]))
    return round((2 * mean - 1) * len(liked) / (len(liked) + SMOOTHING), 4)


def _consistency(liked: NDArray[np.float32], disliked: NDArray[np.float32]) -> float:
    """How well taste foretells itself, 0..1: each swipe scored by the centroid of the others.

    The share of (like, dislike) pairs in the right order (AUC, 0.5 is chance), rescaled to
    0..1; without pairs it is 0.5, "not known".
    """
    if len(liked) < 2 or len(disliked) < 2:
        return 0.5
    like_scores = _held_out(liked, disliked)
    dislike_scores = -_held_out(disliked, liked)
    auc = float((like_scores[:, None] > dislike_scores[None, :]).mean())
    return round(min(max(2 * auc - 1, 0.0), 1.0), 4)


def _held_out(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    rest = (own.sum(axis=0) - own) / (len(own) - 1) - other.mean(axis=0)
    return np.asarray((own * rest).sum(axis=1), dtype=np.float32)


def _confidence(signals: int, consistency: float) -> float:
    """Grows with the number of swipes, 1 - exp(-n / 14), and is held back by contradictions."""
    amount = 1 - np.exp(-signals / CONFIDENCE_SWIPES)
    return round(float(amount * (0.7 + 0.3 * consistency)), 4)


def _search_weights(weights: RankingWeights, sureness: float) -> LearnedWeights:
    """The surer the taste, 0..1, the more it counts; words and vector keep their proportion."""
    preference = round(min(weights.preference + weights.preference_growth * sureness, 1.0), 4)
    rest = 1 - preference
    bm25 = round(rest * weights.bm25 / (weights.bm25 + weights.vector), 4)
    return LearnedWeights(vector=round(rest - bm25, 4), bm25=bm25, preference=preference)


def _rounded(vector: NDArray[np.float32]) -> Floats:
    return numbers(np.round(vector.astype(np.float64), 6).tolist())
