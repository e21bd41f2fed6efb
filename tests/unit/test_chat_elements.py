"""What the chat's elements are given."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.api import examples
from assistant.chat import elements
from recommender.models import (
    Direction,
    Filters,
    HistoryReceipt,
    IntelligenceMetadata,
    RecommendedItem,
    SearchResult,
    SwipeReceipt,
    Understanding,
)
from tests.unit.scripted_recommender import FILMS, PROFILE

HEAT = FILMS[0]


def recommended(score: float) -> RecommendedItem:
    """Heat with a score."""
    facts = HEAT.model_dump(include=set(RecommendedItem.model_fields))
    return RecommendedItem(**facts, score=score, preference_boost=0.1, reason=("Crime",))


def result(*scores: float, degraded: tuple[str, ...] = ()) -> SearchResult:
    """An answer whose films have these scores."""
    metadata = IntelligenceMetadata(
        embedding_cached=False,
        preference_influence=0,
        confidence_score=0,
        transformer_latency_ms=0,
        strategy="light",
        variant="embedding_fusion",
        degraded=degraded,
    )
    return SearchResult(
        user_id="ann",
        items=tuple(map(recommended, scores)),
        model_version="m",
        cached=False,
        preference_confidence=0,
        understood=Understanding(),
        intelligence_metadata=metadata,
    )


@pytest.mark.parametrize(
    ("understood", "phrases"),
    [
        (Understanding(text="rain"), []),
        (Understanding(similar_to=("6", "gone")), ["like Heat"]),
        (
            Understanding(for_someone_else=True, soft_genres=("Children",)),
            ["for someone else", "leaning Children"],
        ),
        (
            Understanding(
                soft_genres=("Comedy",),
                filters=Filters(
                    include_genres=("War",),
                    exclude_genres=("Horror",),
                    people=("Agnès Varda",),
                    exclude_people=("Tom Cruise",),
                ),
            ),
            ["War", "leaning Comedy", "no Horror", "with Agnès Varda", "no Tom Cruise"],
        ),
        (Understanding(filters=Filters(year_from=1990, year_to=1999)), ["1990–1999"]),
        (Understanding(filters=Filters(year_from=1994, year_to=1994)), ["1994"]),
        (Understanding(filters=Filters(year_from=2000)), ["2000 or later"]),
        (Understanding(filters=Filters(year_to=1950)), ["up to 1950"]),
        (Understanding(without=("disney",), part="early"), ["no disney", "early work"]),
    ],
)
def test_how_words_were_read_is_said_in_phrases(
    understood: Understanding, phrases: list[str]
) -> None:
    assert elements.read_as(understood, {"6": "Heat"}) == phrases


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_a_match_is_a_share_of_the_best_score(scores: list[float]) -> None:
    ordered = sorted(scores, reverse=True)
    matches = [movie["match"] for movie in elements.movie_cards(result(*ordered), {})["movies"]]
    assert all(0 <= match <= 1 for match in matches)
    assert matches == sorted(matches, reverse=True)
    if ordered[0] > 0:
        assert matches[0] == 1


def test_no_films_make_no_cards() -> None:
    assert elements.movie_cards(result(), {})["movies"] == []


def test_fallbacks_are_named_in_words() -> None:
    props = elements.movie_cards(result(1, degraded=("encoder", "search_cache")), {})
    assert props["without"] == ["the language model that reads meaning", "search cache"]


def test_a_card_carries_its_reasons_and_no_identity() -> None:
    (card,) = elements.movie_cards(result(1), {})["movies"]
    assert card["reasons"] == ["Crime"]
    assert "user_id" not in str(elements.movie_cards(result(1), {}))


def test_the_profile_names_the_latest_likes() -> None:
    props = elements.taste_profile(PROFILE)
    assert props["recent_likes"] == ["Heat", "300"]
    assert props["swipes"] == PROFILE.swipe_count


@pytest.mark.parametrize(
    ("status", "counts"),
    [("recorded", Direction.LIKE), ("undone", None), ("undone", Direction.DISLIKE)],
)
def test_a_reaction_shows_what_counts_now(status: str, counts: Direction | None) -> None:
    receipt = SwipeReceipt.model_validate(
        {
            "status": status,
            "preferences_updated": True,
            "swipe_count": 1,
            "item_id": "6",
            "direction": "like",
        }
    )
    assert elements.reaction(receipt, HEAT, counts)["direction"] == counts


def test_an_export_shows_as_recorded_while_its_swipes_stand() -> None:
    heat = {"item_id": "6", "title": "Heat", "year": 1995, "direction": "like"}
    match = heat | {"matched_by": "title", "score": 1.0, "named": "Heat", "swiped_at": None}
    receipt = HistoryReceipt.model_validate(examples.HISTORY_RECEIPT | {"matches": [match]})
    props = elements.history_import(receipt, "file-1")
    assert (props["likes"], props["dislikes"], props["unmatched_count"]) == (1, 0, 1)
    assert not props["recorded"]
    for reactions, recorded in (
        ({}, False),
        ({"6": Direction.LIKE}, True),
        ({"6": Direction.DISLIKE}, False),
    ):
        assert elements.renewed(props, PROFILE, reactions)["recorded"] is recorded


def test_every_drawing_of_an_element_has_a_name_of_its_own() -> None:
    props = elements.drawn(elements.taste_profile(PROFILE))
    assert elements.renewed(props, PROFILE, {})["drawn"] != props["drawn"]
    assert elements.drawn({})["drawn"] != props["drawn"]


def test_of_long_exports_the_first_films_are_listed() -> None:
    [match] = examples.HISTORY_RECEIPT["matches"]
    matches = [match | {"item_id": str(number)} for number in range(300)]
    receipt = HistoryReceipt.model_validate(examples.HISTORY_RECEIPT | {"matches": matches})
    props = elements.history_import(receipt, "file-1")
    assert (len(props["matches"]), props["likes"]) == (elements.LISTED, 300)


@given(st.text())
def test_escaped_text_is_the_same_text_to_a_markdown_reader(text: str) -> None:
    escape = re.compile(r"\\([!-/:-@\[-`{-~])")  # a backslash before ASCII punctuation
    assert escape.sub(r"\1", elements.plain(text)) == text


def test_titles_with_stars_read_as_they_are() -> None:
    assert elements.plain("M*A*S*H") == r"M\*A\*S\*H"
