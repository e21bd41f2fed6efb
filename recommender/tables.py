"""Films and their vectors as tables of Parquet. Needs pyarrow (extra ``[features]``)."""

from collections.abc import Sequence, Set
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem
from pydantic import ValidationError

from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.features import ANEW
from recommender.indexer import ADDED, fingerprint
from recommender.models import Item
from recommender.stores.ports import Vector

READ_AT_A_TIME = 1000
"""Rows that are objects twice, as read and as films."""
MADE_BY = b"reelwise.encoder"

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
