"""The catalogue's columns against one-film-at-a-time readings of the same facts."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.errors import UnknownItem
from recommender.models import Filters, Item

GENRES = ("Comedy", "Drama", "Sci-Fi")
PEOPLE = ("Ann", "Bob", "Çiğdem")


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    some = st.lists(st.sampled_from(GENRES), unique=True).map(tuple)
    people = st.lists(st.sampled_from(PEOPLE), unique=True).map(tuple)
    count = draw(st.integers(0, 12))
    return [
        Item(
            item_id=f"f{number}",
            title=f"Film {number}",
            year=draw(st.none() | st.integers(1920, 1930)),
            genres=draw(some),
            director=draw(people),
            cast=draw(people),
            rating_count=draw(st.integers(0, 5)),
            rating_mean=draw(st.none() | st.floats(0.5, 5)),
        )
        for number in range(count)
    ]


@st.composite
def filters(draw: st.DrawFn) -> Filters:
    some = st.lists(st.sampled_from((*GENRES, "Western")), unique=True, max_size=2).map(tuple)
    return Filters(
        include_genres=draw(some),
        exclude_genres=draw(some),
        year_from=draw(st.none() | st.integers(1920, 1925)),
        year_to=draw(st.none() | st.integers(1925, 1930)),
        people=draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=2).map(tuple)),
    )


def passes(item: Item, asked: Filters) -> bool:
    genres, people = set(item.genres), {*item.director, *item.cast}
    if (asked.year_from or asked.year_to) and item.year is None:
        return False
    year = item.year or 0
    return (
        set(asked.include_genres) <= genres
        and not genres & set(asked.exclude_genres)
        and set(asked.people) <= people
        and (asked.year_from or 0) <= year <= (asked.year_to or 9999)
    )


@settings(max_examples=30)
@given(items(), filters(), st.sets(st.sampled_from(["f0", "f3", "gone"])))
def test_allowed_is_what_passes(films: list[Item], asked: Filters, exclude: set[str]) -> None:
    catalogue = Catalogue(films)
    mask = catalogue.allowed(asked, sorted(exclude))
    assert mask.shape == (len(films),)
    assert mask.tolist() == [
        passes(item, asked) and item.item_id not in exclude for item in catalogue.items
    ]


@settings(max_examples=30)
@given(items())
def test_columns_agree_with_the_films(films: list[Item]) -> None:
    catalogue = Catalogue(films)
    assert len(catalogue) == len(films)
    counts = [item.rating_count for item in catalogue.items]
    assert counts == sorted(counts, reverse=True) == catalogue.rating_counts.tolist()
    assert catalogue.years.tolist() == [item.year or 0 for item in catalogue.items]
    assert catalogue.genre_matrix.shape == (len(films), len(catalogue.genres))
    for row, item in enumerate(catalogue.items):
        has = [
            g for g, yes in zip(catalogue.genres, catalogue.genre_matrix[row], strict=True) if yes
        ]
        assert has == sorted(item.genres)
        assert catalogue.get(item.item_id) is item
        assert item.item_id in catalogue


@settings(max_examples=30)
@given(items(), st.integers())
def test_the_order_of_the_file_does_not_matter(films: list[Item], seed: int) -> None:
    shuffled = films.copy()
    random.Random(seed).shuffle(shuffled)
    assert Catalogue(films).items == Catalogue(shuffled).items


@settings(max_examples=30)
@given(items())
def test_popularity_is_the_share_of_films_rated_less_often(films: list[Item]) -> None:
    catalogue = Catalogue(films)
    counts = [item.rating_count for item in catalogue.items]
    wanted = [sum(c < count for c in counts) / max(len(counts) - 1, 1) for count in counts]
    np.testing.assert_allclose(catalogue.popularity, wanted, rtol=1e-6)


def test_acclaim_trusts_many_ratings_more() -> None:
    def film(name: str, count: int, mean: float) -> Item:
        return Item(item_id=name, title=name, rating_count=count, rating_mean=mean)

    catalogue = Catalogue([film("many", 900, 4.5), film("few", 2, 5.0), film("bad", 500, 2.0)])
    by_name = {i.item_id: float(a) for i, a in zip(catalogue.items, catalogue.acclaim, strict=True)}
    assert by_name["many"] > by_name["few"] > by_name["bad"]
    assert 4.4 < by_name["many"] <= 4.5


def test_shares() -> None:
    films = [
        Item(item_id="a", title="A", genres=("Drama",), tags=("x", "x", "y")),
        Item(item_id="b", title="B", genres=("Drama", "Comedy"), tags=("x",)),
    ]
    catalogue = Catalogue(films)
    assert catalogue.genre_shares == {"Comedy": 0.5, "Drama": 1.0}
    assert catalogue.tag_shares == {"x": 1.0, "y": 0.5}


def test_unknown_films() -> None:
    catalogue = Catalogue([Item(item_id="a", title="A")])
    with pytest.raises(UnknownItem, match="zzz"):
        catalogue.get("zzz")
    assert [item.item_id for item in catalogue.select(["zzz", "a", "a"])] == ["a", "a"]


def test_an_empty_catalogue_has_empty_columns() -> None:
    catalogue = Catalogue([])
    assert len(catalogue) == 0
    assert catalogue.genre_matrix.shape == (0, 0)
    assert catalogue.allowed(Filters(include_genres=("Drama",))).tolist() == []
    for column in (catalogue.popularity, catalogue.acclaim, catalogue.years):
        assert column.shape == (0,)


def test_films_share_what_is_the_same_of_all() -> None:
    one, other = (Item(item_id=name, title=name, credit=f"Written {'by'}") for name in "ab")
    assert one.credit is other.credit
    assert one.model_fields_set is other.model_fields_set
    changed = one.model_copy(update={"year": 1999})
    assert (changed.year, one.year) == (1999, None)
    assert changed != one
    assert Item.model_validate(one.model_dump()) == one
