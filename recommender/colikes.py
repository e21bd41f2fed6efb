"""Likes that pull a film up because people liked both, as the fusion learned it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from fusion.fusion_encoder import FusionEncoder, FusionInput, SwipedFilm
from recommender.catalogue import Catalogue
from recommender.models import Evidence, Item
from recommender.vectors import ItemVectors

PULL = 6.0
"""Standard deviations by which a like must raise a film above what it adds to all films.

In the shipped models 529 pairs of films rated `RATED` times are above it. In MovieLens small those
who liked the first film of any of them liked the second at 1.3 times everybody's rate at least (3
times in the middle), and more often than people do who like as many films; so do the people whom
the models did not learn from, taken together (1.4 times as often). At 5.0 it would be 1,030 pairs,
of which 99 % are so. `reelwise evaluate --explanations` checks what is told.
"""
RATED = 80
"""Ratings that both films need: with fewer, a film's place rests on its text more than on likes."""
RECENT_LIKES = 20
KEPT_PULLS = 2_000
READ_AT_A_TIME = 1000
WEIGHT = 0.5


class CoLikes:
    """Asks the fusion what one like adds to every film's score. Thread-safe."""

    def __init__(self, catalogue: Catalogue, vectors: ItemVectors, fusion: FusionEncoder) -> None:
        """``vectors`` are the films' in the fusion's space."""
        self._catalogue = catalogue
        self._vectors = vectors
        self._fusion = fusion
        self._pulls: LRUCache[str, NDArray[np.float32]] = LRUCache(KEPT_PULLS)
        self._lock = Lock()

    def find(self, item: Item, liked: Sequence[str]) -> Evidence | None:
        """That people who liked one of these films, given oldest first, also liked this one.

        Raises FusionError.
        """
        if item.rating_count < RATED:
            return None
        row = self._catalogue.rows[item.item_id]
        others = self._catalogue.select(liked[-RECENT_LIKES:])
        known = [film for film in others if film.rating_count >= RATED and film != item]
        pulls = {film.item_id: float(self._pull(film)[row]) for film in known}
        strongest = max(pulls, key=lambda film: pulls[film], default=None)
        if strongest is None or pulls[strongest] < PULL:
            return None
        title = self._catalogue.get(strongest).title
        text = f"People who liked {title} also liked this"
        return Evidence(kind="co_liked", text=text, item_id=strongest, weight=WEIGHT)

    def _pull(self, film: Item) -> NDArray[np.float32]:
        """What a like of a film adds to the rated films' scores, in standard deviations."""
        with self._lock:
            known = self._pulls.get(film.item_id)
        if known is not None:
            return known
        pull = self._asked(film)
        with self._lock:
            self._pulls[film.item_id] = pull
        return pull

    def _asked(self, film: Item) -> NDArray[np.float32]:
        row = self._catalogue.rows[film.item_id]
        one = SwipedFilm(film.item_id, "", self._films.rated[row], liked=True)
        taste = self._fusion.fuse(FusionInput(swipes=(one,))).taste
        scores = self._films.rated @ taste
        mean, deviation = self._films.spread(taste.astype(np.float64), float(scores[row]))
        return np.asarray((scores - mean) / max(deviation, 1e-9), np.float32)

    @cached_property
    def _films(self) -> "_Films":
        """What scores of all films are told by; a film without a vector counts as one of zeros."""
        ids, dim = list(self._catalogue.rows), self._fusion.dim
        rated = int((self._catalogue.rating_counts >= RATED).sum())  # the catalogue's first
        films = _Films(
            len(ids), np.zeros((rated, dim), np.float32), np.zeros(dim), np.zeros((dim, dim))
        )
        for start in range(0, len(ids), READ_AT_A_TIME):
            known = self._vectors.get(ids[start : start + READ_AT_A_TIME])
            for item_id in known.keys() & set(ids[:rated]):
                films.rated[self._catalogue.rows[item_id]] = known[item_id]
            if known:
                vectors = np.array(list(known.values()), dtype=np.float64)
                films.total[:] += vectors.sum(axis=0)
                films.products[:] += vectors.T @ vectors
        return films


@dataclass(frozen=True)
class _Films:
    """``count`` films: the vectors of those that are rated enough, shape (rated, dim), and, of all,
    the sum of vectors, shape (dim,), and of their outer products, shape (dim, dim).
    """

    count: int
    rated: NDArray[np.float32]
    total: NDArray[np.float64]
    products: NDArray[np.float64]

    def spread(self, taste: NDArray[np.float64], own: float) -> tuple[float, float]:
        """Mean and standard deviation of all films' scores but one, which is ``own``."""
        others = max(self.count - 1, 1)
        mean = float(self.total @ taste - own) / others
        square = float(taste @ self.products @ taste - own**2) / others
        return mean, sqrt(max(square - mean**2, 0.0))
