"""Which cards a survey shows."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.models import Item
from recommender.survey import curate


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def small() -> Catalogue:
    return Catalogue(
        Item(
            item_id=f"f{number}",
            title=f"Film {number}",
            year=1950 + number * 3 if number % 4 else None,
            genres=("Drama", "Comedy", "Horror")[: number % 4],
            rating_count=number,
            rating_mean=3.0 if number else None,
        )
        for number in range(23)
    )


@settings(max_examples=60)
@given(data=st.data(), seed=st.integers())
def test_distinct_unswiped_and_as_many_as_asked(
    small: Catalogue, data: st.DataObject, seed: int
) -> None:
    ids = [item.item_id for item in small.items]
    swiped = data.draw(st.lists(st.sampled_from(ids), unique=True, max_size=22))
    size = data.draw(st.integers(1, len(small) - len(swiped)))
    cards = curate(small, [*swiped, "a film that is gone"], size, seed)
    assert len(cards) == len(set(cards)) == size
    assert set(cards) <= set(ids) - set(swiped)
    assert curate(small, swiped, size, seed) == cards


def test_every_film_can_be_asked_for(catalogue: Catalogue) -> None:
    cards = curate(catalogue, [], len(catalogue), seed=1)
    assert sorted(cards) == sorted(catalogue.rows)


def test_the_seed_varies_the_cards(catalogue: Catalogue) -> None:
    assert len({curate(catalogue, [], 20, seed) for seed in range(10)}) == 10


def test_who_swiped_everything_but_one_gets_that_one(catalogue: Catalogue) -> None:
    *swiped, last = catalogue.rows
    assert curate(catalogue, swiped, 1, seed=5) == (last,)


@pytest.mark.parametrize("size", [0, -3, 24, 10_000])
def test_impossible_sizes_say_what_is_possible(small: Catalogue, size: int) -> None:
    with pytest.raises(InvalidRequest, match=r"between 1 and 23.*was " + str(size)):
        curate(small, [], size, seed=1)


def test_nothing_left_to_show(small: Catalogue) -> None:
    with pytest.raises(InvalidRequest):
        curate(small, list(small.rows), 1, seed=1)


def test_films_without_genres_and_years_can_be_shown() -> None:
    bare = Catalogue(Item(item_id=str(n), title="T") for n in range(5))
    assert sorted(curate(bare, [], 5, seed=1)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("seed", range(12))
def test_twenty_cards_span_genres_eras_and_fame(catalogue: Catalogue, seed: int) -> None:
    films = catalogue.select(curate(catalogue, [], 20, seed))
    genres = Counter(genre for film in films for genre in film.genres)
    decades = {(film.year or 0) // 10 for film in films}
    fame = [catalogue.popularity[catalogue.rows[film.item_id]] for film in films]
    assert len(genres) >= 12
    assert genres.most_common(1)[0][1] <= 14
    assert len(decades) >= 5
    assert sum(share > 0.5 for share in fame) >= 12
    assert any(share < 0.8 for share in fame)
