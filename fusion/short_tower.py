"""A tower of few layers that makes the vectors of short texts for all encoders that share it."""

from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
from cachetools import LRUCache

from fusion.encoder import Vectors
from fusion.onnx_session import embedded, open_session

KEPT_TEXTS = 64
"""Those that one encoder was asked for and another will be, in the same search."""


class ShortTower:
    """A graph with an output for each encoder. Thread-safe."""

    def __init__(self, graph: Path, threads: int) -> None:
        """Raises ModelFilesCorrupt if ONNX Runtime refuses the file ``graph``."""
        self._session = open_session(graph, threads)
        self.outputs = tuple(output.name for output in self._session.get_outputs())
        self._read: LRUCache[bytes, Future[Mapping[str, Vectors]]] = LRUCache(KEPT_TEXTS)
        self._lock = Lock()

    def vector(self, ids: np.ndarray, output: str) -> Vectors:
        """An encoder's unit vector of a text's ids, int64 (1, tokens).

        Whoever asks for another's while a text is being read waits for that, and reads it not
        again. Raises EncoderUnavailable.
        """
        key = ids.tobytes()
        with self._lock:
            reading = self._read.get(key)
            mine = reading is None
            if reading is None:
                reading = self._read[key] = Future()
        if mine:
            self._fill(reading, ids, key)
        return reading.result()[output]

    def _fill(self, reading: Future[Mapping[str, Vectors]], ids: np.ndarray, key: bytes) -> None:
        try:
            reading.set_result(embedded(self._session, ids))
        except BaseException as error:
            with self._lock:  # the next one tries again
                self._read.pop(key, None)
            reading.set_exception(error)


_OPEN: WeakValueDictionary[tuple[str, int], ShortTower] = WeakValueDictionary()
_OPENING = Lock()


def shared_tower(graph: Path, sha256: str, threads: int) -> ShortTower:
    """The tower of a file, whose digest was checked: one for all folders that hold the same.

    Raises ModelFilesCorrupt if ONNX Runtime refuses it.
    """
    with _OPENING:
        tower = _OPEN.get((sha256, threads))
        if tower is None:
            tower = _OPEN[sha256, threads] = ShortTower(graph, threads)
        return tower
