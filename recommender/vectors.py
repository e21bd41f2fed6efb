"""Item vectors by id, the recently used ones kept in memory unless the store has them there."""

from collections.abc import Iterable, Mapping
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.stores.held import HeldItems
from recommender.stores.ports import ItemStore, Space, Vector

KEPT_VECTORS = 20_000


class ItemVectors:
    """Reads through to the item store; films do not change while a catalogue is served."""

    def __init__(self, store: ItemStore, space: Space = "text") -> None:
        self._store = store
        self._space = space
        self._kept: LRUCache[str, Vector] = LRUCache(KEPT_VECTORS)
        self._lock = Lock()

    def get(self, item_ids: Iterable[str]) -> Mapping[str, Vector]:
        """The vectors of those films that exist, shape (dim,) each."""
        wanted = list(dict.fromkeys(item_ids))
        if isinstance(self._store, HeldItems):
            return self._store.vectors(wanted, self._space)
        with self._lock:
            found = {item_id: self._kept[item_id] for item_id in wanted if item_id in self._kept}
        missing = [item_id for item_id in wanted if item_id not in found]
        if missing:
            read = self._store.vectors(missing, self._space)
            with self._lock:
                self._kept.update(read)
            found.update(read)
        return found

    def of_rows(
        self, catalogue: Catalogue, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The vectors of those of n rows of a catalogue that have one, shape (present, dim), and
        which do, shape (n,).
        """
        if isinstance(self._store, HeldItems) and self._store.all() is catalogue:
            return self._store.rows(rows, self._space)
        ids = [catalogue.items[row].item_id for row in rows]
        known = self.get(ids)
        vectors = [known[item_id] for item_id in ids if item_id in known]
        present = np.array([item_id in known for item_id in ids], dtype=bool)
        dim = len(vectors[0]) if vectors else 0
        return np.array(vectors, dtype=np.float32).reshape(len(vectors), dim), present

    def matrix(self, catalogue: Catalogue, missing: Vector) -> NDArray[np.float32]:
        """The vectors of all films, shape (films, dim), ``missing`` (dim,) where one has none.

        Where the store has them so, they are in memory once.
        """
        if isinstance(self._store, HeldItems) and self._store.all() is catalogue:
            held = self._store.matrix(self._space)
            if held.shape == (len(catalogue), len(missing)) and not missing.any():
                return held
        known = self.get(catalogue.rows)
        return np.array([known.get(i, missing) for i in catalogue.rows], dtype=np.float32)
