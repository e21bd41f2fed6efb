"""The parts that a query is read with: words, phrases, spelling, years, titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.models import Filters, Item
from recommender.query.lexicon import Phrases
from recommender.query.people import PersonIndex
from recommender.query.spelling import Spellings
from recommender.query.titles import TitleIndex, title_key
from recommender.query.words import Span, Words, fold, keys_of
from recommender.query.years import combine

SMALL = Catalogue(
    [
        Item(item_id="1", title="The Long Road", director=("Ann Lee",), cast=("Bo Lee",)),
        Item(item_id="2", title="The Long Road: Part Two", director=("Ann Lee", "Cy Lee")),
        Item(item_id="3", title="Road", director=("Ida Ozu",), rating_count=9),
        Item(item_id="4", title="Home", director=("Cy Lee",)),
    ]
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Amélie!", "amelie"), ("WALL·E", "walle"), ("L'Été", "lete"), ("Alien³", "alien3"), ("", "")],
)
def test_fold(written: str, folded: str) -> None:
    """Case, diacritics and punctuation do not matter."""
    assert fold(written) == folded


@given(st.text())
def test_text_of_untouched_words_is_as_written(text: str) -> None:
    """Words put together again are a part of what was written, white space aside."""
    assert Words.parse(text).text() in " ".join(text.split())


def test_semicolons_part_words() -> None:
    words = Words.parse("a; b c;; d")
    assert [words.window(part) for part in words.parts()] == [("a",), ("b", "c"), ("d",)]


def test_taken_words_are_a_barrier() -> None:
    """Nothing is matched across a word that was taken, and it leaves a space."""
    words = Words.parse("a very long road").take([Span(1, 2)])
    assert words.text() == "a long road"
    assert words.window(Span(0, 3)) == ()
    assert words.following(2, 5) == ("long", "road")


@pytest.mark.parametrize("query", ["sci-fi", "sci fi", "scifi", "Sci Fi!"])
def test_phrases_match_however_they_are_joined(query: str) -> None:
    """A hyphen, a space or nothing between the words of a phrase are the same."""
    words = Words.parse(query)
    assert Phrases({"sci fi": 1}).starting(words, 0) == (Span(0, len(words)), 1)


def test_spellings_prefer_the_nearest_name() -> None:
    """The fewest typing errors win; a swap of neighbours is one."""
    spellings = Spellings(["inception", "interception"])
    assert spellings.nearest("incpetion", 1) == "inception"
    assert spellings.nearest("xception", 2) is None


def test_numerals_of_titles_are_one_spelling() -> None:
    """ "Part II", "Part Two" and "2" are the same."""
    keys = {title_key(keys_of(t)) for t in ("Road: Part II", "Road Part Two", "road 2")}
    assert keys == {"road2"}


def test_the_most_exact_title_wins() -> None:
    """A popular short title does not stand in for the longer one that was written."""
    index = TitleIndex(SMALL, frozenset())
    assert [item.item_id for item in index.exact(("long", "road"))] == ["1"]
    assert [item.item_id for item in index.exact(("long", "road", "2"))] == ["2"]
    assert index.longest(("the", "long", "road", "home"))[0] == 3


def test_a_surname_needs_one_person_to_dominate() -> None:
    """A surname is one person's if their credits clearly outweigh the others'."""
    people = PersonIndex(SMALL)
    assert people.dominant("ozu", "any") == "Ida Ozu"
    assert people.dominant("lee", "cast") == "Bo Lee"
    assert people.dominant("lee", "director") is None
    assert people.dominant("nobody", "any") is None


YEAR = st.none() | st.integers(1880, 2099)
RANGE = st.tuples(YEAR, YEAR).filter(
    lambda years: years[0] is None or years[1] is None or years[0] <= years[1]
)


@given(st.lists(RANGE, max_size=4))
def test_combined_years_make_valid_filters(ranges: list[tuple[int | None, int | None]]) -> None:
    """However contradictory the years asked for, the filter is in order."""
    first, last = combine(ranges)
    assert Filters(year_from=first, year_to=last)


def test_years_overlap() -> None:
    """Two conditions hold together where they can."""
    assert combine([(1980, None), (None, 1990)]) == (1980, 1990)
    assert combine([(1970, 1979), (1980, 1989)]) == (1970, 1989)
    assert combine([(1980, 1989), (None, None)]) == (1980, 1989)


def test_years_apart_are_not_turned_round() -> None:
    """Alternatives that lie apart limit nothing but what all of them leave out."""
    assert combine([(None, 1979), (2016, None)]) == (None, None)
    assert combine([(None, 1959), (1990, 1999)]) == (None, 1999)
    assert combine([(1950, 1959), (1990, None)]) == (1950, None)
