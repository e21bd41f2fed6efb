"""Peers made of two others: rank fusion, blending, and re-ranking by taste."""

from collections.abc import Sequence

import numpy as np

from fusion.evaluate.protocol import Interactions, Scorer, Scores, Swipe


class _Pair:
    """Base of two scorers that learn together."""

    def __init__(self, name: str, first: Scorer, second: Scorer) -> None:
        self.name = name
        self._first, self._second = first, second

    def fit(self, train: Interactions) -> None:
        """Let both learn from `train`."""
        self._first.fit(train)
        self._second.fit(train)


class RankFusion(_Pair):
    """Reciprocal rank fusion, 1 / (k + rank), of two scorers (Cormack et al. 2009)."""

    def __init__(self, name: str, first: Scorer, second: Scorer, k: float) -> None:
        super().__init__(name, first, second)
        self._k = k

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Sum of reciprocal ranks; what a scorer gives no more than 0 gets nothing from it."""
        first = self._reciprocal(self._first.score(history, query))
        return first + self._reciprocal(self._second.score(history, query))

    def _reciprocal(self, scores: Scores) -> Scores:
        ranks = np.empty(len(scores), dtype=np.float32)
        ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
        return np.where(scores > 0, 1.0 / (self._k + ranks), 0.0).astype(np.float32)


class Blend(_Pair):
    """Sum of two scorers' z-scores, the second one's times `weight`."""

    def __init__(self, name: str, first: Scorer, second: Scorer, weight: float) -> None:
        super().__init__(name, first, second)
        self._weight = weight

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Blend over all films."""
        first = standardised(self._first.score(history, query))
        return first + self._weight * standardised(self._second.score(history, query))


class ReRanking(_Pair):
    """The best `depth` films of a search, re-ranked by a blend with a second scorer."""

    def __init__(self, name: str, first: Scorer, second: Scorer, depth: int, weight: float) -> None:
        super().__init__(name, first, second)
        self._depth, self._weight = depth, weight

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Blend among the best `depth`, all of them above the rest, which keep their order."""
        found = self._first.score(history, query)
        taste = self._second.score(history, query)
        ranked = np.argsort(-found, kind="stable")
        scores = np.empty(len(found), dtype=np.float32)
        scores[ranked] = -np.arange(len(found), dtype=np.float32)
        best = ranked[: self._depth]
        blended = standardised(found[best]) + self._weight * standardised(taste[best])
        scores[best] = 1e3 + blended
        return scores


def standardised(scores: Scores) -> Scores:
    """Scores less their mean in units of their standard deviation; zeros where all are equal."""
    deviation = float(scores.std())
    moved: Scores = (scores - scores.mean()) / (deviation if deviation > 1e-9 else 1.0)
    return moved
