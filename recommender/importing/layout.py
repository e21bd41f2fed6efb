"""An imported catalogue as files: ``raw/`` as it came, and ``features/`` as CATALOGUE takes it."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from fasteners import InterProcessLock

from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.features import EMBEDDINGS, FEATURES, SURVEY_SIZE, write_features
from recommender.importing.source import Source
from recommender.indexer import BATCH, Progress, embedded, fingerprint
from recommender.models import Item
from recommender.remote_files import local_copy, writing
from recommender.stores.ports import Vector
from recommender.tables import read_embeddings

RAW = "raw"
COPIED = 2**20
"""Bytes that are copied at a time."""
MARK = 32
"""Letters of a fingerprint."""


def write_catalogue(
    url: str, items: Sequence[Item], source: Source, encoder: TextEncoder, home: Path, bar: Progress
) -> None:
    """Write ``features/`` and then ``raw/`` below ``url``.

    Only films that are not there yet with the same texts are embedded, and an import that was
    killed goes on where it stopped. Raises InvalidRequest when it may not be written.
    """
    with _unfinished(home, encoder) as journal:
        there = _written(url, encoder, home)
        _embed(items, there, journal, encoder, bar)
        write_features(url, items, encoder, there | journal.vectors, min(SURVEY_SIZE, len(items)))
        _copy(source, url)
        journal.forget()


class VectorJournal:
    """Vectors of films' texts in a file that only grows: a killed process loses none of them."""

    def __init__(self, path: Path, dim: int) -> None:
        self._path = path
        record = np.dtype([("mark", f"S{MARK}"), ("vector", np.float32, (dim,))])
        self._record = record
        self.vectors: dict[str, Vector] = {}
        if path.exists():
            whole = path.stat().st_size // record.itemsize
            with path.open("r+b") as file:
                file.truncate(whole * record.itemsize)  # the last may have been cut short
            for mark, vector in np.fromfile(path, record):
                self.vectors[mark.decode()] = vector

    def add(self, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors by fingerprint."""
        self.vectors |= vectors
        with self._path.open("ab") as file:
            np.array([(mark.encode(), v) for mark, v in vectors.items()], self._record).tofile(file)

    def forget(self) -> None:
        """What was unfinished is finished."""
        self._path.unlink(missing_ok=True)


@contextmanager
def _unfinished(home: Path, encoder: TextEncoder) -> Iterator[VectorJournal]:
    """What an import that was killed left. Raises InvalidRequest while another one runs."""
    home.mkdir(parents=True, exist_ok=True)
    lock = InterProcessLock(home / "import.lock")
    if not lock.acquire(blocking=False):
        lock.lockfile.close()  # it leaves it open then
        raise InvalidRequest("Another import is running. Wait until it has ended.")
    try:
        name = "".join(c if c.isalnum() else "-" for c in encoder.model_version)
        yield VectorJournal(home / f"import-{name}.vectors", encoder.dim)
    finally:
        lock.release()


def _written(url: str, encoder: TextEncoder, home: Path) -> dict[str, Vector]:
    """The vectors that an earlier import wrote, if they can be used."""
    try:
        path = local_copy(f"{url}/{FEATURES}/{EMBEDDINGS}", home / "downloads")
        return read_embeddings(path, encoder)
    except InvalidRequest:  # nothing is there, or of another encoder: it is written anew
        return {}


def _embed(
    items: Sequence[Item],
    there: Mapping[str, Vector],
    journal: VectorJournal,
    encoder: TextEncoder,
    bar: Progress,
) -> None:
    marks = {item.item_id: fingerprint(item, encoder.model_version) for item in items}
    waiting = [
        item
        for item in items
        if marks[item.item_id] not in there and marks[item.item_id] not in journal.vectors
    ]
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        made = embedded(batch, encoder, {})
        journal.add({marks[item.item_id]: v for item, v in zip(batch, made, strict=True)})
        bar(start + len(batch), len(waiting))


def _copy(source: Source, url: str) -> None:
    """Keep what was imported: the archive, the file, or the folder's files."""
    path = source.path
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    with writing(url) as (there, root):
        for file in files:
            target = f"{root}/{RAW}/{file.relative_to(path.parent).as_posix()}"
            with file.open("rb") as read, there.open(target, "wb") as out:
                shutil.copyfileobj(read, out, COPIED)
