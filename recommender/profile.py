"""A person's taste in figures that can be shown."""

from collections.abc import Mapping

from recommender.catalogue import Catalogue
from recommender.models import Direction, Profile, TasteWeight, TransformerMetrics
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
    return Profile(
        user_id=state.user_id,
        swipe_count=len(state.swipes),
        like_count=len(likes),
        dislike_count=len(state.items(Direction.DISLIKE)),
        skip_count=len(state.items(Direction.SKIP)),
        preference_confidence=preferences.confidence,
        strategy=tier,
        top_genres=_strongest(preferences.genre_weights, 1, SHOWN_LABELS),
        avoided_genres=_strongest(preferences.genre_weights, -1, SHOWN_LABELS),
        top_tags=_strongest(preferences.tag_weights, 1, SHOWN_TAGS),
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
