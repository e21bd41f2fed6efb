"""Films held in memory before the store that keeps them, so that searches look at all of them."""

# ruff: noqa: D102 - the ports document the methods

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from threading import Lock, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.kept import ARRAYS, Kept
from recommender.models import Filters, Item
from recommender.stores.ports import Hit, IndexedItem, ItemStore, Space, Vector, version_of
from recommender.stores.quantized import Quantized
from recommender.top_k import top_k

READ_AT_A_TIME = 1000
FEW = 0.05
"""Of so small a share of the films it is quicker to copy the vectors than to look at all."""
SPACES: tuple[Space, ...] = ("text", "fused")


@dataclass(frozen=True)
class _Scan:
    """The vectors of one space, shape (films, dim), and which films have one."""

    matrix: NDArray[np.float32]
    present: NDArray[np.bool_]
    small: Quantized
    latest: local = field(default_factory=local)
    """The vector that a thread looked at all films with last, and what was found: searches ask
    again at once, with a narrower filter.
    """

    def best(
        self, vector: Vector, rows: NDArray[np.intp], k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The ``k`` of these rows with the highest inner products with a vector, highest first,
        and these, shape (k,) each; fewer if there are not as many.
        """
        if len(self.matrix) * FEW < rows.size > k:
            rows = self._possible(vector, rows, k)
        scores = self.matrix[rows] @ vector
        best = top_k(scores, k)
        return rows[best], scores[best]

    def _possible(self, vector: Vector, rows: NDArray[np.intp], k: int) -> NDArray[np.intp]:
        """Those that may be among the ``k`` best: at their highest, no less than the k-th is at
        its lowest. See `Quantized.bounds` for how sure that is.
        """
        lowest, highest = self._bounds(vector)
        least = np.partition(lowest[rows], -k)[-k]
        possible: NDArray[np.intp] = rows[highest[rows] >= least]
        return possible

    def _bounds(self, vector: Vector) -> tuple[Vector, Vector]:
        latest: tuple[Vector, tuple[Vector, Vector]] | None = getattr(self.latest, "bounds", None)
        if latest is None or not np.array_equal(latest[0], vector):
            latest = self.latest.bounds = vector, self.small.bounds(vector)
        return latest[1]


@dataclass(frozen=True)
class _Films:
    catalogue: Catalogue
    scans: Mapping[Space, _Scan]


class HeldItems(ItemStore):
    """ItemStore over another one, read once: exact searches without a round trip, 4 kB a film.

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
        best, scores = scan.best(vector, rows, k)
        found = zip(best.tolist(), scores.tolist(), strict=True)
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
                scans = {space: _scan(arrays, space) for space in SPACES}
                self._held = _Films(catalogue, scans)
                self._known = self._items = None
            return self._held

    def _read_fingerprints(self) -> dict[str, str]:
        if self._fingerprints is None:
            self._fingerprints = self._store.fingerprints()
        return self._fingerprints

    def _read_vectors(self, catalogue: Catalogue) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {}
        for space in SPACES:
            matrix, present = _vectors(self._store, catalogue, space)
            arrays |= {space: matrix, f"{space}_present": present}
            arrays |= {
                f"{space}_{name}": array for name, array in vars(Quantized.of(matrix)).items()
            }
        return arrays

    def _forget(self) -> None:
        with self._lock:
            self._held = self._fingerprints = None
            self._cache_folder = None  # who writes may do so under fingerprints of before


def _scan(arrays: Mapping[str, NDArray[Any]], space: Space) -> _Scan:
    small = Quantized(**{part.name: arrays[f"{space}_{part.name}"] for part in fields(Quantized)})
    return _Scan(arrays[space], arrays[f"{space}_present"], small)


def _vectors(
    store: ItemStore, catalogue: Catalogue, space: Space
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The vectors of all films, shape (films, dim), and which films have one."""
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
    return matrix, present
