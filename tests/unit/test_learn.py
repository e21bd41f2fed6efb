"""Preferences are a pure function of swipes."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.models import Direction, Item, Swipe
from recommender.preferences.learn import SwipedItem, TasteContext, learn, no_preferences
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DIM = 10
GENRES = ("Comedy", "Drama", "Romance", "Sci-Fi")
TAGS = ("space", "heist", "wedding", "robots", "road trip")
FILMS = 60
SETTINGS = RecommenderSettings()
LIKE, DISLIKE, SKIP = Direction.LIKE, Direction.DISLIKE, Direction.SKIP


def _films() -> dict[str, SwipedItem]:
    """Even films gather around one axis and are Sci-Fi, odd ones around another and are Romance."""
    rng = np.random.default_rng(4)
    films = {}
    for number in range(FILMS):
        odd = number % 2
        vector = 0.25 * rng.normal(size=DIM) + 2 * np.eye(DIM)[odd]
        item = Item(
            item_id=f"f{number}",
            title=f"Film {number}",
            year=None if number % 10 == 9 else 1950 + number,
            genres=("Romance" if odd else "Sci-Fi", GENRES[int(rng.integers(2))]),
            tags=("wedding" if odd else "space", TAGS[int(rng.integers(len(TAGS)))]),
        )
        films[item.item_id] = SwipedItem(item, (vector / np.linalg.norm(vector)).astype(np.float32))
    return films


ITEMS = _films()
EVEN, ODD = [f"f{n}" for n in range(0, FILMS, 2)], [f"f{n}" for n in range(1, FILMS, 2)]
CONTEXT = TasteContext(
    model_version="model-1",
    mean_vector=np.mean([film.vector for film in ITEMS.values()], axis=0, dtype=np.float32),
    genre_shares={"Comedy": 0.5, "Drama": 0.5, "Romance": 0.5, "Sci-Fi": 0.5},
    tag_shares=dict.fromkeys(TAGS, 0.3),
    popularity={item_id: number / (FILMS - 1) for number, item_id in enumerate(ITEMS)},
)


def swipes(directions: dict[str, Direction], days_ago: int = 1) -> list[Swipe]:
    return [
        Swipe(
            item_id=item_id,
            direction=direction,
            swiped_at=NOW - timedelta(days=days_ago),
            event_id=number,
        )
        for number, (item_id, direction) in enumerate(directions.items(), 1)
    ]


def learned(made: Sequence[Swipe], settings: RecommenderSettings = SETTINGS) -> UserPreferences:
    return learn(made, ITEMS, NOW, CONTEXT, settings, len(made))


def said(likes: Sequence[str], dislikes: Sequence[str] = ()) -> UserPreferences:
    return learned(swipes(dict.fromkeys(likes, LIKE) | dict.fromkeys(dislikes, DISLIKE)))


@st.composite
def swipe_lists(draw: st.DrawFn) -> list[Swipe]:
    films = draw(st.lists(st.sampled_from(sorted(ITEMS)), unique=True, max_size=40))
    return [
        Swipe(
            item_id=item_id,
            direction=draw(st.sampled_from(list(Direction))),
            swiped_at=NOW - timedelta(days=draw(st.integers(0, 400))),
            event_id=number,
        )
        for number, item_id in enumerate(films, 1)
    ]


@settings(max_examples=40)
@given(swipe_lists())
def test_same_swipes_same_preferences(made: list[Swipe]) -> None:
    first, second = learned(made), learned(list(made))
    assert first == second
    assert first.preference_hash == second.preference_hash


@settings(max_examples=40)
@given(swipe_lists())
def test_every_figure_is_in_its_range(made: list[Swipe]) -> None:
    taste = learned(made)
    assert 0 <= taste.confidence <= 1
    assert -1 <= taste.popularity_bias <= 1
    weights = [*taste.genre_weights.values(), *taste.tag_weights.values()]
    assert all(-1 <= weight <= 1 for weight in weights)
    shares = taste.search_weights
    assert shares.vector + shares.bm25 + shares.preference == pytest.approx(1)
    assert min(shares.vector, shares.bm25, shares.preference) > 0
    for vector in taste.vectors.values():
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    counts = taste.like_count, taste.dislike_count, taste.skip_count
    assert counts == tuple(sum(s.direction is d for s in made) for d in (LIKE, DISLIKE, SKIP))


@settings(max_examples=40)
@given(swipe_lists(), st.integers(0, 100))
def test_the_order_of_swipes_does_not_matter(made: list[Swipe], seed: int) -> None:
    shuffled = made.copy()
    random.Random(seed).shuffle(shuffled)
    one, other = learned(made), learned(shuffled)
    assert one.genre_weights == other.genre_weights
    assert one.tag_weights == other.tag_weights
    assert one.confidence == pytest.approx(other.confidence, abs=2e-4)
    assert one.vectors.keys() == other.vectors.keys()
    for name in one.vectors:
        np.testing.assert_allclose(one.vectors[name], other.vectors[name], atol=1e-3)


@settings(max_examples=40)
@given(swipe_lists())
def test_skips_say_nothing_of_taste(made: list[Swipe]) -> None:
    opinions = [swipe for swipe in made if swipe.direction is not SKIP]
    with_skips, without = learned(made), learned(opinions)
    same = {"skip_count", "event_count", "updated_at"}
    assert with_skips.model_dump(exclude=same) == without.model_dump(exclude=same)


@settings(max_examples=40)
@given(swipe_lists())
def test_films_that_are_gone_are_passed_over(made: list[Swipe]) -> None:
    gone = swipes({"gone-1": LIKE, "gone-2": DISLIKE, "gone-3": SKIP})
    assert learned([*gone, *made]).model_dump(exclude={"event_count"}) == learned(made).model_dump(
        exclude={"event_count"}
    )


@pytest.mark.parametrize("made", [[], swipes(dict.fromkeys(EVEN, SKIP))])
def test_nothing_said_nothing_learned(made: list[Swipe]) -> None:
    taste, blank = learned(made), no_preferences("model-1")
    assert (taste.vectors, taste.vector, taste.genre_weights, taste.tag_weights) == (
        {},
        None,
        {},
        {},
    )
    assert (taste.confidence, taste.signal_count, taste.popularity_bias) == (0, 0, 0)
    assert (taste.year_centre, taste.year_spread) == (None, None)
    assert taste.search_weights == blank.search_weights


def test_only_dislikes_learn_what_to_avoid() -> None:
    taste = said([], EVEN[:8])
    assert taste.genre_weights["Sci-Fi"] < 0
    assert taste.tag_weights["space"] < 0
    assert taste.year_centre is None
    assert taste.vector is not None
    even, odd = (np.mean([ITEMS[i].vector for i in ids], axis=0) for ids in (EVEN, ODD))
    assert taste.vector @ odd > taste.vector @ even


def test_likes_and_dislikes_pull_apart() -> None:
    taste, opposite = said(EVEN[:8], ODD[:8]), said(ODD[:8], EVEN[:8])
    assert taste.genre_weights["Sci-Fi"] > 0 > taste.genre_weights["Romance"]
    assert taste.tag_weights["space"] > 0 > taste.tag_weights["wedding"]
    for label, weight in taste.genre_weights.items():
        assert opposite.genre_weights[label] == pytest.approx(-weight, abs=1e-3)


def test_more_evidence_weighs_more() -> None:
    weights = [said(EVEN[:n]).genre_weights["Sci-Fi"] for n in (1, 3, 6, 12)]
    assert weights == sorted(set(weights))


def test_confidence_grows_with_consistent_swipes() -> None:
    for likes, dislikes in ((EVEN, []), ([], ODD)):
        grown = [said(likes[:n], dislikes[:n]).confidence for n in range(25)]
        assert grown == sorted(set(grown))
    both = [said(EVEN[:n], ODD[:n]).confidence for n in range(2, 25)]
    assert both == sorted(set(both))


def test_contradictions_lower_confidence() -> None:
    consistent = said(EVEN[:12], ODD[:12])
    contradictory = said(EVEN[:6] + ODD[:6], EVEN[6:12] + ODD[6:12])
    assert contradictory.signal_count == consistent.signal_count
    assert contradictory.confidence < consistent.confidence
    assert contradictory.search_weights.preference < consistent.search_weights.preference


def test_a_sure_taste_counts_more_in_the_ranking() -> None:
    few, many = said(EVEN[:2], ODD[:2]), said(EVEN[:20], ODD[:20])
    assert many.search_weights.preference > few.search_weights.preference
    assert few.search_weights.preference >= no_preferences("m").search_weights.preference


def test_older_swipes_count_less_in_the_recency_vector_only() -> None:
    old, new = swipes(dict.fromkeys(EVEN[:8], LIKE), 360), swipes(dict.fromkeys(ODD[:8], LIKE), 1)
    taste, at_once = learned([*old, *new]), said(EVEN[:8] + ODD[:8])
    even, odd = (np.mean([ITEMS[i].vector for i in ids], axis=0) for ids in (EVEN[:8], ODD[:8]))
    recency = np.array(taste.vectors["recency"])
    assert recency @ odd > recency @ even
    assert taste.vectors["centroid"] == at_once.vectors["centroid"]
    np.testing.assert_allclose(at_once.vectors["recency"], at_once.vectors["centroid"], atol=1e-5)


def test_a_longer_half_life_forgets_slower() -> None:
    old, new = swipes(dict.fromkeys(EVEN[:8], LIKE), 180), swipes(dict.fromkeys(ODD[:8], LIKE), 0)
    even = np.mean([ITEMS[i].vector for i in EVEN[:8]], axis=0)
    pulls = [
        float(
            np.array(
                learned([*old, *new], RecommenderSettings(taste_half_life_days=days)).vectors[
                    "recency"
                ]
            )
            @ even
        )
        for days in (10, 60, 400)
    ]
    assert pulls == sorted(set(pulls))


@pytest.mark.parametrize("strategy", ["centroid", "recency", "contrastive"])
def test_the_chosen_strategy_serves(strategy: str) -> None:
    settings = RecommenderSettings.model_validate({"preference_vector_strategy": strategy})
    taste = learned(swipes(dict.fromkeys(EVEN[:5], LIKE)), settings)
    assert taste.vectors.keys() == {"centroid", "recency", "contrastive"}
    assert taste.vector is not None
    np.testing.assert_allclose(taste.vector, taste.vectors[strategy], rtol=1e-6)


def test_years_and_popularity_describe_the_likes() -> None:
    taste = said(["f0", "f2", "f4"], ["f50"])
    assert taste.year_centre == 1952
    assert taste.year_spread == pytest.approx(np.std([1950, 1952, 1954]), abs=0.06)
    assert said(EVEN[:3]).popularity_bias < 0 < said(EVEN[-3:]).popularity_bias
    assert said(["f9"]).year_centre is None


def test_swipes_from_the_future_count_as_of_now() -> None:
    ahead = swipes(dict.fromkeys(EVEN[:4], LIKE), days_ago=-5)
    at_once = swipes(dict.fromkeys(EVEN[:4], LIKE), days_ago=0)
    assert learned(ahead) == learned(at_once)


def test_the_hash_says_what_is_believed_not_when() -> None:
    taste = said(EVEN[:6], ODD[:3])

    def altered(**changes: object) -> str:
        return UserPreferences.model_validate(taste.model_dump() | changes).preference_hash

    assert altered() == taste.preference_hash
    assert altered(updated_at=NOW + timedelta(days=9), event_count=99) == taste.preference_hash
    assert altered(genre_weights={"Sci-Fi": 0.1}) != taste.preference_hash
    assert altered(vector_strategy="recency") != taste.preference_hash
    assert altered(model_version="model-2") != taste.preference_hash
    reordered = dict(reversed(taste.genre_weights.items()))
    assert altered(genre_weights=reordered) == taste.preference_hash
