"""A person's taste in figures that can be shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from recommender.catalogue import Catalogue
from recommender.models import (
    Belief,
    Direction,
    Item,
    Profile,
    SwipedFilm,
    TasteWeight,
    TransformerMetrics,
)
from recommender.preferences.learn import LABEL_SHRINKAGE
from recommender.preferences.model import Tier
from recommender.users import UserState

SHOWN_LABELS = 5
SHOWN_TAGS = 8
NOTABLE = 0.1
SHOWN_LIKES = 10


def describe(state: UserState, tier: Tier, catalogue: Catalogue, vector_dim: int) -> Profile:
    """What is believed about a user, and from how many swipes."""
    preferences = state.preferences
    likes = state.items(Direction.LIKE)
    top_genres = _strongest(preferences.genre_weights, 1, SHOWN_LABELS)
    avoided_genres = _strongest(preferences.genre_weights, -1, SHOWN_LABELS)
    swiped = catalogue.select(
        item_id for item_id, swipe in state.swipes.items() if swipe.direction is not Direction.SKIP
    )
    top_tags = _strongest(_returning(preferences.tag_weights, swiped), 1, SHOWN_TAGS)
    return Profile(
        user_id=state.user_id,
        swipe_count=len(state.swipes),
        like_count=len(likes),
        dislike_count=len(state.items(Direction.DISLIKE)),
        skip_count=len(state.items(Direction.SKIP)),
        preference_confidence=preferences.confidence,
        strategy=tier,
        top_genres=top_genres,
        avoided_genres=avoided_genres,
        top_tags=top_tags,
        favourite_years=_years(preferences.year_centre, preferences.year_spread),
        popularity_bias=preferences.popularity_bias,
        learned_weights=preferences.search_weights,
        transformer_metrics=TransformerMetrics(
            model_version=preferences.model_version,
            vector_dim=vector_dim,
            vector_strategy=preferences.vector_strategy,
            preference_hash=preferences.preference_hash,
        ),
        recent_likes=tuple(item.title for item in catalogue.select(likes[-SHOWN_LIKES:][::-1])),
        updated_at=preferences.updated_at,
        beliefs=(
            *(_belief("genre", each, swiped, state) for each in (*top_genres, *avoided_genres)),
            *(_belief("theme", each, swiped, state) for each in top_tags),
        ),
    )


def _returning(weights: Mapping[str, float], swiped: Sequence[Item]) -> dict[str, float]:
    """The weights of tags that more than one film had: of thousands, each film has some alone."""
    counts = Counter(tag for item in swiped for tag in item.tags)
    return {tag: weight for tag, weight in weights.items() if counts[tag] > 1}


def _belief(
    kind: Literal["genre", "theme"], believed: TasteWeight, swiped: Sequence[Item], state: UserState
) -> Belief:
    """A belief, as sure as learning shrinks it: n / (n + 2) for n films that bear on it."""
    bearing = [
        item for item in swiped if believed.name in (item.genres if kind == "genre" else item.tags)
    ]
    return Belief(
        kind=kind,
        name=believed.name,
        weight=believed.weight,
        sureness=round(len(bearing) / (len(bearing) + LABEL_SHRINKAGE), 3),
        films=tuple(
            SwipedFilm(
                item_id=item.item_id,
                title=item.title,
                direction=state.swipes[item.item_id].direction,
            )
            for item in sorted(bearing, key=lambda item: (item.title, item.item_id))
        ),
    )


def _strongest(weights: Mapping[str, float], sign: int, count: int) -> tuple[TasteWeight, ...]:
    notable = [name for name, weight in weights.items() if sign * weight >= NOTABLE]
    notable.sort(key=lambda name: (-sign * weights[name], name))
    return tuple(TasteWeight(name=name, weight=weights[name]) for name in notable[:count])


def _years(centre: float | None, spread: float | None) -> tuple[int, int] | None:
    """One standard deviation around the mean year of the likes."""
    if centre is None or spread is None:
        return None
    return round(centre - spread), round(centre + spread)
