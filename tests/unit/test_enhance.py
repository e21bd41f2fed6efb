"""What taste adds to the search: words, a pool of candidates, and field weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models import Item
from recommender.preferences.enhance import HINT_FROM, pool_size, preferred_labels
from recommender.preferences.fields import BOUND, FieldHabits
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import Tier
from recommender.text import FIELDS

LABELS = st.dictionaries(st.text(min_size=1, max_size=8), st.floats(-1, 1), max_size=12)


@given(LABELS, LABELS, st.sampled_from(["light", "personal"]))
def test_only_clearly_preferred_labels_become_words(
    genres: dict[str, float], tags: dict[str, float], tier: Tier
) -> None:
    learned = {"genre_weights": genres, "tag_weights": tags}
    preferences = no_preferences("model").model_copy(update=learned)
    labels = preferred_labels(preferences, tier)
    assert all(max(genres.get(name, -1), tags.get(name, -1)) >= HINT_FROM for name in labels)
    assert len(labels) <= 6
    assert preferred_labels(preferences, "generic") == ()


def test_the_strongest_come_first_and_genres_before_tags() -> None:
    weights = {
        "genre_weights": {"Drama": 0.3, "War": 0.9, "Comedy": 0.6, "Horror": -0.9},
        "tag_weights": {"space": 0.5, "robots": 0.2},
    }
    preferences = no_preferences("model").model_copy(update=weights)
    assert preferred_labels(preferences, "personal") == ("War", "Comedy", "space")


@given(st.integers(1, 500), st.integers(1, 100), st.floats(0, 1), st.floats(0, 1))
def test_the_pool_grows_with_confidence(depth: int, k: int, one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert k <= pool_size(depth, k, low) <= pool_size(depth, k, high) <= max(2 * depth, k)


@pytest.mark.parametrize(("confidence", "size"), [(0.0, 15), (1 / 3, 30), (1.0, 60)])
def test_the_pool_of_thirty(confidence: float, size: int) -> None:
    assert pool_size(30, 10, confidence) == size


@pytest.fixture(scope="module")
def habits(starter_items: list[Item]) -> FieldHabits:
    return FieldHabits(starter_items)


@given(data=st.data())
def test_field_weights_are_bounded_and_know_no_order(
    data: st.DataObject, habits: FieldHabits, starter_items: list[Item]
) -> None:
    liked = data.draw(st.lists(st.sampled_from(starter_items), max_size=30, unique=True))
    weights = habits.weights(liked)
    assert weights == habits.weights(data.draw(st.permutations(liked)))
    assert set(weights) == set(FIELDS)
    assert all(1 / BOUND <= weight <= BOUND for weight in weights.values())


def test_without_two_likes_all_fields_count_as_usual(
    habits: FieldHabits, starter_items: list[Item]
) -> None:
    for liked in ([], starter_items[:1]):
        assert habits.weights(liked) == dict.fromkeys(FIELDS, 1.0)


def test_who_likes_a_directors_films_cares_for_people(
    habits: FieldHabits, starter_items: list[Item]
) -> None:
    hitchcock = [film for film in starter_items if "Alfred Hitchcock" in film.director][:8]
    weights = habits.weights(hitchcock)
    assert len(hitchcock) == 8
    assert max(weights, key=lambda name: weights[name]) == "people"


def test_who_likes_one_genre_cares_more_for_genres_than_who_likes_all(
    habits: FieldHabits, starter_items: list[Item]
) -> None:
    westerns = [film for film in starter_items if "Western" in film.genres][:12]
    mixed = starter_items[:: len(starter_items) // 12][:12]
    assert habits.weights(westerns)["genres"] > habits.weights(mixed)["genres"]
