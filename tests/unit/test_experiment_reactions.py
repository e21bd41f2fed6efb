"""Which swipes count as reactions to what an experiment showed, and for whom."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.experiments.reactions import Side, Tally, tally
from recommender.experiments.variants import ShownVariant, Variant
from recommender.models import Exposure, SwipeEvent
from recommender.preferences.fold import standing_swipes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GENERIC, FUSED = Side("generic", False), Side("embedding_fusion", False)


def shown(
    minute: float,
    *item_ids: str,
    variant: ShownVariant = "generic",
    teams: tuple[Variant | None, ...] | None = None,
) -> Exposure:
    return Exposure(
        exposure_id=round(minute) + 1,
        experiment="e",
        user_id="ann",
        variant=variant,
        item_ids=item_ids,
        teams=teams,
        shown_at=NOON + timedelta(minutes=minute),
    )


def said(*events: tuple[float, str, str]) -> list[SwipeEvent]:
    """Events from (minute, film, action), in this order."""
    return [
        SwipeEvent.model_validate(
            {
                "event_id": number,
                "user_id": "ann",
                "item_id": item_id,
                "action": action,
                "session_id": None,
                # What a client says of the time is no evidence of what it had seen.
                "swiped_at": NOON - timedelta(days=1),
                "recorded_at": NOON + timedelta(minutes=minute),
            }
        )
        for number, (minute, item_id, action) in enumerate(events, 1)
    ]


def test_likes_and_dislikes_of_shown_films_count() -> None:
    events = said((1, "a", "like"), (2, "b", "dislike"), (3, "c", "skip"), (4, "z", "like"))
    counted = tally([shown(0, "a", "b", "c", "d")], events)
    assert counted == {GENERIC: Tally(exposures=1, films=4, likes=1, dislikes=1)}


@pytest.mark.parametrize(
    ("minute", "likes"), [(-0.1, 0), (0, 1), (59, 1), (60, 1), (60.1, 0), (9999, 0)]
)
def test_only_within_the_window(minute: float, likes: int) -> None:
    counted = tally([shown(0, "a")], said((minute, "a", "like")), timedelta(hours=1))
    assert counted[GENERIC].likes == likes


def test_an_opinion_counts_once_for_the_latest_showing_before_it() -> None:
    exposures = [
        shown(0, "a"),
        shown(10, "a", variant="embedding_fusion"),
        shown(20, "b"),
        shown(30, "a"),
    ]
    counted = tally(exposures, said((25, "a", "like")))
    assert counted[FUSED] == Tally(exposures=1, films=1, likes=1)
    assert counted[GENERIC] == Tally(exposures=3, films=3)


def test_what_was_taken_back_or_changed_counts_as_it_stands() -> None:
    exposures = [shown(0, "a", "b", "c")]
    undone = said((1, "a", "like"), (2, "a", "undo"))
    changed = said((1, "b", "like"), (2, "b", "dislike"))
    again = said((1, "c", "dislike"), (2, "c", "undo"), (3, "c", "like"))
    assert tally(exposures, undone)[GENERIC] == Tally(1, 3, 0, 0)
    assert tally(exposures, changed)[GENERIC] == Tally(1, 3, 0, 1)
    assert tally(exposures, again)[GENERIC] == Tally(1, 3, 1, 0)


def test_an_opinion_from_before_says_nothing_of_the_answer() -> None:
    events = said((-5, "a", "like"), (1, "a", "dislike"), (2, "a", "undo"))
    assert tally([shown(0, "a")], events)[GENERIC] == Tally(1, 1, 0, 0)


def test_an_interleaved_answer_credits_who_drafted_the_film() -> None:
    answer = shown(
        0, "a", "b", "c", "d",
        variant="interleaved",
        teams=("generic", "embedding_fusion", "embedding_fusion", None),
    )  # fmt: skip
    events = said((1, "a", "dislike"), (2, "b", "like"), (3, "c", "like"), (4, "d", "like"))
    assert tally([answer], events) == {
        Side("generic", True): Tally(exposures=1, films=1, dislikes=1),
        Side("embedding_fusion", True): Tally(exposures=1, films=2, likes=2),
    }


def test_an_answer_without_films_is_an_exposure() -> None:
    assert tally([shown(0)], []) == {GENERIC: Tally(exposures=1)}
    assert tally([shown(0, variant="interleaved", teams=())], []) == {}
    assert tally([], said((1, "a", "like"))) == {}


moments = st.integers(0, 50)
film_ids = st.sampled_from("abcdef")
answers = st.lists(st.tuples(moments, st.lists(film_ids, unique=True)), max_size=6)
actions = st.sampled_from(["like", "dislike", "skip", "undo"])


@given(answers, st.lists(st.tuples(moments, film_ids, actions), max_size=20))
def test_each_standing_opinion_of_a_film_shown_before_counts_once(
    answers: list[tuple[int, list[str]]], swipes: list[tuple[int, str, str]]
) -> None:
    exposures = [shown(minute, *films) for minute, films in sorted(answers)]
    events = said(*sorted(swipes, key=lambda swipe: swipe[0]))
    counted = tally(exposures, events).get(GENERIC, Tally())
    recorded = {event.event_id: event.recorded_at for event in events}
    counting = Counter(
        swipe.direction.value
        for film, swipe in standing_swipes(events).items()
        if any(film in e.item_ids and e.shown_at <= recorded[swipe.event_id] for e in exposures)
    )
    assert (counted.likes, counted.dislikes) == (counting["like"], counting["dislike"])
    assert counted.exposures == len(exposures)
    assert counted.films == sum(len(e.item_ids) for e in exposures)


def test_like_rate_is_per_exposure() -> None:
    assert Tally(exposures=4, films=40, likes=6).like_rate == 1.5
