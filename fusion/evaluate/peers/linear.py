"""Linear fusion as a peer: ratings, texts and facts of films in one inner product."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fusion.evaluate.data import Film
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.protocol import DISLIKE, LIKE, Interactions, Scores, Swipe
from fusion.facts import FactVocabulary
from fusion.linear_fusion import LinearFusion, Reactions, Settings, fit_linear_fusion


class LinearFusionScorer:
    """The closed-form fusion of `fusion.linear_fusion`, blind to queries."""

    name = "linear fusion"

    def __init__(
        self,
        films: Sequence[Film],
        space: TextSpace,
        explore: float = 0.0,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        self._texts, self._facts = space.vectors, FactVocabulary.of(films).matrix(films)
        self._explore = explore
        self._settings = Settings(**settings)

    def fit(self, train: Interactions) -> None:
        """Solve the regressions for the people of `train`."""
        self.model: LinearFusion = fit_linear_fusion(
            reactions(train), self._texts, self._facts, self._settings
        )

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the swipes alone, whatever the query."""
        swipes = {swipe.item: swipe.liked for swipe in history}
        scores: Scores = self.model.items @ self.model.fuse(swipes, self._explore)
        return scores


def reactions(people: Interactions) -> Reactions:
    """Ratings as likes, dislikes and what lies between."""
    values = np.full((len(people.by_user), people.n_items), np.nan)
    for row, ratings in enumerate(people.by_user.values()):
        for rating in ratings:
            values[row, rating.item] = rating.value
    return Reactions(values >= LIKE, values <= DISLIKE, (values > DISLIKE) & (values < LIKE))
