"""What a profile believes, and the swipes it names for it."""

from datetime import UTC, datetime

import pytest

from recommender.catalogue import Catalogue
from recommender.models import Belief, Direction, Item, Profile, Swipe
from recommender.preferences.learn import no_preferences
from recommender.profile import describe
from recommender.stores.ports import LogVersion
from recommender.users import UserState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILMS = [
    Item(item_id="alien", title="Alien", genres=("Horror", "Sci-Fi"), tags=("space",)),
    Item(item_id="arrival", title="Arrival", genres=("Sci-Fi",), tags=("space",)),
    Item(item_id="cats", title="Cats", genres=("Musical",)),
    Item(item_id="solaris", title="Solaris", genres=("Sci-Fi",)),
]
SWIPES = {"alien": "like", "arrival": "dislike", "cats": "dislike", "solaris": "skip"}


@pytest.fixture
def profile() -> Profile:
    """Of somebody with one swipe of each kind on science fiction, and one on a musical."""
    preferences = no_preferences("m").model_copy(
        update={
            "genre_weights": {"Sci-Fi": 0.5, "Musical": -0.4, "Drama": 0.02},
            "tag_weights": {"space": 0.3},
        }
    )
    swipes = {
        item_id: Swipe(item_id=item_id, direction=Direction(word), swiped_at=NOW, event_id=number)
        for number, (item_id, word) in enumerate(SWIPES.items(), 1)
    }
    state = UserState("ann", LogVersion(1, 4, 4), swipes, preferences)
    return describe(state, "light", Catalogue(FILMS), 8)


def test_decades_are_believed_in_by_the_films_swiped_of_them() -> None:
    films = [Item(item_id=str(year), title=str(year), year=year) for year in range(1960, 2020, 2)]
    liked, disliked = ("1990", "1992", "1994"), ("1970", "1972", "2004")
    swipes = {
        item_id: Swipe(item_id=item_id, direction=direction, swiped_at=NOW, event_id=1)
        for item_ids, direction in ((liked, Direction.LIKE), (disliked, Direction.DISLIKE))
        for item_id in item_ids
    }
    state = UserState("ann", LogVersion(1, 1, 6), swipes, no_preferences("m"))
    eras = describe(state, "light", Catalogue(films), 8).beliefs
    assert [(each.kind, each.name) for each in eras] == [("era", "1990s"), ("era", "1970s")]
    assert eras[0].weight > 0 > eras[1].weight
    assert [film.title for film in eras[0].films] == list(liked)
    assert eras[0].sureness == 0.6


def belief(profile: Profile, name: str) -> Belief:
    """The belief of that name."""
    return next(each for each in profile.beliefs if each.name == name)


def test_every_figure_shown_is_a_belief(profile: Profile) -> None:
    shown = (*profile.top_genres, *profile.avoided_genres, *profile.top_tags)
    assert [(each.name, each.weight) for each in profile.beliefs] == [
        (each.name, each.weight) for each in shown
    ]
    assert [each.kind for each in profile.beliefs] == ["genre", "genre", "theme"]


def test_a_belief_names_the_likes_and_dislikes_that_bear_on_it_and_no_skips(
    profile: Profile,
) -> None:
    films = belief(profile, "Sci-Fi").films
    assert [(film.title, film.direction.value) for film in films] == [
        ("Alien", "like"),
        ("Arrival", "dislike"),
    ]
    assert [film.title for film in belief(profile, "Musical").films] == ["Cats"]
    assert len(belief(profile, "space").films) == 2


def test_more_films_make_a_belief_surer(profile: Profile) -> None:
    assert belief(profile, "Musical").sureness == pytest.approx(1 / 3, abs=1e-3)
    assert belief(profile, "Sci-Fi").sureness == pytest.approx(2 / 4)
