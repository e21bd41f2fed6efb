"""Item vectors by id, the recently used ones kept in memory."""

from collections.abc import Iterable, Mapping
from threading import Lock

from cachetools import LRUCache

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
        with self._lock:
            found = {item_id: self._kept[item_id] for item_id in wanted if item_id in self._kept}
        missing = [item_id for item_id in wanted if item_id not in found]
        if missing:
            read = self._store.vectors(missing, self._space)
            with self._lock:
                self._kept.update(read)
            found.update(read)
        return found
