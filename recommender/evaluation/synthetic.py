"""More films than the catalogue has, put together from its words: to measure what many films cost.

Each has a title, an overview, tags and people of its own, made of real ones' halves, so that words
are as frequent as among real films. Its vector is that of the film it takes after, moved by noise:
embedding a hundred thousand texts would take a quarter of an hour, and costs nothing else.
"""

import random
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation.scale import moved
from recommender.models import Item

RECIPE = 2
"""Counts the changes of what is made."""
FIRST_ID = 100_000_000
"""At TMDB, far beyond those that it has given."""
_SENTENCE = re.compile(r"(?<=[.!?]) ")
Vectors = NDArray[np.float32]


def synthetic_films(
    films: Sequence[Item], vectors: Vectors, count: int, seed: int = 0
) -> tuple[list[Item], Vectors]:
    """``count`` films with vectors, shape (count, dim): these first. The same for the same seed.

    ``vectors`` are unit rows, one for each of ``films``, of which there are two or more.
    """
    rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
    made, titles = list(films[:count]), {film.title for film in films}
    sources = list(range(len(made)))
    while len(made) < count:
        source = rng.randrange(len(films))
        film = _synthetic(len(made), films[source], rng.choice(films), rng)
        if film.title in titles:
            continue
        titles.add(film.title)
        made.append(film)
        sources.append(source)
    rows = moved(vectors[sources], np.random.default_rng(seed))
    real = min(count, len(films))
    rows[:real] = vectors[:real]
    return made, rows


def _synthetic(number: int, one: Item, other: Item, rng: random.Random) -> Item:
    """A film that takes after ``one``, with something of ``other``; known to fewer people."""
    pool = list(dict.fromkeys((*one.tags, *other.tags)))
    return Item(
        item_id=f"synthetic-{number}",
        title=_joined(one.title.split(), other.title.split()),
        year=one.year and one.year + rng.randint(-5, 5),
        genres=one.genres,
        director=tuple(_renamed(name, other.people, rng) for name in one.director),
        cast=tuple(_renamed(name, other.people, rng) for name in one.cast),
        tags=tuple(rng.sample(pool, min(len(pool), len(one.tags)))),
        overview=_joined(_SENTENCE.split(one.overview), _SENTENCE.split(other.overview)),
        tmdb_id=FIRST_ID + number,
        rating_count=int(one.rating_count * rng.random() ** 3),
        rating_mean=one.rating_mean,
    )


def _joined(one: Sequence[str], other: Sequence[str]) -> str:
    """The first half of one and the second half of the other, at least a part of each."""
    return " ".join((*one[: (len(one) + 1) // 2], *other[len(other) // 2 :]))


def _renamed(name: str, people: Sequence[str], rng: random.Random) -> str:
    """The first name, with the last name of one of ``people``."""
    family = rng.choice(people).split()[-1] if people else ""
    return f"{name.split()[0]} {family}".strip()
