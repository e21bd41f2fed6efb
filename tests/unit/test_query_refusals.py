"""What a query wants less of."""

import pytest

from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.query import QueryReader
from recommender.query.refusals import tags_refused


@pytest.fixture(scope="module")
def reader(starter_items: list[Item]) -> QueryReader:
    return QueryReader(Catalogue(starter_items))


@pytest.mark.parametrize(
    ("said", "less", "left"),
    [
        ("something like Arrival, less sad", ("sad",), {"sad", "less"}),
        ("a horror film, not too gory", ("gory",), {"gory", "not"}),
        ("less violent and less scary", ("gory", "scary"), {"violent", "scary"}),
        ("nothing too depressing", ("sad",), {"depressing"}),
        ("a bit less weird", ("weird",), {"weird"}),
        ("too slow", ("slow",), {"slow"}),
        ("something scary but not gory", ("gory",), {"gory", "not"}),
        ("nothing violent", ("gory",), {"violent"}),
    ],
)
def test_what_is_refused_is_no_longer_looked_for(
    reader: QueryReader, said: str, less: tuple[str, ...], left: set[str]
) -> None:
    understood = reader.read(said)
    assert understood.less == less
    assert not left & {*understood.text.lower().split()}


@pytest.mark.parametrize("said", ["a sad film", "less is more", "scary but good", "no horror"])
def test_other_words_are_not_refused(reader: QueryReader, said: str) -> None:
    assert reader.read(said).less == ()


def test_each_word_stands_for_tags_that_films_have(starter_items: list[Item]) -> None:
    tags = {tag for item in starter_items for tag in item.tags}
    for word in ("sad", "scary", "gory", "dark", "slow", "weird", "silly", "childish", "cheesy"):
        assert len(tags_refused((word,)) & tags) >= 4, word
    assert tags_refused(("no such word",)) == frozenset()
