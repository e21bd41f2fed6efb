"""For whom a film is asked, read from queries as people type them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.indexer import read_items
from recommender.query import QueryReader

STARTER = Path(__file__).parents[2] / "recommender" / "catalog" / "starter.jsonl"
CATALOGUE = Catalogue(read_items(STARTER))
READER = QueryReader(CATALOGUE)

FOR_SOMEONE_ELSE = {
    "for my kids": "",
    "something for my kids": "",
    "a comedy for my parents tonight": "comedy",
    "for a friend": "",
    "a film for someone else": "",
    "something for my daughter's birthday": "",
    "for my 6 year old": "",
    "for a six-year-old": "",
    "for my 15 year old son": "",
    "a thriller for my dad": "thriller",
    "something for her birthday": "",
    "something for him": "",
    "for mum and dad": "",
    "for my mum and my dad, something funny": "funny",
    "something like Alien for my brother": "",
    "as a gift for my sister who loves westerns": "loves westerns",
    "90s romances for my girlfriend": "romances",
    "a quiet film for my grandmother": "quiet",
    "something for the kids to watch": "",
    "films with Tom Hanks for my father-in-law": "",
    "For My Best Friend": "",
    "suitable for my little ones": "",
    "for my wife and kids": "",
    "a scary movie for a friend's birthday party": "scary",
    "for other people": "",
    "pick something for our guests": "",
    "a film about dragons for my kids": "dragons",
    "my flatmate wants something weird": "weird",
}

FOR_ONESELF = [
    "",
    "for",
    "for kids",
    "films for children",
    "family film",
    "for the whole family",
    "for my taste",
    "for my birthday",
    "for my mood",
    "for me",
    "for us",
    "for you",
    "for my kids and me",
    "for my wife and I",
    "to watch with my mum",
    "with my kids",
    "For a Few Dollars More",
    "A Room for Romeo Brass",
    "To Die For",
    "V for Vendetta",
    "My Best Friend's Wedding",
    "with my own two hands",
    "a man with my face",
    "All About My Mother",
    '"for my father"',
    "asking for a friend",
    "searching for my daughter",
    "a woman looking for her father",
    "a mother who steals for her children",
    "a film about a man who dies for a friend",
    "a dog that waits for him",
    "boy falls for his best friend",
    "not for my kids",
    "too scary for my kids",
    "for someone who loves jazz",
    "a movie for a first date",
    "for a rainy day",
]


@pytest.mark.parametrize(("query", "text"), FOR_SOMEONE_ELSE.items())
def test_a_film_for_someone_else(query: str, text: str) -> None:
    """It is understood, and the words that say it leave the text."""
    understood = READER.read(query)
    assert understood.for_someone_else
    assert understood.text == text


@pytest.mark.parametrize("query", FOR_ONESELF)
def test_a_film_for_oneself(query: str) -> None:
    assert not READER.read(query).for_someone_else


@pytest.mark.parametrize(
    ("query", "childrens"),
    [
        ("for my kids", True),
        ("for our children", True),
        ("for the little ones", True),
        ("for my 6 year old", True),
        ("for my twelve-year-old daughter", True),
        ("for my wife and kids", True),
        ("for my 13 year old", False),
        ("for my grown up children", False),
        ("for my parents", False),
        ("for a friend", False),
    ],
)
def test_for_the_young_there_are_childrens_films(query: str, childrens: bool) -> None:
    understood = READER.read(query)
    assert understood.for_someone_else
    assert ("Children" in understood.filters.include_genres) is childrens


@pytest.mark.parametrize(
    ("query", "include", "soft"),
    [
        ("a comedy for my kids", {"Children", "Comedy"}, set()),
        ("a funny film for my kids", {"Children"}, {"Comedy"}),
        ("a thriller for my kids", {"Children"}, {"Thriller"}),
        ("a western for the little ones", {"Children"}, {"Western"}),
        ("a comedy with my kids", {"Comedy"}, {"Children"}),
    ],
)
def test_what_the_young_want_is_sought_among_childrens_films(
    query: str, include: set[str], soft: set[str]
) -> None:
    understood = READER.read(query)
    assert set(understood.filters.include_genres) == include
    assert set(understood.soft_genres) == soft


def test_where_hardly_any_film_is_for_children_it_leans_to_these() -> None:
    few = [item for item in CATALOGUE.items if "Children" in item.genres][:3]
    others = (item for item in CATALOGUE.items if "Children" not in item.genres)
    understood = QueryReader(Catalogue([*few, *others])).read("for my kids")
    assert understood.filters.include_genres == ()
    assert understood.soft_genres == ("Children",)


@pytest.mark.parametrize(
    ("query", "text", "young"),
    [
        ("a movie with my girlfriend tonight", "", False),
        ("a thriller to watch with my wife", "thriller", False),
        ("something with my kids", "", True),
        ("something to watch with the kids", "", True),
        ("a western for my dad and me", "western", False),
        ("films with my grandma and my mum", "", False),
    ],
)
def test_what_is_watched_together_is_for_the_person_too(query: str, text: str, young: bool) -> None:
    """Whoever comes along is no word to look for."""
    understood = READER.read(query)
    assert not understood.for_someone_else
    assert understood.text == text
    assert ("Children" in understood.soft_genres) is young


@pytest.mark.parametrize(
    ("query", "less"),
    [
        ("for my parents tonight", ("gory", "scary")),
        ("a comedy for mum and dad", ("gory", "scary")),
        ("for my kids", ("gory", "scary")),
        ("something less sad for my grandmother", ("sad", "gory", "scary")),
        ("for my wife", ()),
        ("for a friend", ()),
        ("for my 15 year old son", ()),
        ("horror for mum and dad", ()),
        ("a thriller for my dad", ()),
        ("something scary for my dad", ()),
        ("something bloody for my grandfather", ()),
        ("something like Alien for my father", ()),
    ],
)
def test_for_elders_and_children_it_is_gentle_unless_they_want_otherwise(
    query: str, less: tuple[str, ...]
) -> None:
    assert READER.read(query).less == less


def test_a_catalogue_without_childrens_films_leans_to_none() -> None:
    grown_up = (item for item in CATALOGUE.items if "Children" not in item.genres)
    understood = QueryReader(Catalogue(grown_up)).read("for my kids")
    assert (understood.for_someone_else, understood.soft_genres) == (True, ())


def test_a_refusal_of_childrens_films_stands() -> None:
    understood = READER.read("for my kids, but no childrens movies")
    assert understood.for_someone_else
    assert understood.filters.exclude_genres == ("Children",)
    assert understood.soft_genres == ()


def test_a_film_that_is_named_is_found_for_someone_else_too() -> None:
    understood = READER.read("Finding Nemo for my kids")
    assert understood.for_someone_else
    assert understood.lookup is not None
    assert CATALOGUE.get(understood.lookup).title == "Finding Nemo"


WORDS = st.sampled_from(
    "for my our the a her kids friend mum dad and me someone else 6 year old not too who birthday "
    "little Alien funny , .".split()
)


@given(st.lists(WORDS, max_size=9))
def test_any_words_are_read(words: list[str]) -> None:
    """Only words of the query are in the text, and without a "for" it is for oneself."""
    query = " ".join(words)
    understood = READER.read(query)
    assert set(understood.text.split()) <= set(query.split()) | {"lighthearted"}
    assert "for" in words or not understood.for_someone_else
