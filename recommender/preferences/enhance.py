"""What a person's taste adds to a search beside the ranking: words, and how many candidates."""

from recommender.preferences.model import Tier, UserPreferences

HINTED_GENRES = 2
HINTED_TAGS = 4
HINT_FROM = 0.25
FEWEST, MOST = 0.5, 2.0


def preferred_labels(preferences: UserPreferences, tier: Tier) -> tuple[str, ...]:
    """The genres, then the tags, that a person clearly prefers; none in the generic tier."""
    if tier == "generic":
        return ()
    return (
        *_strongest(preferences.genre_weights, HINTED_GENRES),
        *_strongest(preferences.tag_weights, HINTED_TAGS),
    )


def pool_size(depth: int, k: int, confidence: float) -> int:
    """How many candidates to look at where ``depth`` is usual, never fewer than the ``k`` wanted.

    Half as many at confidence 0, twice as many at 1: a taste that is sure has more to choose from,
    one that is not stays closer to the words.
    """
    return max(round(depth * (FEWEST + (MOST - FEWEST) * confidence)), k)


def _strongest(weights: dict[str, float], limit: int) -> list[str]:
    liked = [label for label, weight in weights.items() if weight >= HINT_FROM]
    return sorted(liked, key=lambda label: (-weights[label], label))[:limit]
