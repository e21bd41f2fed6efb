"""Finding films by words: BM25 in process."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import bm25s
import numpy as np
from numpy.typing import NDArray

from recommender.kept import UNKEPT, Form, Kept
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.text import FIELDS, index_terms, with_phrases

logging.getLogger("bm25s").setLevel(logging.WARNING)

Scores = NDArray[np.float32]
BM25 = {"k1": 1.5, "b": 0.75}
WHOLE = "whole"
"""The name of all the words of a film, beside those of its FIELDS."""


@dataclass(frozen=True)
class TextQuery:
    """Stemmed words to find films by.

    ``words`` are the user's own, ``hints`` come from their taste, as do ``field_weights``: how much
    more (or less, under 1) than usual it counts to find a word in a field.
    """

    words: Sequence[str] = ()
    hints: Sequence[str] = ()
    field_weights: Mapping[str, float] = field(default_factory=dict)


class LexicalIndex:
    """BM25 over the films' words.

    The variant is Lucene's: its idf, ln(1 + (N - df + 0.5) / (df + 0.5)), is never negative
    (Kamphuis et al. 2020, "Which BM25 Do You Mean?").
    """

    def __init__(
        self,
        items: Sequence[Item],
        terms_of: Callable[[Item], list[str]] = index_terms,
        kept: Kept = UNKEPT,
        name: str = WHOLE,
    ) -> None:
        """Words are counted only where ``kept`` has no index of this ``name``."""
        self._films = len(items)
        self._bm25 = kept.get(name, lambda: _counted(items, terms_of), WORDS)
        self._vocabulary: Mapping[str, int] = self._bm25.vocab_dict

    def scores(self, words: Sequence[str]) -> Scores:
        """Shape (films,): each film's BM25 score for the stemmed words, 0 where none occurs.

        Words that together are a tag count as that tag, too.
        """
        known = [word for word in with_phrases(words) if word in self._vocabulary]
        if not known:
            return np.zeros(self._films, dtype=np.float32)
        return cast(Scores, self._bm25.get_scores(known))

    def holding(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """Shape (films,): which films hold any of the stemmed words."""
        held = np.zeros(self._films, dtype=bool)
        for number in [self._vocabulary[word] for word in words if word in self._vocabulary]:
            starts, films = self._bm25.scores["indptr"], self._bm25.scores["indices"]
            held[films[starts[number] : starts[number + 1]]] = True  # the rest score nothing
        return held


def _save(index: bm25s.BM25, folder: Path) -> None:
    if index.vocab_dict:
        index.save(folder, show_progress=False)


WORDS: Form[bm25s.BM25] = Form(_save, lambda folder: bm25s.BM25.load(folder, mmap=True))


def _counted(items: Sequence[Item], terms_of: Callable[[Item], list[str]]) -> bm25s.BM25:
    vocabulary = dict[str, int]()
    corpus = [
        [vocabulary.setdefault(word, len(vocabulary)) for word in terms_of(item)] for item in items
    ]
    index = bm25s.BM25(method="lucene", **BM25)
    index.vocab_dict = vocabulary
    if vocabulary:
        index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    return index


class TextSearch:
    """Scores films by a person's words, with what their taste adds to them."""

    def __init__(
        self,
        items: Sequence[Item],
        whole: LexicalIndex,
        settings: RecommenderSettings,
        kept: Kept = UNKEPT,
    ) -> None:
        """``whole`` is the index of all the words of ``items``."""
        self._by_field = settings.enhance_field_weights
        fields = FIELDS if self._by_field else {}
        self._indexes = {
            name: LexicalIndex(items, read, kept, name) for name, read in fields.items()
        }
        self._indexes[WHOLE] = whole
        self._hint_weight = settings.ranking.hints

    def scores(self, query: TextQuery) -> Scores:
        """Shape (films,): BM25 scores, 0 for a film without any of the words."""
        return combined(
            query,
            lambda field, words: self._indexes[field].scores(words),
            self._by_field,
            self._hint_weight,
        )


def combined(
    query: TextQuery,
    part: Callable[[str, tuple[str, ...]], Scores],
    by_field: bool,
    hint_weight: float,
) -> Scores:
    """Shape (films,): scores of films from those of each field, or of WHOLE, by itself.

    Hints only sort the films that hold a word: whoever says something is answered with that.
    Without words there is nothing to hint at; taste has its own place in the ranking.
    """
    weights = _unusual(query, by_field)
    own = _weighed(tuple(query.words), weights, part)
    if not query.hints or not own.any():
        return own
    hinted = _weighed(tuple(query.hints), weights, part)
    scale = hint_weight * own.max() / max(float(hinted.max()), 1e-9)
    return cast(Scores, np.where(own > 0, own + scale * hinted, 0.0).astype(np.float32))


def parts_of(query: TextQuery, by_field: bool) -> list[tuple[str, tuple[str, ...]]]:
    """The fields and words whose scores ``combined`` asks for."""
    said = [tuple(words) for words in (query.words, query.hints) if words]
    return [(field, words) for words in said for field in (WHOLE, *_unusual(query, by_field))]


def _unusual(query: TextQuery, by_field: bool) -> dict[str, float]:
    """The weights of fields that count more or less than usual."""
    known = {name: query.field_weights.get(name, 1.0) for name in FIELDS} if by_field else {}
    return {name: weight for name, weight in known.items() if weight != 1}


def _weighed(
    words: tuple[str, ...],
    weights: Mapping[str, float],
    part: Callable[[str, tuple[str, ...]], Scores],
) -> Scores:
    """The whole's scores and, field by field, what is more or less than usual.

    No score falls below half, so that whatever holds a word is still found.
    """
    whole = part(WHOLE, words)
    weighed = whole.copy()
    for name, weight in weights.items():
        weighed += (weight - 1) * part(name, words)
    return np.maximum(weighed, whole / 2)
