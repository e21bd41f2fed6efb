"""Hybrid retrieval: nearest vectors and BM25 side by side, merged into one list of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.lexical import TextQuery, TextSearch
from recommender.models import Filters
from recommender.stores.ports import ItemStore, Vector
from recommender.vectors import ItemVectors


@dataclass(frozen=True)
class Candidates:
    """Films that may be in the answer, n of them.

    ``rows`` (n,) are catalogue rows; ``vectors`` (n, dim) their unit vectors; ``similarity`` (n,)
    their inner product with the query vector, ``bm25`` (n,) their BM25 score (0 where there is no
    query vector or no words).
    """

    rows: NDArray[np.intp]
    vectors: NDArray[np.float32]
    similarity: NDArray[np.float32]
    bm25: NDArray[np.float32]


class Retriever:
    """Finds candidates for a query vector and words."""

    def __init__(
        self,
        catalogue: Catalogue,
        text_search: TextSearch,
        store: ItemStore,
        vectors: ItemVectors,
    ) -> None:
        self._catalogue = catalogue
        self._text_search = text_search
        self._store = store
        self._vectors = vectors

    def retrieve(
        self,
        vector: Vector | None,
        text: TextQuery,
        filters: Filters,
        exclude: Sequence[str],
        depth: int,
        soft_genres: tuple[str, ...] = (),
    ) -> Candidates:
        """Up to ``depth`` films by vector, by vector among the wished genres, and by words.

        What neither finds is filled up with the most popular films, so that a query of nothing but
        filters, and a person of whom nothing is known, have an answer.
        """
        allowed = self._catalogue.allowed(filters, exclude)
        bm25 = self._text_search.scores(text)
        found = list(self._by_words(bm25, allowed, depth))
        if vector is not None:
            found += self._by_vector(vector, filters, exclude, depth)
            if soft_genres:
                wished = tuple(dict.fromkeys((*filters.include_genres, *soft_genres)))
                narrower = filters.model_copy(update={"include_genres": wished})
                found += self._by_vector(vector, narrower, exclude, depth)
        if vector is None or not text.words:
            found += list(self._popular(allowed, depth))
        rows = np.array(list(dict.fromkeys(found)), dtype=np.intp)
        return self._candidates(rows, vector, bm25)

    def _by_words(
        self, bm25: NDArray[np.float32], allowed: NDArray[np.bool_], depth: int
    ) -> NDArray[np.intp]:
        scores = np.where(allowed, bm25, 0.0)
        best = np.argsort(-scores, kind="stable")[:depth]
        return best[scores[best] > 0]

    def _by_vector(
        self, vector: Vector, filters: Filters, exclude: Sequence[str], depth: int
    ) -> list[int]:
        hits = self._store.nearest(vector, depth, filters, exclude)
        return [self._catalogue.rows[h.item_id] for h in hits if h.item_id in self._catalogue]

    def _popular(self, allowed: NDArray[np.bool_], depth: int) -> NDArray[np.intp]:
        # The catalogue is sorted by popularity.
        return np.flatnonzero(allowed)[:depth]

    def _candidates(
        self, rows: NDArray[np.intp], vector: Vector | None, bm25: NDArray[np.float32]
    ) -> Candidates:
        ids = [self._catalogue.items[row].item_id for row in rows]
        stored = self._vectors.get(ids)
        present = np.array([item_id in stored for item_id in ids], dtype=bool)
        rows = rows[present]
        matrix = np.array([stored[item_id] for item_id in ids if item_id in stored])
        if not len(rows):
            matrix = np.zeros((0, 0 if vector is None else len(vector)), dtype=np.float32)
        similarity = matrix @ vector if vector is not None else np.zeros(len(rows), np.float32)
        return Candidates(rows, matrix, similarity, bm25[rows])
