"""Approximate search with pgvector: a graph over texts, lists for people's space (fused).

Texts are equally long, and a graph (HNSW) leads to the nearest. People's space has vectors of
different lengths, where few links lead to the short ones: a graph with enough of them takes hours
for a million films. Lists (IVFFlat), each of films that lie together, take minutes; those whose
centres have the highest inner products with the query are looked through.

The table keeps every vector whole, so that candidates of an index are always ranked again by their
true inner products; only what an index holds is made smaller. Indexes are no migrations: they are
chosen by settings, best built once the films are there, and can be dropped without any loss.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pgvector.sqlalchemy import BIT, HALFVEC, VECTOR
from sqlalchemy import ColumnElement, Connection, Float, Table, bindparam, cast, func, select, text
from sqlalchemy.types import UserDefinedType

from recommender.stores.ports import Space, Vector
from recommender.stores.postgres.database import Database
from recommender.stores.postgres.schema import items


class Binary(UserDefinedType[Vector]):
    """A vector as the driver sends it; pgvector's own type writes each number as text in Python."""

    cache_ok = True


Quantisation = Literal["none", "halfvec", "binary"]

COLUMNS: Mapping[Space, str] = {"text": "embedding", "fused": "fused"}
SCAN = {
    "hnsw.ef_search": "800",
    # Goes on where a filter left too few; the order is set right by ranking again.
    "hnsw.iterative_scan": "relaxed_order",
    # Ten times the defaults: of a million films 20,000 are walked past before enough pass a filter
    # that takes out what lies nearest, and what is left of the walk then is not the best.
    "hnsw.max_scan_tuples": "200000",
    "hnsw.scan_mem_multiplier": "32",  # of work_mem: 128 MB at most
    "ivfflat.probes": "150",
    "ivfflat.iterative_scan": "relaxed_order",
    # A plan for any filter takes each for one that few films pass, and fetches all that do.
    "plan_cache_mode": "force_custom_plan",
}
"""Settings of the connections that search."""
LINKS, WIDTH = 16, 128
"""Of each film in a graph, ``m``, and of the search for them, ``ef_construction``."""
FILMS_OF_A_LIST, MOST_LISTS = 250, 1000
"""So that up to 37,500 films all lists are looked through, and of a million 150 in 1,000."""
FAR = 1000.0
"""How far out in a query's direction the point lies from which lists are searched: the nearest to
it have the highest inner products, as how long films' vectors are, 0.3 to 3.3, hardly matters
beside it. Distances from one much farther out would differ too little for 32-bit floats."""
DEPTHS: Mapping[Quantisation, int] = {"none": 1, "halfvec": 2, "binary": 50}
"""How many times as many candidates as films are asked for are ranked again."""
DEPTH_OF_LISTS = 2
"""The same for lists, with a filter as without: they are looked through to the end."""
LEAST_FILTERED: Mapping[Quantisation, int] = {"none": 1500, "halfvec": 1500, "binary": 2000}
"""Candidates at least, of those that pass a filter: where it takes out what lies nearest, the best
of the rest are nearly as far away as thousands of others, which signs hardly tell apart."""
PREFIX = "ann_"
MEMORY_OF_A_FILM = 3000
"""Bytes of a graph's links beside each vector, roughly; building is quick while all fits."""
LEAST_MEMORY, MOST_MEMORY = 64 * 2**20, 4 * 2**30
FILTERS = {
    f"{PREFIX}genres": "USING gin (genres)",
    f"{PREFIX}people": 'USING gin ((director || "cast"))',
    f"{PREFIX}year": "(year)",
}
"""Let a filter that few films pass be answered exactly, without a graph or lists."""


@dataclass(frozen=True)
class Hnsw:
    """What the indexes hold of each vector."""

    quantisation: Quantisation = "none"

    def held_as(self, space: Space) -> Quantisation:
        """Signs tell texts apart, whose vectors are equally long; the fused space's are not."""
        if space == "fused" and self.quantisation == "binary":
            return "halfvec"
        return self.quantisation

    def distance(
        self, column: ColumnElement[Any], vector: Vector, space: Space
    ) -> ColumnElement[Any]:
        """The distance that the index of the space is sorted by, an expression like its own."""
        size, held = vector.size, self.held_as(space)
        if space == "fused":
            return _from_afar(column, vector, held)
        query: ColumnElement[Any] = cast(bindparam("query", vector, Binary()), VECTOR(size))
        if held == "binary":
            bits = cast(func.binary_quantize(column), BIT(size))
            asked = func.binary_quantize(query, type_=BIT(size))
            return bits.op("<~>", return_type=Float())(asked)
        if held == "halfvec":
            column, query = cast(column, HALFVEC(size)), cast(query, HALFVEC(size))
        return column.op("<#>", return_type=Float())(query)

    def depth(self, k: int, space: Space, filtered: bool) -> int:
        """How many candidates are ranked again for k films."""
        if space == "fused":
            return k * DEPTH_OF_LISTS
        least = LEAST_FILTERED[self.quantisation] if filtered else 0
        return max(k * DEPTHS[self.quantisation], least)


def _from_afar(
    column: ColumnElement[Any], vector: Vector, held: Quantisation
) -> ColumnElement[Any]:
    """The distance from the point that lies far out in a vector's direction."""
    norm = max(float(np.linalg.norm(vector)), float(np.finfo(np.float32).tiny))
    point = (vector / np.float32(norm)) * np.float32(FAR)
    far: ColumnElement[Any] = cast(bindparam("far", point, Binary()), VECTOR(vector.size))
    if held == "halfvec":
        column, far = cast(column, HALFVEC(vector.size)), cast(far, HALFVEC(vector.size))
    return column.op("<->", return_type=Float())(far)


def build_indexes(
    database: Database,
    hnsw: Hnsw | None,
    table: Table = items,
    spaces: Collection[Space] = tuple(COLUMNS),
) -> bool:
    """Have exactly the indexes that ``hnsw`` asks for, or none; whether any had to be built.

    Nobody is locked out meanwhile; while one server builds, others go on without. Raises
    StoreUnavailable.
    """
    with database.connect() as connection, _only_one(connection, table) as mine:
        if not mine:
            return False
        wanted = {} if hnsw is None else _definitions(connection, hnsw, table, spaces)
        drop_indexes(connection, table, keep=wanted)
        missing = [name for name in wanted if name not in _existing(connection, table)]
        for name in missing:
            statement = f"CREATE INDEX CONCURRENTLY {name} ON {table.name} {wanted[name]}"
            connection.execute(text(statement))
        if missing:
            connection.execute(text(f"ANALYZE {table.name}"))
        return bool(missing)


@contextmanager
def _only_one(connection: Connection, table: Table) -> Iterator[bool]:
    """Whether this session alone may build, which then has the memory to."""
    mine: bool = connection.execute(text("SELECT pg_try_advisory_lock(727002)")).scalar_one()
    if not mine:
        yield False
        return
    try:
        memory = _memory(connection, table) // 1024
        connection.execute(text(f"SET maintenance_work_mem = '{memory}kB'"))
        yield True
    finally:
        connection.execute(text("RESET maintenance_work_mem"))
        connection.execute(text("SELECT pg_advisory_unlock(727002)"))


def length(connection: Connection, table: Table, column: str) -> int:
    """How many numbers the vectors of a column of films have."""
    statement = text(
        "SELECT atttypmod FROM pg_attribute "
        "WHERE attrelid = CAST(:table AS regclass) AND attname = :column"
    )
    asked = {"table": table.name, "column": column}
    return int(connection.execute(statement, asked).scalar_one())


def drop_indexes(connection: Connection, table: Table, keep: Collection[str] = ()) -> None:
    """Drop all indexes of this module, and those whose building broke off, but for ``keep``."""
    for name, valid in _existing(connection, table).items():
        if name not in keep or not valid:
            connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def _existing(connection: Connection, table: Table) -> dict[str, bool]:
    """This module's indexes by name, and whether they were built to the end."""
    rows = connection.execute(
        text(
            "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid "
            "WHERE indrelid = CAST(:table AS regclass) AND starts_with(relname, :prefix)"
        ),
        {"table": table.name, "prefix": PREFIX},
    )
    return {row.relname: row.indisvalid for row in rows}


def _definitions(
    connection: Connection, hnsw: Hnsw, table: Table, spaces: Collection[Space]
) -> dict[str, str]:
    """What each index is, by a name that no other table's index has."""
    wanted = dict(FILTERS)
    for space in spaces:
        column = COLUMNS[space]
        held, dim = hnsw.held_as(space), length(connection, table, column)
        name = f"{PREFIX}{column}_{held}_{dim}"
        if space == "text":
            wanted[f"{name}_m{LINKS}"] = (
                f"USING hnsw ({_expression(column, held, dim)}) "
                f"WITH (m = {LINKS}, ef_construction = {WIDTH})"
            )
        else:
            lists = _lists(_count(connection, table))
            wanted[f"{name}_l{lists}"] = (
                f"USING ivfflat ({_expression(column, held, dim, 'l2')}) WITH (lists = {lists})"
            )
    suffix = table.name.removeprefix(items.name)
    return {name + suffix: definition for name, definition in wanted.items()}


def _lists(films: int) -> int:
    return min(max(films // FILMS_OF_A_LIST, 1), MOST_LISTS)


def _expression(column: str, held: Quantisation, dim: int, distance: str = "ip") -> str:
    if held == "binary":
        return f"(binary_quantize({column})::bit({dim})) bit_hamming_ops"
    if held == "halfvec":
        return f"({column}::halfvec({dim})) halfvec_{distance}_ops"
    return f"{column} vector_{distance}_ops"


def _memory(connection: Connection, table: Table) -> int:
    """Bytes that hold a graph of all films while it is built; the lists of as many need less."""
    dims = [length(connection, table, column) for column in COLUMNS.values()]
    bytes_of_a_film = 4 * max(dims) + MEMORY_OF_A_FILM
    return min(max(_count(connection, table) * bytes_of_a_film, LEAST_MEMORY), MOST_MEMORY)


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
