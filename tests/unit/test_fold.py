"""The log's algebra: what stands after likes, second thoughts and undos."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recommender.models import SwipeEvent
from recommender.preferences.fold import standing_swipes

START = datetime(2026, 1, 1, tzinfo=UTC)
LOGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["like", "dislike", "skip", "undo"]),
    ),
    max_size=30,
)


def log(*said: tuple[str, str]) -> list[SwipeEvent]:
    return [
        SwipeEvent.model_validate(
            {
                "event_id": number * 3 + 1,
                "user_id": "ann",
                "item_id": item_id,
                "action": action,
                "session_id": None,
                "swiped_at": START + timedelta(minutes=number),
                "recorded_at": START + timedelta(minutes=number),
            }
        )
        for number, (item_id, action) in enumerate(said)
    ]


def standing(*said: tuple[str, str]) -> list[tuple[str, str]]:
    swipes = standing_swipes(log(*said))
    return [(item_id, swipe.direction.value) for item_id, swipe in swipes.items()]


def by_striking_out(events: list[SwipeEvent]) -> list[int]:
    """The ids of standing events, the slow way: strike lines of the log out, keep what is left."""
    struck: set[int] = set()
    for event in events:
        if event.action == "undo":
            earlier = [
                e.event_id
                for e in events
                if e.event_id < event.event_id
                and e.item_id == event.item_id
                and e.action != "undo"
                and e.event_id not in struck
            ]
            struck.update(earlier[-1:])
    left = [e for e in events if e.action != "undo" and e.event_id not in struck]
    newest = {e.item_id: e.event_id for e in left}
    return sorted(newest.values())


def test_nothing_stands_of_nothing() -> None:
    assert standing() == []


def test_the_later_swipe_wins_and_takes_the_later_place() -> None:
    said = ("a", "like"), ("b", "like"), ("a", "dislike")
    assert standing(*said) == [("b", "like"), ("a", "dislike")]


def test_an_undo_lets_the_earlier_swipe_stand_again_in_its_place() -> None:
    said = ("a", "like"), ("b", "skip"), ("a", "dislike"), ("a", "undo")
    assert standing(*said) == [("a", "like"), ("b", "skip")]


def test_an_undo_of_nothing_does_nothing_later() -> None:
    assert standing(("a", "undo"), ("a", "like")) == [("a", "like")]


def test_a_redo_is_a_new_swipe() -> None:
    swipes = standing_swipes(log(("a", "like"), ("a", "undo"), ("a", "like")))
    assert swipes["a"].event_id == 7
    assert swipes["a"].swiped_at == START + timedelta(minutes=2)


@given(LOGS)
def test_equals_striking_lines_out(said: list[tuple[str, str]]) -> None:
    events = log(*said)
    swipes = standing_swipes(events)
    assert [swipe.event_id for swipe in swipes.values()] == by_striking_out(events)
    assert all(item_id == swipe.item_id for item_id, swipe in swipes.items())


@given(LOGS, st.sampled_from(["like", "dislike", "skip"]), st.sampled_from(["a", "b", "c"]))
def test_swipe_and_undo_cancel(said: list[tuple[str, str]], action: str, item_id: str) -> None:
    assert standing(*said, (item_id, action), (item_id, "undo")) == standing(*said)


@given(LOGS)
def test_films_do_not_meddle_with_each_other(said: list[tuple[str, str]]) -> None:
    alone = [pair for pair in said if pair[0] == "a"]
    assert [pair for pair in standing(*said) if pair[0] == "a"] == standing(*alone)
