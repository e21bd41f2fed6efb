"""Queries a person could type, with the films that fit them by the catalogue's own fields."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from bm25s.stopwords import STOPWORDS_EN_PLUS

from fusion.evaluate.data import Film

MIN_FILMS = 6
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]+")
_STOP_WORDS = frozenset(STOPWORDS_EN_PLUS)
TEMPLATES = {
    "genre": ("{} movies", "some good {} films", "{}"),
    "era": ("films from the {}", "{} movies"),
    "genre and era": ("{1} {0} movies", "{0} films from the {1}"),
    "tag": ("{}", "films about {}", "something with {}"),
    "phrase": ("{}", "a film about {}", "movies with {}"),
}


@dataclass(frozen=True)
class Query:
    """Words of one kind and the indices of the films that fit them."""

    kind: str
    parts: tuple[str, ...]
    fits: frozenset[int]

    def words(self, rng: np.random.Generator) -> str:
        """Put the query as a person might, one of a few ways."""
        templates = TEMPLATES[self.kind]
        return templates[rng.integers(len(templates))].format(*self.parts)


def all_queries(films: Sequence[Film]) -> list[Query]:
    """Every genre, decade, both together, tag and two-word phrase that 6 or more films share."""
    fits: defaultdict[tuple[str, tuple[str, ...]], set[int]] = defaultdict(set)
    for index, film in enumerate(films):
        for key in _keys(film):
            fits[key].add(index)
    return [
        Query(kind, parts, frozenset(found))
        for (kind, parts), found in sorted(fits.items())
        if len(found) >= MIN_FILMS
    ]


def _keys(film: Film) -> Iterator[tuple[str, tuple[str, ...]]]:
    genres = [genre.lower() for genre in film.genres]
    yield from (("genre", (genre,)) for genre in genres)
    if film.year:
        era = f"{film.year // 10 * 10}s"
        yield "era", (era,)
        yield from (("genre and era", (genre, era)) for genre in genres)
    yield from (("tag", (tag.lower(),)) for tag in film.tags)
    yield from (("phrase", (phrase,)) for phrase in _phrases(film))


def _phrases(film: Film) -> set[str]:
    """Neighbouring content words of the overview and of longer tags."""
    found = set()
    for text in (film.overview, *film.tags):
        for first, second in pairwise(_WORD.findall(text.lower())):
            if not {first, second} & _STOP_WORDS:
                found.add(f"{first} {second}")
    return found - {tag.lower() for tag in film.tags}
