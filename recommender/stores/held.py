"""Films held in memory before the store that keeps them, so that searches look at all of them."""

# ruff: noqa: D102 - the ports document the methods

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.kept import ARRAYS, Kept
from recommender.models import Filters, Item
from recommender.stores.ports import Hit, IndexedItem, ItemStore, Space, Vector, version_of
from recommender.top_k import top_k

READ_AT_A_TIME = 1000
FEW = 0.15
"""Of so small a share of the films it is quicker to copy the vectors than to look at all."""
SPACES: tuple[Space, ...] = ("text", "fused")


@dataclass(frozen=True)
class _Scan:
    """The vectors of one space, shape (films, dim), and which films have one."""

    matrix: NDArray[np.float32]
    present: NDArray[np.bool_]
    latest: local = field(default_factory=local)
    """The vector that a thread looked at all films with last, and their inner products with it:
    searches ask again at once, with a narrower filter.
    """

    def products(self, vector: Vector, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """The inner products of these films with a vector, shape (rows,)."""
        latest: tuple[Vector, Vector] | None = getattr(self.latest, "products", None)
        if latest is None or not np.array_equal(latest[0], vector):
            if rows.size < FEW * len(self.matrix):
                return np.asarray(self.matrix[rows] @ vector)
            latest = self.latest.products = vector, self.matrix @ vector
        return latest[1][rows]


@dataclass(frozen=True)
class _Films:
    catalogue: Catalogue
    scans: Mapping[Space, _Scan]


class HeldItems(ItemStore):
    """ItemStore over another one, read once: exact searches without a round trip, 3 kB a film.

    Thread-safe. What others write to the store is seen by who starts afterwards.
    """

    def __init__(
        self,
        store: ItemStore,
        known: Mapping[str, str] | None = None,
        items: Iterable[Item] | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        """``items`` are films at hand, which need not be read where the store holds just these: by
        their ids and fingerprints, ``known``. ``cache_folder`` keeps what vectors were read.
        """
        self._store = store
        self._known = known
        self._items = items
        self._cache_folder = cache_folder
        self._fingerprints: dict[str, str] | None = None
        self._held: _Films | None = None
        self._lock = Lock()

    def fingerprints(self) -> dict[str, str]:
        with self._lock:
            return self._read_fingerprints()

    def hold(self, dim: int) -> None:
        self._store.hold(dim)

    def upsert(self, items: Sequence[IndexedItem]) -> None:
        self._store.upsert(items)
        self._forget()

    def remove(self, item_ids: Sequence[str]) -> None:
        self._store.remove(item_ids)
        self._forget()

    def all(self) -> Iterable[Item]:
        return self._films().catalogue

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        films = self._films()
        scan, items = films.scans[space], films.catalogue.items
        rows = np.flatnonzero(films.catalogue.allowed(filters, exclude) & scan.present)
        if not rows.size:
            return []
        scores = scan.products(vector, rows)
        best = top_k(scores, k)
        found = zip(rows[best].tolist(), scores[best].tolist(), strict=True)
        return [Hit(items[row].item_id, score) for row, score in found]

    def rows(
        self, rows: NDArray[np.intp], space: Space
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The vectors of those of n rows of ``all`` that have one, and which do, shape (n,)."""
        scan = self._films().scans[space]
        present = scan.present[rows]
        return scan.matrix[rows[present]], present

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        films = self._films()
        scan, rows = films.scans[space], films.catalogue.rows
        known = {item_id: rows[item_id] for item_id in item_ids if item_id in rows}
        return {item_id: scan.matrix[row] for item_id, row in known.items() if scan.present[row]}

    def matrix(self, space: Space) -> NDArray[np.float32]:
        """The vectors of all films, shape (films, dim), in the order of ``all``; zeros where a film
        has none. Read-only.
        """
        return self._films().scans[space].matrix

    def mean_vector(self) -> Vector | None:
        return self._store.mean_vector()

    def _films(self) -> _Films:
        with self._lock:
            if self._held is None:
                fingerprints = self._read_fingerprints()
                at_hand = self._items if fingerprints == self._known else None
                catalogue = Catalogue(self._store.all() if at_hand is None else at_hand)
                kept = Kept(self._cache_folder, version_of(fingerprints))
                arrays = kept.get("vectors", lambda: self._read_vectors(catalogue), ARRAYS)
                scans = {s: _Scan(arrays[s], arrays[f"{s}_present"]) for s in SPACES}
                self._held = _Films(catalogue, scans)
                self._known = self._items = None
            return self._held

    def _read_fingerprints(self) -> dict[str, str]:
        if self._fingerprints is None:
            self._fingerprints = self._store.fingerprints()
        return self._fingerprints

    def _read_vectors(self, catalogue: Catalogue) -> dict[str, NDArray[Any]]:
        scans = {space: _scan(self._store, catalogue, space) for space in SPACES}
        present = {f"{space}_present": scan.present for space, scan in scans.items()}
        return {space: scan.matrix for space, scan in scans.items()} | present

    def _forget(self) -> None:
        with self._lock:
            self._held = self._fingerprints = None
            self._cache_folder = None  # who writes may do so under fingerprints of before


def _scan(store: ItemStore, catalogue: Catalogue, space: Space) -> _Scan:
    ids = list(catalogue.rows)
    matrix = np.zeros((0, 0), dtype=np.float32)
    present = np.zeros(len(ids), dtype=bool)
    for start in range(0, len(ids), READ_AT_A_TIME):
        for item_id, vector in store.vectors(ids[start : start + READ_AT_A_TIME], space).items():
            if not matrix.size:
                matrix = np.zeros((len(ids), vector.size), dtype=np.float32)
            row = catalogue.rows[item_id]
            matrix[row], present[row] = vector, True
    matrix.flags.writeable = False  # rows are handed out
    return _Scan(matrix, present)
