"""Approximate search with pgvector: HNSW indexes over both spaces, whole or quantised.

The table keeps every vector whole, so that candidates of an index are always ranked again by their
true inner products; only what an index holds is made smaller. Indexes are no migrations: they are
chosen by settings, best built once the films are there, and can be dropped without any loss.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pgvector.sqlalchemy import BIT, HALFVEC, VECTOR
from sqlalchemy import Column, ColumnElement, Connection, Float, bindparam, cast, func, text
from sqlalchemy.types import UserDefinedType

from recommender.stores.ports import Space, Vector
from recommender.stores.postgres.database import Database
from recommender.stores.postgres.schema import items


class Binary(UserDefinedType[Vector]):
    """A vector as the driver sends it; pgvector's own type writes each number as text in Python."""

    cache_ok = True


Quantisation = Literal["none", "halfvec", "binary"]

COLUMNS: Mapping[Space, Column[Vector]] = {
    "text": items.c.embedding,
    "fused": items.c.fused,
}
SCAN = {
    "hnsw.ef_search": "800",
    # Goes on where a filter left too few; the order is set right by ranking again.
    "hnsw.iterative_scan": "relaxed_order",
}
"""Settings of the connections that search."""
GRAPH = "m = 16, ef_construction = 128"
DEPTHS: Mapping[Quantisation, int] = {"none": 1, "halfvec": 2, "binary": 50}
"""How many times as many candidates as films are asked for are ranked again."""
PREFIX = "ann_"
MEMORY_OF_A_FILM = 400
"""Bytes of a graph's links beside each vector, roughly; building is quick while all fits."""
LEAST_MEMORY, MOST_MEMORY = 64 * 2**20, 4 * 2**30
FILTERS = {
    f"{PREFIX}genres": "USING gin (genres)",
    f"{PREFIX}people": 'USING gin ((director || "cast"))',
    f"{PREFIX}year": "(year)",
}
"""Let a filter that few films pass be answered exactly, without a graph."""


@dataclass(frozen=True)
class Hnsw:
    """What the indexes hold of each vector."""

    quantisation: Quantisation = "none"

    def held_as(self, space: Space) -> Quantisation:
        """Signs tell texts apart, whose vectors are equally long; the fused space's are not."""
        if space == "fused" and self.quantisation == "binary":
            return "halfvec"
        return self.quantisation

    def distance(self, vector: Vector, space: Space) -> ColumnElement[Any]:
        """The distance that the index of the space is sorted by, an expression like its own."""
        column: ColumnElement[Any] = COLUMNS[space]
        size = vector.size
        query: ColumnElement[Any] = cast(bindparam("query", vector, Binary()), VECTOR(size))
        held = self.held_as(space)
        if held == "binary":
            bits = cast(func.binary_quantize(column), BIT(size))
            asked = func.binary_quantize(query, type_=BIT(size))
            return bits.op("<~>", return_type=Float())(asked)
        if held == "halfvec":
            column, query = cast(column, HALFVEC(size)), cast(query, HALFVEC(size))
        return column.op("<#>", return_type=Float())(query)

    def depth(self, k: int, space: Space) -> int:
        """How many candidates are ranked again for k films."""
        return k * DEPTHS[self.held_as(space)]


def build_indexes(database: Database, hnsw: Hnsw | None) -> None:
    """Have exactly the indexes that ``hnsw`` asks for, or none; those that are there are kept.

    Nobody is locked out meanwhile; while one server builds, others go on without. Raises
    StoreUnavailable.
    """
    with database.connect() as connection, _only_one(connection) as mine:
        if not mine:
            return
        wanted = {} if hnsw is None else _definitions(connection, hnsw)
        drop_indexes(connection, keep=wanted)
        missing = [name for name in wanted if name not in _existing(connection)]
        for name in missing:
            connection.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON items {wanted[name]}"))
        if missing:
            connection.execute(text("ANALYZE items"))


@contextmanager
def _only_one(connection: Connection) -> Iterator[bool]:
    """Whether this session alone may build, which then has the memory to."""
    mine: bool = connection.execute(text("SELECT pg_try_advisory_lock(727002)")).scalar_one()
    if not mine:
        yield False
        return
    try:
        connection.execute(text(f"SET maintenance_work_mem = '{_memory(connection) // 1024}kB'"))
        yield True
    finally:
        connection.execute(text("RESET maintenance_work_mem"))
        connection.execute(text("SELECT pg_advisory_unlock(727002)"))


def length(connection: Connection, column: str) -> int:
    """How many numbers the vectors of a column of films have."""
    statement = text(
        "SELECT atttypmod FROM pg_attribute "
        "WHERE attrelid = 'items'::regclass AND attname = :column"
    )
    return int(connection.execute(statement, {"column": column}).scalar_one())


def drop_indexes(connection: Connection, keep: Collection[str] = ()) -> None:
    """Drop all indexes of this module, and those whose building broke off, but for ``keep``."""
    for name, valid in _existing(connection).items():
        if name not in keep or not valid:
            connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def _existing(connection: Connection) -> dict[str, bool]:
    """This module's indexes by name, and whether they were built to the end."""
    rows = connection.execute(
        text(
            "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid "
            "WHERE indrelid = 'items'::regclass AND starts_with(relname, :prefix)"
        ),
        {"prefix": PREFIX},
    )
    return {row.relname: row.indisvalid for row in rows}


def _definitions(connection: Connection, hnsw: Hnsw) -> dict[str, str]:
    graphs = {}
    for space, column in COLUMNS.items():
        held, name = hnsw.held_as(space), column.name
        dim = length(connection, name)
        graphs[f"{PREFIX}{name}_{held}_{dim}"] = (
            f"USING hnsw ({_expression(name, held, dim)}) WITH ({GRAPH})"
        )
    return graphs | FILTERS


def _expression(column: str, held: Quantisation, dim: int) -> str:
    if held == "binary":
        return f"(binary_quantize({column})::bit({dim})) bit_hamming_ops"
    if held == "halfvec":
        return f"({column}::halfvec({dim})) halfvec_ip_ops"
    return f"{column} vector_ip_ops"


def _memory(connection: Connection) -> int:
    """Bytes that hold a graph of all films while it is built."""
    count: int = connection.execute(text("SELECT count(*) FROM items")).scalar_one()
    dims = [length(connection, column.name) for column in COLUMNS.values()]
    return min(max(count * (4 * max(dims) + MEMORY_OF_A_FILM), LEAST_MEMORY), MOST_MEMORY)
