"""A catalogue as files: ``features/items.parquet``, ``item_embeddings.parquet`` and
``survey_movies.json`` under a folder, here or in S3. Needs pyarrow (extra ``[features]``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem
from pydantic import BaseModel, ValidationError

from fusion.encoder import TextEncoder
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.indexer import ADDED, embedded, fingerprint
from recommender.models import Item, SurveyMovie
from recommender.remote_files import writing
from recommender.stores.ports import Vector
from recommender.survey import curate

FEATURES = "features"
ITEMS = "items.parquet"
EMBEDDINGS = "item_embeddings.parquet"
SURVEY = "survey_movies.json"
SURVEY_SIZE = 600
"""As many films as the survey weighs against each other."""
READ_AT_A_TIME = 1000
"""Rows that are objects twice, as read and as films."""
MADE_BY = b"reelwise.encoder"
ANEW = "Write the features anew with: reelwise features --out URL"

_NAMES = pa.list_(pa.string())
ITEM_SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("year", pa.int16()),
        pa.field("genres", _NAMES, nullable=False),
        pa.field("director", _NAMES, nullable=False),
        pa.field("cast", _NAMES, nullable=False),
        pa.field("tags", _NAMES, nullable=False),
        pa.field("overview", pa.string(), nullable=False),
        pa.field("poster", pa.string()),
        pa.field("credit", pa.string(), nullable=False),
        pa.field("imdb_id", pa.string()),
        pa.field("tmdb_id", pa.int32()),
        pa.field("rating_count", pa.int32(), nullable=False),
        pa.field("rating_mean", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Features:
    """The films; their texts' vectors by fingerprint; the films that surveys ask about first.

    The vectors are read when one is asked for, which may raise InvalidRequest then.
    """

    items: Sequence[Item]
    vectors: Mapping[str, Vector]
    survey: Sequence[str]


class _Unread(Mapping[str, Vector]):
    """Vectors that stay in their file until one is asked for: who has indexed all asks for none."""

    def __init__(self, read: Callable[[], Mapping[str, Vector]]) -> None:
        self._read = read

    @cached_property
    def _vectors(self) -> Mapping[str, Vector]:
        return self._read()

    def __getitem__(self, fingerprint: str) -> Vector:
        return self._vectors[fingerprint]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)


class _SurveySet(BaseModel):
    movies: tuple[SurveyMovie, ...]


def write_features(
    url: str,
    items: Sequence[Item],
    encoder: TextEncoder,
    known: Mapping[str, Vector],
    survey_size: int = SURVEY_SIZE,
    seed: int = 0,
) -> None:
    """Write all three files below ``url``; only films that are not ``known`` are embedded.

    Raises InvalidRequest when it may not be written.
    """
    vectors = np.array(embedded(items, encoder, known), dtype=np.float32)
    with writing(url) as (files, root):
        write_items(files, f"{root}/{FEATURES}/{ITEMS}", items)
        write_embeddings(files, f"{root}/{FEATURES}/{EMBEDDINGS}", items, vectors, encoder)
        write_survey(files, f"{root}/{FEATURES}/{SURVEY}", items, survey_size, seed)


def write_items(files: AbstractFileSystem, path: str, items: Sequence[Item]) -> None:
    """Write films, one a row."""
    table = pa.Table.from_pylist([item.model_dump() for item in items], ITEM_SCHEMA)
    _write(files, path, table)


def write_embeddings(
    files: AbstractFileSystem,
    path: str,
    items: Sequence[Item],
    vectors: Vector,
    encoder: TextEncoder,
) -> None:
    """Write the vectors of films' texts, shape (items, dim), with what they were made of."""
    flat = pa.array(vectors.ravel(), pa.float32())
    columns = {
        "item_id": [item.item_id for item in items],
        "fingerprint": [fingerprint(item, encoder.model_version) for item in items],
        "embedding": pa.FixedSizeListArray.from_arrays(flat, encoder.dim),
    }
    table = pa.table(columns).replace_schema_metadata({MADE_BY: encoder.model_version})
    _write(files, path, table)


def write_survey(
    files: AbstractFileSystem, path: str, items: Sequence[Item], size: int, seed: int
) -> None:
    """Write a spread of well known films over genres and eras, the same for the same seed."""
    catalogue = Catalogue(items)
    chosen = catalogue.select(curate(catalogue, (), min(size, len(catalogue)), seed))
    movies = tuple(SurveyMovie(**SurveyMovie.facts(item)) for item in chosen)
    with files.open(path, "w", encoding="utf-8") as out:
        out.write(_SurveySet(movies=movies).model_dump_json(indent=1))


def read_features(folder: Path, encoder: TextEncoder) -> Features:
    """Read what `write_features` wrote; raises InvalidRequest for what cannot be used."""
    items = read_items_table(folder / ITEMS)
    return Features(
        items,
        _Unread(lambda: read_embeddings(folder / EMBEDDINGS, encoder)),
        _read_survey(folder / SURVEY, {item.item_id for item in items}),
    )


def read_items_table(path: Path) -> list[Item]:
    """The films of a table. Raises InvalidRequest naming the file and what is wrong with it."""
    table = _read(path, ITEM_SCHEMA.names, ADDED)
    try:
        films = [
            Item.model_validate(row)
            for batch in table.to_batches(max_chunksize=READ_AT_A_TIME)
            for row in batch.to_pylist()
        ]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidRequest(
            f"{path} holds what is no film: {first['loc'][0]} {first['input']!r}: {first['msg']}."
        ) from error
    del table
    pa.default_memory_pool().release_unused()
    return films


def read_embeddings(path: Path, encoder: TextEncoder) -> dict[str, Vector]:
    """Vectors by fingerprint. Raises InvalidRequest also for those of another encoder."""
    table = _read(path, ["item_id", "fingerprint", "embedding"])
    kind = table.schema.field("embedding").type
    if not (pa.types.is_fixed_size_list(kind) and pa.types.is_float32(kind.value_type)):
        raise InvalidRequest(f"{path}: embedding is {kind}, not a fixed size list of float. {ANEW}")
    if kind.list_size != encoder.dim:
        raise InvalidRequest(
            f"{path} holds vectors of {kind.list_size} numbers, the encoder makes {encoder.dim}. "
            f"Set ENCODER_DIR to the encoder that made them, or: {ANEW}"
        )
    made_by = (table.schema.metadata or {}).get(MADE_BY, b"").decode()
    if made_by != encoder.model_version:
        raise InvalidRequest(
            f"{path} was made by the encoder {made_by!r}, this is {encoder.model_version!r}. "
            f"Set ENCODER_DIR to the encoder that made them, or: {ANEW}"
        )
    flat = table["embedding"].combine_chunks().flatten().to_numpy()
    vectors = flat.reshape(-1, encoder.dim)
    if not np.isfinite(vectors).all():
        raise InvalidRequest(f"{path} holds numbers that are not finite. {ANEW}")
    return dict(zip(table["fingerprint"].to_pylist(), vectors, strict=True))


def _read_survey(path: Path, known: set[str]) -> list[str]:
    try:
        survey = _SurveySet.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InvalidRequest(f"{path} is missing. {ANEW}") from error
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise InvalidRequest(f"{path} is not a set of survey movies: {reason}. {ANEW}") from error
    ids = [movie.item_id for movie in survey.movies]
    if strangers := sorted(set(ids) - known):
        raise InvalidRequest(f"{path} names {strangers[0]!r}, which {ITEMS} does not hold. {ANEW}")
    return ids


def _write(files: AbstractFileSystem, path: str, table: pa.Table) -> None:
    with files.open(path, "wb") as out:
        pq.write_table(table, out, compression="zstd", write_page_checksum=True)


def _read(path: Path, columns: Sequence[str], optional: Set[str] = frozenset()) -> pa.Table:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            held = [name for name in columns if name in file.schema_arrow.names]
            if lacking := [name for name in columns if name not in {*held, *optional}]:
                raise InvalidRequest(f"{path} has no column {', '.join(lacking)}. {ANEW}")
            return file.read(held)
    except FileNotFoundError as error:
        raise InvalidRequest(f"{path} is missing. {ANEW}") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidRequest(f"{path} is damaged: {error}. {ANEW}") from error
