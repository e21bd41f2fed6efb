"""Peers that know only words: BM25, MiniLM, and the three preference vectors over MiniLM."""

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
import Stemmer

from fusion.encoder import TextEncoder, Vectors
from fusion.evaluate.data import Film
from fusion.evaluate.protocol import Interactions, Scores, Swipe

logging.getLogger("bm25s").setLevel(logging.WARNING)


class TextSpace:
    """The films' text vectors, shape (n_items, dim), and those of queries; each computed once."""

    def __init__(
        self, films: Sequence[Film], encoder: TextEncoder, cache: Path | None = None
    ) -> None:
        """Embed `films`, or read their vectors from the folder `cache` if they are in it."""
        self._encoder = encoder
        self._queries: dict[str, Vectors] = {}
        texts = [film.text for film in films]
        self.vectors = _cached(encoder, texts, cache) if cache else encoder.encode(texts)

    @property
    def centred(self) -> Vectors:
        """The films' vectors with their mean taken out, at length one."""
        moved = self.vectors - self.vectors.mean(axis=0)
        unit: Vectors = moved / (np.linalg.norm(moved, axis=1, keepdims=True) + 1e-9)
        return unit

    def query(self, words: str) -> Vectors:
        """The vector of a query, shape (dim,)."""
        if words not in self._queries:
            self._queries[words] = self._encoder.encode([words])[0]
        return self._queries[words]


def _cached(encoder: TextEncoder, texts: Sequence[str], folder: Path) -> Vectors:
    digest = hashlib.sha256("\0".join([encoder.model_version, *texts]).encode()).hexdigest()
    path = folder / f"texts-{digest[:16]}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, encoder.encode(texts))
    vectors: Vectors = np.load(path)
    return vectors


class Untrained:
    """Base of what learns nothing from ratings."""

    def fit(self, train: Interactions) -> None:
        """Learn nothing."""


class BM25(Untrained):
    """The query's words against the films' fields, titles, people and tags counted twice."""

    name = "BM25"

    def __init__(self, films: Sequence[Film], k1: float, b: float) -> None:
        self._n_items = len(films)
        self._stemmer = Stemmer.Stemmer("english")
        self._index = bm25s.BM25(k1=k1, b=b)
        self._index.index(self._words([_index_text(film) for film in films]), show_progress=False)

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the query alone, whatever the swipes; all 0 without one."""
        known = [w for w in self._words([query or ""])[0] if w in self._index.vocab_dict]
        if not known:
            return np.zeros(self._n_items, dtype=np.float32)
        scores: Scores = self._index.get_scores(known)
        return scores

    def _words(self, texts: list[str]) -> list[list[str]]:
        words: list[list[str]] = bm25s.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )
        return words


def _index_text(film: Film) -> str:
    strong = " ".join((film.title, *film.director, *film.cast, *film.tags))
    decade = f"{film.year // 10 * 10}s {film.year}" if film.year else ""
    return " ".join((strong, strong, *film.genres, decade, film.overview))


class QueryVector(Untrained):
    """Similarity of the query's vector and the films' vectors."""

    name = "MiniLM"

    def __init__(self, space: TextSpace) -> None:
        self._space = space

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the query alone, whatever the swipes; all 0 without one."""
        if not query:
            return np.zeros(len(self._space.vectors), dtype=np.float32)
        scores: Scores = self._space.vectors @ self._space.query(query)
        return scores


class PreferenceVector(Untrained, ABC):
    """Base of one vector learned from the swipes; with a query, `influence` of it is leaned in."""

    def __init__(
        self, space: TextSpace, centre: bool = True, dislike: float = 0.5, influence: float = 0.3
    ) -> None:
        self._space = space
        self._vectors = space.centred if centre else space.vectors
        self._dislike, self._influence = dislike, influence

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Inner products with taste, the query, or their blend; all 0 for neither."""
        scores = np.zeros(len(self._vectors), dtype=np.float32)
        taste = self._influence if query else 1.0
        if query:
            scores += (1.0 - taste * bool(history)) * (
                self._space.vectors @ self._space.query(query)
            )
        if history:
            scores += taste * (self._vectors @ self._taste(history))
        return scores

    @abstractmethod
    def _taste(self, history: Sequence[Swipe]) -> Vectors: ...

    def _difference(self, history: Sequence[Swipe], weights: Vectors) -> Vectors:
        liked = np.array([swipe.liked for swipe in history])
        rows = self._vectors[[swipe.item for swipe in history]]
        signs = np.where(liked, 1.0, -self._dislike)
        totals = np.where(liked, weights[liked].sum(), weights[~liked].sum())
        return unit((signs * weights / totals) @ rows)


class CentroidDifference(PreferenceVector):
    """Mean of the likes less a share of the mean of the dislikes (Rocchio 1971)."""

    name = "centroid difference"

    def _taste(self, history: Sequence[Swipe]) -> Vectors:
        return self._difference(history, np.ones(len(history), dtype=np.float32))


class RecencyWeighted(PreferenceVector):
    """The same, with a swipe worth half of one `half_life` swipes later."""

    name = "recency weighted"

    def __init__(
        self,
        space: TextSpace,
        half_life: float,
        centre: bool = True,
        dislike: float = 0.5,
        influence: float = 0.3,
    ) -> None:
        super().__init__(space, centre, dislike, influence)
        self._half_life = half_life

    def _taste(self, history: Sequence[Swipe]) -> Vectors:
        ages = np.arange(len(history))[::-1]
        return self._difference(history, (0.5 ** (ages / self._half_life)).astype(np.float32))


class TextNeighbours(Untrained):
    """Sum of similarity to the liked films, each over its `neighbours` nearest texts."""

    name = "text neighbours"

    def __init__(self, space: TextSpace, neighbours: int) -> None:
        similarity = space.centred @ space.centred.T
        np.fill_diagonal(similarity, 0.0)
        nearest = np.partition(similarity, -neighbours, axis=1)[:, -neighbours, None]
        self._weights = np.where(similarity >= nearest, similarity, 0.0).astype(np.float32)

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """Score by the likes alone, whatever the query."""
        scores: Scores = self._weights[[s.item for s in history if s.liked]].sum(axis=0)
        return scores


def unit(vector: Vectors) -> Vectors:
    """The vector at length one; the zero vector as it is."""
    length = float(np.linalg.norm(vector))
    scaled: Vectors = (vector / length if length > 1e-6 else vector * 0.0).astype(np.float32)
    return scaled
