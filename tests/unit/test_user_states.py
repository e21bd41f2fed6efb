"""A state that grows by a swipe against one that is read from the whole log."""

from datetime import UTC, datetime
from unittest.mock import Mock

import numpy as np
import pytest
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
        st.sampled_from(["here", "read here", "elsewhere", "forgotten elsewhere"]),
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
        if where == "read here":
            state = states.get("ann")
        else:
            state = states.grown(event) or states.after("ann", stores.swipes.events("ann"))
        assert list(state.swipes.items()) == list(
            standing_swipes(stores.swipes.events("ann")).items()
        )
        assert state.version == stores.swipes.version("ann")


def test_a_state_grows_by_what_was_swiped_since(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = memory_stores()
    read = Mock(wraps=stores.swipes.events)
    monkeypatch.setattr(stores.swipes, "events", read)
    states = states_of(stores)

    def read_after() -> list[int]:
        return [call.args[1] for call in read.call_args_list if len(call.args) == 2]

    states.get("ann")
    assert states.grown(append(stores, "a", "like"))
    assert states.grown(last := append(stores, "a", "dislike"))
    assert read_after() == []
    append(stores, "b", "like")
    assert states.grown(newest := append(stores, "c", "like"))
    append(stores, "d", "like")
    assert len(states.get("ann").swipes) == 4
    assert read_after() == [last.event_id, newest.event_id]


def test_a_swipe_that_is_not_the_latest_is_looked_up_in_the_log() -> None:
    stores = memory_stores()
    states = states_of(stores)
    states.get("ann")
    earlier = append(stores, "a", "like")
    append(stores, "b", "like")
    assert states.grown(earlier) is None


def test_what_was_forgotten_elsewhere_does_not_come_back() -> None:
    stores = memory_stores()
    states = states_of(stores)
    states.get("ann")
    states.grown(append(stores, "secret", "like"))
    stores.swipes.erase("ann")
    append(stores, "a", "like")
    assert states.grown(append(stores, "b", "like")) is None
