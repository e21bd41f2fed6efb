"""Films and their vectors in Chroma, embedded: files in one folder (extra ``[chroma]``).

Searches go through Chroma's HNSW graphs, so they are approximate in which films they find, not in
their scores. In a graph by inner product, films with short vectors are hard to reach once films are
filtered. So each vector is stored with one number more, which makes all equally long: then the film
of the highest inner product is the nearest one (Bachrach et al. 2014, "Speeding Up the Xbox
Recommender System Using a Euclidean Transformation for Inner-Product Spaces").
"""

# ruff: noqa: D102 - the port documents the methods

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import ChromaError
from fasteners import InterProcessLock

from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.models import Filters, Item
from recommender.stores.ports import Hit, IndexedItem, ItemStore, Space, Vector, other_length

HNSW = {"space": "l2", "max_neighbors": 32, "ef_construction": 200, "ef_search": 400}
REACH = 32.0
"""The length that vectors are made; one that is longer than this is still found, less surely."""
PAGE = 1000
"""Of ids and films that one request names or reads."""

Where = dict[str, Any]


@contextmanager
def open_chroma(folder: Path) -> Iterator["ChromaItemStore"]:
    """The store in a folder, made on first use. Its files belong to one process at a time.

    Raises InvalidRequest when another process has it open, or when it cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), _opened(folder) as client:
        yield ChromaItemStore(client)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = InterProcessLock(folder / "lock")
    if not lock.acquire(blocking=False):
        lock.lockfile.close()
        raise InvalidRequest(
            f"{folder} is in use, and Chroma's files belong to one process: stop the other one, "
            "or set ITEM_STORE=postgres, which serves several."
        )
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    try:
        client: Any = chromadb.PersistentClient(
            folder, settings=Settings(anonymized_telemetry=False)
        )
    except (ChromaError, ValueError) as error:
        raise InvalidRequest(
            f"{folder} holds no index that Chroma can read ({error}). Move it away and start "
            "again: films are indexed anew, swipes are not in it."
        ) from error
    with client:
        yield client


class ChromaItemStore(ItemStore):
    """ItemStore over one collection for each space.

    A film counts as stored once it is in the collection of texts, which is written last and emptied
    last: what a crash leaves half done is done again at the next indexing.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401 - an interface that Chroma types loosely
        self._client = client
        with _answering():
            self._spaces: dict[Space, Any] = {
                "text": self._made("text"),
                "fused": self._made("fused"),
            }

    def fingerprints(self) -> dict[str, str]:
        return {
            item_id: facts["fingerprint"]
            for page in self._pages("metadatas")
            for item_id, facts in zip(page["ids"], page["metadatas"], strict=True)
        }

    def hold(self, dim: int) -> None:
        with _answering():
            held = self._spaces["text"].get(limit=1, include=["embeddings"])["embeddings"]
            if len(held) and held[0].size != dim + 1:
                raise other_length(held[0].size - 1, dim)
            if not len(held):  # an emptied collection still asks for the length that it had
                self._client.delete_collection("text")
                self._spaces["text"] = self._made("text")

    def upsert(self, items: Sequence[IndexedItem]) -> None:
        films = list({film.item.item_id: film for film in items}.values())
        size = self._client.get_max_batch_size()
        with _answering():
            for start in range(0, len(films), size):
                self._write(films[start : start + size])

    def remove(self, item_ids: Sequence[str]) -> None:
        with _answering():
            for page in _paged(item_ids):
                self._spaces["fused"].delete(ids=page)
                self._spaces["text"].delete(ids=page)

    def all(self) -> Iterable[Item]:
        return [
            Item.model_validate_json(facts["item"])
            for page in self._pages("metadatas")
            for facts in page["metadatas"]
        ]

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        with _answering():
            found = self._spaces[space].query(
                query_embeddings=[np.append(vector, np.float32(0))],
                n_results=k,
                where=_where(filters, exclude),
                include=["embeddings"],
            )
        pairs = zip(found["ids"][0], _shortened(found["embeddings"][0]), strict=True)
        hits = [Hit(item_id, float(stored @ vector)) for item_id, stored in pairs]
        return sorted(hits, key=lambda hit: -hit.score)

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        vectors: dict[str, Vector] = {}
        with _answering():
            for page in _paged(item_ids):
                found = self._spaces[space].get(ids=page, include=["embeddings"])
                vectors.update(zip(found["ids"], _shortened(found["embeddings"]), strict=True))
        return vectors

    def mean_vector(self) -> Vector | None:
        sums, count = np.zeros(1), 0
        for page in self._pages("embeddings"):
            rows = _shortened(page["embeddings"])
            sums, count = sums + np.sum(rows, axis=0, dtype=np.float64), count + len(rows)
        return np.asarray(sums / count, dtype=np.float32) if count else None

    def _made(self, name: str) -> Any:  # noqa: ANN401
        return self._client.get_or_create_collection(
            name, embedding_function=None, configuration={"hnsw": HNSW}
        )

    def _write(self, films: Sequence[IndexedItem]) -> None:
        placed = [film for film in films if film.fused is not None]
        if unplaced := [film.item.item_id for film in films if film.fused is None]:
            self._spaces["fused"].delete(ids=unplaced)
        self._put("fused", placed, [film.fused for film in placed])
        self._put("text", films, [film.vector for film in films])

    def _put(
        self, space: Space, films: Sequence[IndexedItem], vectors: Sequence[Vector | None]
    ) -> None:
        if films:
            self._spaces[space].upsert(
                ids=[film.item.item_id for film in films],
                embeddings=_lengthened(np.array(vectors, dtype=np.float32)),
                metadatas=[_facts(film) for film in films],
            )

    def _pages(self, what: str) -> Iterator[Any]:
        """All films of the collection of texts, some at a time."""
        with _answering():
            for offset in range(0, self._spaces["text"].count(), PAGE):
                yield self._spaces["text"].get(limit=PAGE, offset=offset, include=[what])


@contextmanager
def _answering() -> Iterator[None]:
    """Raises StoreUnavailable for what goes wrong in Chroma."""
    try:
        yield
    except ChromaError as error:
        raise StoreUnavailable(f"Chroma: {error}") from error


def _lengthened(rows: Vector) -> Vector:
    """Shape (films, dim + 1): rows of the length REACH."""
    squares = np.einsum("ij,ij->i", rows, rows)
    missing = np.sqrt(np.maximum(REACH**2 - squares, 0))
    return np.column_stack([rows, missing]).astype(np.float32)


def _shortened(rows: Sequence[Any]) -> list[Vector]:
    """The vectors that were put in."""
    return [np.asarray(row[:-1], dtype=np.float32) for row in rows]


def _facts(film: IndexedItem) -> dict[str, Any]:
    """A film's metadata: itself as JSON, and what filters ask for, where there is any."""
    item = film.item
    asked = {"year": item.year, "genres": list(item.genres), "people": list(item.people)}
    kept = {"item": item.model_dump_json(), "fingerprint": film.fingerprint}
    return (
        kept | {"item_id": item.item_id} | {name: value for name, value in asked.items() if value}
    )


def _where(filters: Filters, exclude: Sequence[str]) -> Where | None:
    conditions: list[Where] = [
        *({"genres": {"$contains": name}} for name in filters.include_genres),
        *({"genres": {"$not_contains": name}} for name in filters.exclude_genres),
        *({"people": {"$contains": name}} for name in filters.people),
        *({"people": {"$not_contains": name}} for name in filters.exclude_people),
    ]
    if filters.year_from is not None:
        conditions.append({"year": {"$gte": filters.year_from}})
    if filters.year_to is not None:
        conditions.append({"year": {"$lte": filters.year_to}})
    if exclude:
        conditions.append({"item_id": {"$nin": list(exclude)}})
    return {"$and": conditions} if len(conditions) > 1 else next(iter(conditions), None)


def _paged(item_ids: Sequence[str]) -> Iterator[list[str]]:
    unique = list(dict.fromkeys(item_ids))
    return (unique[start : start + PAGE] for start in range(0, len(unique), PAGE))
