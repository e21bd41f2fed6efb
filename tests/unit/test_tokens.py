"""Words and swipes as one text: never longer than its limits, the latest first."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.tokens import MAX_DISLIKES, MAX_LIKES, MAX_QUERY_CHARS, RECENT_DAYS, as_text, film_text

VECTOR = np.zeros(384, dtype=np.float32)
HEADINGS = ("[QUERY]", "[FOR SOMEONE ELSE]", "[LIKES NOW]", "[LIKES]", "[DISLIKES]")


def swiped(number: int, liked: bool, days_ago: float) -> SwipedFilm:
    return SwipedFilm(f"{number}", f"<{number}>", VECTOR, liked, days_ago)


@st.composite
def requests(draw: st.DrawFn) -> FusionInput:
    """Any query and any number of swipes, oldest first."""
    days = sorted(draw(st.lists(st.floats(0, 400), max_size=60)), reverse=True)
    swipes = tuple(swiped(k, draw(st.booleans()), ago) for k, ago in enumerate(days))
    return FusionInput(draw(st.text(max_size=1000)), swipes, draw(st.booleans()))


def shown(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"<(\d+)>", text)]


@given(requests())
def test_the_latest_likes_and_dislikes_are_told_and_no_more(asked: FusionInput) -> None:
    words_apart = FusionInput("", asked.swipes, asked.for_someone_else)
    numbers = shown(as_text(words_apart))
    likes = [k for k, film in enumerate(asked.swipes) if film.liked]
    dislikes = [k for k, film in enumerate(asked.swipes) if not film.liked]
    latest = likes[::-1][:MAX_LIKES] + dislikes[::-1][:MAX_DISLIKES]
    assert numbers == latest


@given(requests())
def test_the_text_is_never_longer_than_its_limits(asked: FusionInput) -> None:
    longest = MAX_QUERY_CHARS + sum(map(len, HEADINGS)) + (MAX_LIKES + MAX_DISLIKES) * 8
    assert len(as_text(asked)) <= longest


@given(requests())
def test_headings_stand_where_there_is_something_to_tell(asked: FusionInput) -> None:
    text = as_text(FusionInput("heist" if asked.query else "", asked.swipes))
    recent = [film for film in asked.swipes if film.liked and film.days_ago < RECENT_DAYS]
    assert ("[LIKES NOW]" in text) == bool(recent)
    assert ("[DISLIKES]" in text) == any(not film.liked for film in asked.swipes)
    assert ("[QUERY]" in text) == bool(asked.query or not asked.swipes)


@pytest.mark.parametrize("query", ["", "  ", "\n\t"])
def test_nothing_said_still_makes_a_text(query: str) -> None:
    assert as_text(FusionInput(query)) == "[QUERY]"


def test_the_parts_have_an_order() -> None:
    swipes = (swiped(1, True, 9), swiped(2, False, 8), swiped(3, True, 0.5))
    assert as_text(FusionInput("a heist", swipes, for_someone_else=True)) == (
        "[QUERY] a heist [FOR SOMEONE ELSE] [LIKES NOW] <3> [LIKES] <1> [DISLIKES] <2>"
    )


def test_a_film_is_told_by_title_and_year() -> None:
    assert film_text("Heat", 1995) == "Heat (1995)"
    assert film_text("Heat", None) == "Heat"
