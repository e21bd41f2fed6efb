"""Linear fusion as a peer: ratings, texts and facts of films in one inner product."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.data import Film
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.protocol import DISLIKE, LIKE, Interactions, Scores, Swipe
from fusion.linear_fusion import LinearFusion, Reactions, Settings, fit_linear_fusion

SHARED_BY = 3
"""A fact of fewer films tells nothing of others."""
FREQUENT = 0.3
"""Weight of genres and years, which are had by many, against people and tags."""


class LinearFusionScorer:
    """The closed-form fusion of `fusion.linear_fusion`, blind to queries."""

    name = "linear fusion"

    def __init__(self, films: Sequence[Film], space: TextSpace, **settings: Any) -> None:  # noqa: ANN401
        self._texts, self._facts = space.vectors, fact_matrix(films)
        self._settings = Settings(**settings)

    def fit(self, train: Interactions) -> None:
        """Solve the regressions for the people of `train`."""
        self._model: LinearFusion = fit_linear_fusion(
            reactions(train), self._texts, self._facts, self._settings
        )

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the swipes alone, whatever the query."""
        person = self._model.fuse({swipe.item: swipe.liked for swipe in history})
        scores: Scores = self._model.items @ person
        return scores


def reactions(people: Interactions) -> Reactions:
    """Ratings as likes, dislikes and what lies between."""
    values = np.full((len(people.by_user), people.n_items), np.nan)
    for row, ratings in enumerate(people.by_user.values()):
        for rating in ratings:
            values[row, rating.item] = rating.value
    return Reactions(values >= LIKE, values <= DISLIKE, (values > DISLIKE) & (values < LIKE))


def fact_matrix(films: Sequence[Film]) -> NDArray[np.float64]:
    """Genres, people, tags and years, shape (n_items, n_facts); only facts of 3 films or more."""
    rows = [_facts(film) for film in films]
    counts = Counter(fact for row in rows for fact in row)
    columns = {
        fact: k for k, fact in enumerate(sorted(f for f in counts if counts[f] >= SHARED_BY))
    }
    matrix = np.zeros((len(films), len(columns)))
    for place, row in enumerate(rows):
        for fact in row.keys() & columns.keys():
            matrix[place, columns[fact]] = row[fact]
    return matrix


def _facts(film: Film) -> Mapping[tuple[str, str], float]:
    named = {"director": film.director, "cast": film.cast, "tag": [t.lower() for t in film.tags]}
    facts = {(kind, name): 1.0 for kind, names in named.items() for name in names}
    facts |= {("genre", genre): FREQUENT for genre in film.genres}
    if film.year:
        # Tents of 7.5 years either way, so that near years are alike.
        nearness = {middle: 1 - abs(film.year - middle) / 7.5 for middle in range(1920, 2021, 5)}
        facts |= {("year", str(y)): FREQUENT * near for y, near in nearness.items() if near > 0}
    return facts
