"""Finding films by words: BM25 in process."""

import logging
from collections.abc import Sequence
from typing import cast

import bm25s
import numpy as np
from numpy.typing import NDArray

from recommender.models import Item
from recommender.text import index_terms, with_phrases

logging.getLogger("bm25s").setLevel(logging.WARNING)


class LexicalIndex:
    """BM25 over the films' words, with k1 = 1.5 and b = 0.75.

    The variant is Lucene's: its idf, ln(1 + (N - df + 0.5) / (df + 0.5)), is never negative
    (Kamphuis et al. 2020, "Which BM25 Do You Mean?").
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.documents: list[frozenset[str]] = []
        corpus = []
        for item in items:
            words = index_terms(item)
            corpus.append(words)
            self.documents.append(frozenset(words))
        self._vocabulary = frozenset().union(*self.documents)
        self._bm25 = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        if corpus:
            self._bm25.index(corpus, show_progress=False)

    def scores(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Shape (films,): each film's BM25 score for the stemmed words, 0 where none occurs.

        Words that together are a tag count as that tag, too.
        """
        known = [word for word in with_phrases(words) if word in self._vocabulary]
        if not known:
            return np.zeros(len(self.documents), dtype=np.float32)
        return cast(NDArray[np.float32], self._bm25.get_scores(known))
