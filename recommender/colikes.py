"""Likes that pull a film up because people liked both, as the fusion learned it."""

from collections.abc import Sequence
from functools import cached_property
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
        """What a like of a film adds to each film's score, in standard deviations; shape (n,)."""
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
        one = SwipedFilm(film.item_id, "", self._matrix[row], liked=True)
        scores = self._matrix @ self._fusion.fuse(FusionInput(swipes=(one,))).taste
        others = np.delete(scores, row)
        return np.asarray((scores - others.mean()) / max(float(others.std()), 1e-9), np.float32)

    @cached_property
    def _matrix(self) -> NDArray[np.float32]:
        """Every film's vector, shape (n, dim); zeros for one that has none."""
        none = np.zeros(self._fusion.dim, dtype=np.float32)
        known = self._vectors.get(self._catalogue.rows)
        return np.array([known.get(item_id, none) for item_id in self._catalogue.rows])
