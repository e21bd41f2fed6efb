"""The contrastive preference vector, from scikit-learn's logistic regression."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from fusion.encoder import Vectors
from fusion.evaluate.peers.textual import PreferenceVector, TextSpace, unit
from fusion.evaluate.protocol import Swipe


class Contrastive(PreferenceVector):
    """The normal of the logistic boundary between likes and the rest.

    Dislikes are negatives; all films together are one more, so that likes alone suffice.
    """

    name = "contrastive"

    def __init__(
        self, space: TextSpace, inverse_ridge: float, background: float, influence: float = 0.3
    ) -> None:
        super().__init__(space, influence=influence)
        self._inverse_ridge, self._background = inverse_ridge, background

    def _taste(self, history: Sequence[Swipe]) -> Vectors:
        rows = self._vectors[[swipe.item for swipe in history]]
        liked = [swipe.liked for swipe in history]
        if not any(liked):
            return unit(-rows.mean(axis=0))
        model = LogisticRegression(C=self._inverse_ridge)
        features = np.vstack([rows, np.zeros((1, rows.shape[1]))])
        model.fit(features, [*liked, False], sample_weight=[1.0] * len(rows) + [self._background])
        return unit(model.coef_[0])
