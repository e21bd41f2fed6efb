"""A state that grows by a swipe against one that is read from the whole log."""

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.learner import PreferenceLearner
from recommender.models import SwipeEvent
from recommender.preferences.fold import standing_swipes
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import NewSwipe, Stores
from recommender.users import UserStates
from recommender.vectors import ItemVectors

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["here", "elsewhere", "forgotten elsewhere"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["like", "dislike", "skip", "undo"]),
    ),
    max_size=12,
)


def states_of(stores: Stores) -> UserStates:
    learner = PreferenceLearner(
        Catalogue([]),
        ItemVectors(stores.items),
        stores.preferences,
        RecommenderSettings(),
        "model",
        np.zeros(4, np.float32),
        lambda: NOW,
    )
    return UserStates(stores.swipes, learner)


def append(stores: Stores, film: str, action: str) -> SwipeEvent:
    return stores.swipes.append(NewSwipe("ann", film, action, None, NOW))


@given(STEPS)
def test_a_grown_state_is_that_of_the_whole_log(steps: list[tuple[str, str, str]]) -> None:
    stores = memory_stores()
    states = states_of(stores)
    for where, film, action in steps:
        if where == "forgotten elsewhere":
            stores.swipes.erase("ann")
            continue
        event = append(stores, film, action)
        if where == "elsewhere":
            continue
        state = states.grown(event) or states.after("ann", stores.swipes.events("ann"))
        assert list(state.swipes.items()) == list(
            standing_swipes(stores.swipes.events("ann")).items()
        )
        assert state.version == stores.swipes.version("ann")


def test_a_state_grows_where_all_before_the_swipe_is_known() -> None:
    stores = memory_stores()
    states = states_of(stores)
    states.get("ann")
    assert states.grown(append(stores, "a", "like"))
    assert states.grown(append(stores, "a", "dislike"))
    append(stores, "b", "like")
    assert states.grown(append(stores, "c", "like")) is None


def test_what_was_forgotten_elsewhere_does_not_come_back() -> None:
    stores = memory_stores()
    states = states_of(stores)
    states.get("ann")
    states.grown(append(stores, "secret", "like"))
    stores.swipes.erase("ann")
    append(stores, "a", "like")
    assert states.grown(append(stores, "b", "like")) is None
