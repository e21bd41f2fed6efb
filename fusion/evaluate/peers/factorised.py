"""Peers with latent factors, from the library `implicit`: iALS and BPR."""

from collections.abc import Sequence

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from scipy.sparse import csr_matrix

from fusion.evaluate.peers.collaborative import Collaborative, likes_matrix, swipes_vector
from fusion.evaluate.protocol import Interactions, Scores, Swipe


class ImplicitALS(Collaborative):
    """Weighted alternating least squares (Hu et al. 2008); strangers get the exact fold-in."""

    name = "iALS"

    def __init__(
        self, factors: int, regularization: float, alpha: float, iterations: int = 20, seed: int = 0
    ) -> None:
        self._model = AlternatingLeastSquares(
            factors=factors,
            regularization=regularization,
            alpha=alpha,
            iterations=iterations,
            num_threads=1,
            random_state=seed,
        )

    def _learn(self, train: Interactions) -> None:
        self._model.fit(csr_matrix(likes_matrix(train)), show_progress=False)

    def _personal(self, history: Sequence[Swipe]) -> Scores:
        row = csr_matrix(swipes_vector(history, len(self.popularity), 0.0))
        scores: Scores = self._model.item_factors @ self._model.recalculate_user(0, row)
        return scores


class BPR(Collaborative):
    """Pairwise ranking (Rendle et al. 2009).

    The method has no fold-in: a stranger is `strength` times the mean of the liked films' factors
    in front of the learned film biases.
    """

    name = "BPR"

    def __init__(
        self,
        factors: int,
        learning_rate: float,
        regularization: float,
        iterations: int,
        strength: float,
        seed: int = 0,
    ) -> None:
        self._strength = strength
        self._model = BayesianPersonalizedRanking(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            num_threads=1,
            random_state=seed,
        )

    def _learn(self, train: Interactions) -> None:
        self._model.fit(csr_matrix(likes_matrix(train)), show_progress=False)

    def _personal(self, history: Sequence[Swipe]) -> Scores:
        liked = [swipe.item for swipe in history if swipe.liked]
        factors, bias = self._model.item_factors[:, :-1], self._model.item_factors[:, -1]
        scores: Scores = bias + self._strength * factors @ np.mean(factors[liked], axis=0)
        return scores
