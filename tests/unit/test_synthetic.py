"""Films put together from others."""

import numpy as np
import pytest

from recommender.evaluation.synthetic import Vectors, synthetic_films
from recommender.models import Item
from recommender.text import words

COUNT = 4_000


@pytest.fixture(scope="module")
def vectors(starter_items: list[Item]) -> Vectors:
    rows = np.random.default_rng(1).standard_normal((len(starter_items), 32), dtype=np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def made(starter_items: list[Item], vectors: Vectors) -> tuple[list[Item], Vectors]:
    return synthetic_films(starter_items, vectors, COUNT)


def test_the_real_films_come_first_as_they_are(
    made: tuple[list[Item], Vectors], starter_items: list[Item], vectors: Vectors
) -> None:
    films, rows = made
    assert films[: len(starter_items)] == starter_items
    np.testing.assert_array_equal(rows[: len(starter_items)], vectors)


def test_each_has_an_id_and_a_title_of_its_own_and_a_place_of_its_own(
    made: tuple[list[Item], Vectors], starter_items: list[Item]
) -> None:
    films, rows = made
    real = {film.title for film in starter_items}
    titles = [film.title for film in films[len(starter_items) :]]
    assert len({film.item_id for film in films}) == len(films) == COUNT
    assert len({*titles} - real) == len(titles)
    assert rows.shape == (COUNT, 32)
    assert len(np.unique(rows, axis=0)) == COUNT
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)


def test_every_word_is_one_of_the_real_films(
    made: tuple[list[Item], Vectors], starter_items: list[Item]
) -> None:
    def said(film: Item) -> set[str]:
        return {*words(" ".join((film.title, film.overview, *film.tags, *film.people)))}

    known = set().union(*map(said, starter_items))
    synthetic = made[0][len(starter_items) :]
    assert set().union(*map(said, synthetic)) <= known
    assert all(film.overview and film.genres for film in synthetic)


def test_the_same_seed_makes_the_same_films(
    made: tuple[list[Item], Vectors], starter_items: list[Item], vectors: Vectors
) -> None:
    again = synthetic_films(starter_items, vectors, COUNT)
    assert again[0] == made[0]
    np.testing.assert_array_equal(again[1], made[1])
    assert synthetic_films(starter_items, vectors, COUNT, seed=1)[0] != made[0]


def test_fewer_films_than_there_are_are_the_first(
    starter_items: list[Item], vectors: Vectors
) -> None:
    films, rows = synthetic_films(starter_items, vectors, 7)
    assert films == starter_items[:7]
    np.testing.assert_array_equal(rows, vectors[:7])
