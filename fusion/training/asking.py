"""Queries to train on: what a person could type to find a film they are going to like.

The wordings are not those that `fusion.evaluate.queries` measures with; the terms are, because
both read the catalogue's own fields. Terms can be held out of training, to measure without them.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.data import Film
from fusion.evaluate.queries import Query, all_queries

WORDINGS = {
    "genre": (
        "{}",
        "{} film",
        "a {} movie",
        "show me {}",
        "in the mood for {}",
        "best {} pictures",
    ),
    "era": ("{}", "from the {}", "movies of the {}", "something made in the {}", "{} cinema"),
    "genre and era": (
        "{0} {1}",
        "{1} {0}",
        "{0} films of the {1}",
        "a {0} movie from the {1}",
        "{0} made in the {1}",
    ),
    "tag": ("{}", "{} movies", "a film with {}", "i want {}", "movies about {}", "{} please"),
    "phrase": ("{}", "{} movies", "a film with {}", "something about {}", "a story of {}"),
}
WINDOW = 8
"""Words of a film's text that a free query is drawn from: neighbours, as people recall them."""
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]+")


class Asking:
    """Draws queries whose answers hold a given film."""

    def __init__(
        self,
        films: Sequence[Film],
        free: float = 0.25,
        held_out: Collection[str] = (),
    ) -> None:
        """``free``: share of queries that are words out of a film's text, meant for it alone."""
        self._free = free
        self.n_films = len(films)
        self._queries: list[defaultdict[str, list[Query]]] = [defaultdict(list) for _ in films]
        for query in all_queries(films):
            if not set(query.parts) & set(held_out):
                for film in query.fits:
                    self._queries[film][query.kind].append(query)
        self._words = [_content(film) for film in films]

    def draw(self, film: int, rng: np.random.Generator) -> tuple[str, NDArray[np.bool_]] | None:
        """A query for ``film`` and which films fit it, shape (n,); None if nothing fits."""
        kinds = sorted(self._queries[film])
        if rng.random() < self._free and len(self._words[film]) > WINDOW:
            return self._free_words(film, rng), self._which([film])
        if not kinds:
            return None
        same = self._queries[film][kinds[rng.integers(len(kinds))]]
        query = same[rng.integers(len(same))]
        wordings = WORDINGS[query.kind]
        words = wordings[rng.integers(len(wordings))].format(*query.parts)
        return words, self._which(list(query.fits))

    def _free_words(self, film: int, rng: np.random.Generator) -> str:
        words = self._words[film]
        start = int(rng.integers(len(words) - WINDOW))
        chosen = rng.permutation(words[start : start + WINDOW])[: rng.integers(2, 6)]
        return " ".join(chosen.tolist())

    def _which(self, films: Sequence[int]) -> NDArray[np.bool_]:
        fits = np.zeros(self.n_films, dtype=bool)
        fits[list(films)] = True
        return fits


def _content(film: Film) -> list[str]:
    text = " ".join((film.overview, *film.tags, *film.genres)).lower()
    return [word for word in _WORD.findall(text) if len(word) > 3]
