"""Peers that know only ratings: popularity, ItemKNN, EASE."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.protocol import Interactions, Scores, Swipe
from fusion.regression import ease


def likes_matrix(people: Interactions) -> Scores:
    """Who liked what: 1 for a like, else 0; shape (people, n_items)."""
    matrix = np.zeros((len(people.by_user), people.n_items), dtype=np.float32)
    for row, swipes in enumerate(people.swipes()):
        matrix[row, [swipe.item for swipe in swipes if swipe.liked]] = 1.0
    return matrix


def swipes_vector(history: Sequence[Swipe], n_items: int, dislike: float) -> Scores:
    """The swipes as one row, shape (n_items,): 1 for a like, -`dislike` for a dislike."""
    row = np.zeros(n_items, dtype=np.float32)
    for swipe in history:
        row[swipe.item] = 1.0 if swipe.liked else -dislike
    return row


class Collaborative(ABC):
    """Base of what learns from likes; to who likes nothing yet the most liked films come first."""

    name: str
    popularity: Scores

    def fit(self, train: Interactions) -> None:
        """Learn from the likes of `train`."""
        self.popularity = likes_matrix(train).sum(axis=0)
        self._learn(train)

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the swipes alone, whatever the query."""
        if not any(swipe.liked for swipe in history):
            return self.popularity
        return self._personal(history)

    @abstractmethod
    def _learn(self, train: Interactions) -> None: ...

    @abstractmethod
    def _personal(self, history: Sequence[Swipe]) -> Scores: ...


class Popularity(Collaborative):
    """The most liked (or the most rated) films, the same for everyone."""

    name = "popularity"

    def __init__(self, count: Literal["likes", "ratings"] = "likes") -> None:
        self._count = count

    def _learn(self, train: Interactions) -> None:
        if self._count == "ratings":
            self.popularity = raters(train).astype(np.float32)

    def _personal(self, history: Sequence[Swipe]) -> Scores:  # noqa: ARG002
        return self.popularity


class LinearModel(Collaborative):
    """Scores are a weighted sum of the columns of an item-item matrix."""

    weights: Scores

    def __init__(self, dislike: float = 0.0) -> None:
        self._dislike = dislike

    def _personal(self, history: Sequence[Swipe]) -> Scores:
        items = [swipe.item for swipe in history]
        row = swipes_vector(history, len(self.popularity), self._dislike)[items]
        scores: Scores = row @ self.weights[items]
        return scores


class ItemKNN(LinearModel):
    """Shrunk cosine over the `neighbours` nearest films (Sarwar et al. 2001; Deshpande 2004)."""

    name = "ItemKNN"

    def __init__(self, neighbours: int, shrinkage: float, dislike: float = 0.0) -> None:
        super().__init__(dislike)
        self._neighbours, self._shrinkage = neighbours, shrinkage

    def _learn(self, train: Interactions) -> None:
        likes = likes_matrix(train)
        together = likes.T @ likes
        norms = np.sqrt(np.diag(together))
        cosine = together / (np.outer(norms, norms) + self._shrinkage + 1e-9)
        np.fill_diagonal(cosine, 0.0)
        self.weights = keep_largest(cosine.astype(np.float32), self._neighbours)


class EASE(LinearModel):
    """Ridge regression of each film on all the others, in closed form (Steck 2019)."""

    name = "EASE"

    def __init__(self, ridge: float, dislike: float = 0.0) -> None:
        super().__init__(dislike)
        self._ridge = ridge

    def _learn(self, train: Interactions) -> None:
        likes = likes_matrix(train).astype(np.float64)
        self.weights = ease(likes.T @ likes, self._ridge).astype(np.float32)


def raters(train: Interactions) -> NDArray[np.int64]:
    """How many people rated each film, shape (n_items,)."""
    items = [rating.item for ratings in train.by_user.values() for rating in ratings]
    return np.bincount(np.array(items, dtype=np.int64), minlength=train.n_items)


def keep_largest(matrix: Scores, count: int) -> Scores:
    """The matrix with all but the `count` largest entries of each column at 0."""
    if count >= len(matrix):
        return matrix
    largest = np.argpartition(-matrix, count, axis=0)[:count]
    kept = np.zeros_like(matrix)
    np.put_along_axis(kept, largest, np.take_along_axis(matrix, largest, axis=0), axis=0)
    return kept
