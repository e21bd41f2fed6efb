"""Films by words: BM25 in this process, or in the engine that holds the films."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.kept import UNKEPT, Kept
from recommender.lexical import (
    LexicalIndex,
    Scores,
    TextQuery,
    TextSearch,
    combined,
    parts_of,
)
from recommender.models import Filters, Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import WordIndex
from recommender.text import index_terms, with_phrases
from recommender.top_k import top_k

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Found:
    """The catalogue rows of the films found, best first, and the BM25 scores (n,) of any n rows."""

    rows: Rows
    scores: Callable[[Rows], Scores]


class WordSearch(Protocol):
    """Finds films by what somebody said, and says which words they hold."""

    def find(self, query: TextQuery, filters: Filters, exclude: Sequence[str], depth: int) -> Found:
        """The ``depth`` films of highest score that hold a word and pass the filters."""

    def holding(self, stems: frozenset[str]) -> Callable[[Item], bool]:
        """Tells of a film of the catalogue whether it holds any of these stems."""


class InProcess(WordSearch):
    """Every film is scored, here."""

    def __init__(
        self, catalogue: Catalogue, settings: RecommenderSettings, kept: Kept = UNKEPT
    ) -> None:
        self._catalogue = catalogue
        self._index = LexicalIndex(catalogue.items, kept=kept)
        self._text_search = TextSearch(catalogue.items, self._index, settings, kept)

    def find(  # noqa: D102 - the protocol documents it
        self, query: TextQuery, filters: Filters, exclude: Sequence[str], depth: int
    ) -> Found:
        bm25 = self._text_search.scores(query)
        found = np.flatnonzero(self._catalogue.allowed(filters, exclude) & (bm25 > 0))
        best = found[top_k(bm25[found], depth)]
        return Found(best, lambda rows: bm25[rows])

    def holding(self, stems: frozenset[str]) -> Callable[[Item], bool]:  # noqa: D102
        held, rows = self._index.holding(stems), self._catalogue.rows
        return lambda item: bool(held[rows[item.item_id]])


class InEngine(WordSearch):
    """The engine finds films by their words; what taste adds counts among those only."""

    def __init__(
        self, catalogue: Catalogue, index: WordIndex, settings: RecommenderSettings
    ) -> None:
        self._catalogue = catalogue
        self._index = index
        self._by_field = settings.enhance_field_weights
        self._hint_weight = settings.ranking.hints

    def find(  # noqa: D102 - the protocol documents it
        self, query: TextQuery, filters: Filters, exclude: Sequence[str], depth: int
    ) -> Found:
        if not query.words:
            return Found(np.array([], dtype=np.intp), _zeros)
        hits = self._index.best(with_phrases(query.words), depth, filters, exclude)
        known = [hit.item_id for hit in hits if hit.item_id in self._catalogue]
        rows = np.array([self._catalogue.rows[item_id] for item_id in known], dtype=np.intp)
        return Found(rows, lambda asked: self._scores(query, asked))

    def holding(self, stems: frozenset[str]) -> Callable[[Item], bool]:  # noqa: D102
        return lambda item: not stems.isdisjoint(index_terms(item))

    def _scores(self, query: TextQuery, rows: Rows) -> Scores:
        ids = [self._catalogue.items[row].item_id for row in rows]
        if not ids:
            return _zeros(rows)
        parts = parts_of(query, self._by_field)
        asked = [(field, with_phrases(words)) for field, words in parts]
        answers = self._index.scores(asked, ids)
        scored = {
            part: np.array([found.get(item_id, 0.0) for item_id in ids], dtype=np.float32)
            for part, found in zip(parts, answers, strict=True)
        }
        return combined(query, lambda *part: scored[part], self._by_field, self._hint_weight)


def _zeros(rows: Rows) -> Scores:
    return np.zeros(len(rows), dtype=np.float32)
