"""When preferences are relearned, and how personal an answer may be."""

from typing import Any

import pytest

from recommender.models import Direction, Swipe
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import LogVersion
from recommender.users import UserState, tier, update_due


def state(swipe_count: int, events: int, learned_from: int) -> UserState:
    swipes = {
        f"f{number}": Swipe.model_validate(
            {
                "item_id": f"f{number}",
                "direction": "like",
                "swiped_at": "2026-01-01T00:00:00Z",
                "event_id": number,
            }
        )
        for number in range(swipe_count)
    }
    return UserState(
        "ann", LogVersion(1, events, events), swipes, no_preferences("model", learned_from)
    )


def settings(**changes: Any) -> RecommenderSettings:  # noqa: ANN401
    limits = {"real_time_swipe_limit": 25, "preference_update_batch_size": 5}
    return RecommenderSettings.model_validate(limits | changes)


@pytest.mark.parametrize(
    ("policy", "swipes", "waiting", "due"),
    [
        ("real_time", 1, 1, True),
        ("real_time", 500, 1, True),
        ("batch", 1, 1, False),
        ("batch", 1, 4, False),
        ("batch", 1, 5, True),
        ("batch", 500, 6, True),
        ("hybrid", 25, 1, True),
        ("hybrid", 26, 1, False),
        ("hybrid", 26, 4, False),
        ("hybrid", 26, 5, True),
    ],
)
def test_update_due(policy: str, swipes: int, waiting: int, due: bool) -> None:
    asked = settings(preference_update_policy=policy)
    assert update_due(state(swipes, 600, 600 - waiting), asked) is due


@pytest.mark.parametrize("policy", ["real_time", "batch", "hybrid"])
def test_without_real_time_updates_every_policy_batches(policy: str) -> None:
    asked = settings(preference_update_policy=policy, enable_real_time_updates=False)
    assert not update_due(state(3, 10, 6), asked)
    assert update_due(state(3, 10, 5), asked)


def with_counts(likes: int, dislikes: int = 0, skips: int = 0) -> UserPreferences:
    counts = {"like_count": likes, "dislike_count": dislikes, "skip_count": skips}
    return no_preferences("model").model_copy(update=counts)


@pytest.mark.parametrize(
    ("likes", "dislikes", "expected"),
    [
        (0, 0, "generic"),
        (4, 0, "generic"),
        (2, 3, "light"),
        (5, 0, "light"),
        (7, 7, "light"),
        (0, 15, "personal"),
        (15, 0, "personal"),
    ],
)
def test_tiers_count_likes_and_dislikes(likes: int, dislikes: int, expected: str) -> None:
    asked = settings(min_swipes_for_personalization=5, full_personalization_swipes=15)
    assert tier(with_counts(likes, dislikes), asked) == expected
    assert tier(with_counts(likes, dislikes, skips=50), asked) == expected


def test_without_learning_everybody_is_generic() -> None:
    assert tier(with_counts(99), settings(enable_preference_learning=False)) == "generic"


def test_items_by_direction_keep_their_order() -> None:
    made = state(3, 3, 3)
    skipped = made.swipes["f1"].model_copy(update={"direction": Direction.SKIP})
    mixed = UserState("ann", made.version, dict(made.swipes) | {"f1": skipped}, made.preferences)
    assert mixed.items(Direction.LIKE) == ["f0", "f2"]
    assert mixed.items(Direction.SKIP) == ["f1"]
    assert mixed.items(Direction.DISLIKE) == []
