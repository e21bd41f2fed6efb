"""Hybrid retrieval: nearest vectors and BM25 side by side, merged into one list of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.lexical import TextQuery
from recommender.models import Filters
from recommender.query_vector import QueryVector
from recommender.stores.ports import ItemStore, Vector
from recommender.vectors import ItemVectors
from recommender.word_search import Found, WordSearch


@dataclass(frozen=True)
class Candidates:
    """Films that may be in the answer, n of them.

    ``rows`` (n,) are catalogue rows; ``vectors`` (n, dim) their unit vectors; ``similarity`` (n,)
    their inner product with the query vector in its space, ``bm25`` (n,) their BM25 score (0 where
    there is no query vector or no words). ``likeness`` (n,) is the cosine to the wish among texts,
    and ``taste`` (n,) the part of ``similarity`` that swipes made, where the query was fused.
    """

    rows: NDArray[np.intp]
    vectors: NDArray[np.float32]
    similarity: NDArray[np.float32]
    bm25: NDArray[np.float32]
    likeness: NDArray[np.float32] | None = None
    taste: NDArray[np.float32] | None = None


class Retriever:
    """Finds candidates for a query vector and words."""

    def __init__(
        self,
        catalogue: Catalogue,
        words: WordSearch,
        store: ItemStore,
        vectors: ItemVectors,
        fused: ItemVectors,
    ) -> None:
        self._catalogue = catalogue
        self._fused = fused
        self._words = words
        self._store = store
        self._vectors = vectors

    def retrieve(
        self,
        query: QueryVector,
        text: TextQuery,
        filters: Filters,
        exclude: Sequence[str],
        depth: int,
        soft_genres: tuple[str, ...] = (),
        also: Sequence[int] = (),
    ) -> Candidates:
        """Up to ``depth`` films by vector, by vector among the wished genres, and by words, and
        ``also`` the films of these rows.

        What neither finds is filled up with the most popular films, so that a query of nothing but
        filters, and a person of whom nothing is known, have an answer.
        """
        by_words = self._words.find(text, filters, exclude, depth)
        found = [*by_words.rows, *also]
        if query.vector is not None:
            found += self._by_vector(query, filters, exclude, depth)
            if soft_genres:
                wished = tuple(dict.fromkeys((*filters.include_genres, *soft_genres)))
                narrower = filters.model_copy(update={"include_genres": wished})
                found += self._by_vector(query, narrower, exclude, depth)
        if query.vector is None or not text.words:
            found += list(self._popular(filters, exclude, depth))
        rows = np.array(list(dict.fromkeys(found)), dtype=np.intp)
        return self._candidates(rows, query, by_words)

    def _by_vector(
        self, query: QueryVector, filters: Filters, exclude: Sequence[str], depth: int
    ) -> list[int]:
        if query.vector is None:
            return []
        hits = self._store.nearest(query.vector, depth, filters, exclude, query.space)
        return [self._catalogue.rows[h.item_id] for h in hits if h.item_id in self._catalogue]

    def _popular(self, filters: Filters, exclude: Sequence[str], depth: int) -> NDArray[np.intp]:
        # The catalogue is sorted by popularity.
        return np.flatnonzero(self._catalogue.allowed(filters, exclude))[:depth]

    def _candidates(
        self, rows: NDArray[np.intp], query: QueryVector, by_words: Found
    ) -> Candidates:
        among_texts, present = self._vectors.of_rows(self._catalogue, rows)
        placed = among_texts
        if query.space == "fused":
            placed, has_place = self._fused.of_rows(self._catalogue, rows)
            among_texts, placed = among_texts[has_place[present]], placed[present[has_place]]
            present = present & has_place
        rows = rows[present]
        return Candidates(
            rows,
            among_texts,
            _products(placed, query.vector),
            by_words.scores(rows),
            _products(among_texts, query.wish) if query.space == "fused" else None,
            _products(placed, query.taste) if query.space == "fused" else None,
        )


def _products(matrix: NDArray[np.float32], vector: Vector | None) -> NDArray[np.float32]:
    """Inner products, 0 without a vector."""
    if vector is None or not len(matrix):
        return np.zeros(len(matrix), np.float32)
    return np.asarray(matrix @ vector)
