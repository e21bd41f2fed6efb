"""Films and their vectors in PostgreSQL with pgvector."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pgvector.sqlalchemy import avg
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    Table,
    any_,
    bindparam,
    collate,
    delete,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from recommender.models import Filters, Item
from recommender.stores.ports import Hit, IndexedItem, ItemStore, Space, Vector, other_length
from recommender.stores.postgres.ann import (
    COLUMNS,
    Binary,
    Hnsw,
    build_indexes,
    drop_indexes,
    length,
)
from recommender.stores.postgres.database import Database
from recommender.stores.postgres.replica import CatalogueReads
from recommender.stores.postgres.schema import items

APART = ("fingerprint", "embedding", "fused")
"""Columns that are no facts of a film."""
BATCH = 500
_VECTORS = {name: bindparam(name, type_=Binary()) for name in ("embedding", "fused")}


class PostgresItemStore(ItemStore):
    """ItemStore over a table with vector columns, which are scanned, or searched by ``hnsw``."""

    def __init__(
        self,
        database: Database,
        replica: Database | None = None,
        hnsw: Hnsw | None = None,
        table: Table = items,
    ) -> None:
        """Vectors are read from the ``replica``, if there is one and it has every film."""
        self.database = database
        self._replica = replica
        self._reads = CatalogueReads(database, replica, content_of(table))
        self._hnsw = hnsw
        self.table = table

    def of(self, table: Table) -> "PostgresItemStore":
        """The same over another table."""
        return PostgresItemStore(self.database, self._replica, self._hnsw, table)

    def build_indexes(self, spaces: Collection[Space] = tuple(COLUMNS)) -> bool:
        """Have the indexes that searches go by, and no others; best when the films are there.

        Whether any had to be built.
        """
        return build_indexes(self.database, self._hnsw, self.table, spaces)

    def fingerprints(self) -> dict[str, str]:
        with self.database.connect() as connection:
            rows = connection.execute(select(self.table.c.item_id, self.table.c.fingerprint))
            return {row.item_id: row.fingerprint for row in rows}

    def hold(self, dim: int) -> None:
        with self.database.transaction() as connection:
            # Two servers may start at once: none may write between the look and the change.
            name = self.table.name
            connection.execute(text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))
            held = length(connection, self.table, "embedding")
            if held == dim:
                return
            if connection.execute(select(self.table.c.item_id).limit(1)).first():
                raise other_length(held, dim)
            # They are of the former length; indexing builds them anew.
            drop_indexes(connection, self.table)
            connection.execute(
                text(
                    f"ALTER TABLE {name} ALTER COLUMN embedding TYPE vector({dim:d}), "
                    "ALTER COLUMN embedding SET STORAGE PLAIN"
                )
            )

    def upsert(self, films: Sequence[IndexedItem]) -> None:
        statement = insert(self.table).values(_VECTORS)
        statement = statement.on_conflict_do_update(
            index_elements=[self.table.c.item_id],
            set_={column.name: column for column in statement.excluded if not column.primary_key},
        )
        with self.database.transaction() as connection:
            for start in range(0, len(films), BATCH):
                connection.execute(statement, [_row(film) for film in films[start : start + BATCH]])
        self._reads.written()

    def remove(self, item_ids: Sequence[str]) -> None:
        with self.database.connect() as connection:
            connection.execute(delete(self.table).where(self.table.c.item_id.in_(item_ids)))
        self._reads.written()

    def all(self) -> Iterable[Item]:
        facts = [column for column in self.table.c if column.name not in APART]
        with self.database.connect() as connection:
            return [_item(row) for row in connection.execute(select(*facts))]

    def nearest(
        self,
        vector: Vector,
        k: int,
        filters: Filters,
        exclude: Sequence[str] = (),
        space: Space = "text",
    ) -> list[Hit]:
        column = self.table.c[COLUMNS[space]]
        passing = _passing(self.table, filters)
        films = select(self.table.c.item_id, column.label("vector")).where(
            column.is_not(None), *passing, *_not_among(self.table, exclude)
        )
        if self._hnsw is not None:
            depth = self._hnsw.depth(k, space, filtered=bool(passing))
            candidates = films.order_by(self._hnsw.distance(column, vector, space)).limit(depth)
            hits, looked_at = self._best(candidates, vector, k)
            if looked_at == depth:
                return hits
        # Where a filter leaves few films, a graph may give up before it comes to the nearest.
        return self._best(films, vector, k)[0]

    def _best(self, films: Select[Any], vector: Vector, k: int) -> tuple[list[Hit], int]:
        """The k of these films of highest inner product, and how many these films are."""
        candidates = films.subquery()
        # What is added keeps the planner from an index for this order.
        distance = candidates.c.vector.max_inner_product(bindparam("query", vector, Binary())) + 0
        every = func.count().over() if self._hnsw else literal(0)  # counting takes a scan longer
        counted = every.label("counted")
        statement = select(candidates.c.item_id, distance.label("distance"), counted)
        rows = self._reads.rows(statement.order_by("distance").limit(k))
        hits = [Hit(row.item_id, -float(row.distance)) for row in rows]
        return hits, rows[0].counted if rows else 0

    def vectors(self, item_ids: Sequence[str], space: Space = "text") -> Mapping[str, Vector]:
        # As bytes: the driver would parse each number of the text form in Python.
        column = self.table.c[COLUMNS[space]]
        packed = func.vector_send(column, type_=LargeBinary).label("packed")
        statement = select(self.table.c.item_id, packed).where(
            self.table.c.item_id == _any(item_ids), column.is_not(None)
        )
        rows = self._reads.rows(statement)
        return {row.item_id: unpacked(row.packed) for row in rows}

    def mean_vector(self) -> Vector | None:
        with self.database.connect() as connection:
            mean = connection.execute(select(avg(self.table.c.embedding))).scalar_one_or_none()
        return None if mean is None else np.asarray(mean, dtype=np.float32)


def content_of(table: Table) -> Select[str]:
    """A query for the ``version_of`` the films in a table."""
    film = table.c.item_id + literal(" ") + table.c.fingerprint
    by_code_point = aggregate_order_by(literal(","), collate(table.c.item_id, "C"))
    return select(func.md5(func.coalesce(func.string_agg(film, by_code_point), "")))


def unpacked(packed: bytes) -> Vector:
    """Read pgvector's binary form: two 16-bit integers, then big-endian 32-bit floats."""
    return np.frombuffer(packed, dtype=">f4", offset=4).astype(np.float32)


def _any(values: Sequence[str]) -> ColumnElement[bool]:
    return any_(bindparam(None, list(values), type_=items.c.genres.type))


def _passing(table: Table, filters: Filters) -> list[ColumnElement[bool]]:
    films = table.c
    conditions: list[ColumnElement[bool]] = []
    if filters.include_genres:
        conditions.append(films.genres.contains(list(filters.include_genres)))
    if filters.exclude_genres:
        conditions.append(~films.genres.overlap(list(filters.exclude_genres)))
    if filters.year_from is not None:
        conditions.append(films.year >= filters.year_from)
    if filters.year_to is not None:
        conditions.append(films.year <= filters.year_to)
    people = films.director.concat(films.cast)
    if filters.people:
        conditions.append(people.contains(list(filters.people)))
    if filters.exclude_people:
        conditions.append(~people.overlap(list(filters.exclude_people)))
    return conditions


def _not_among(table: Table, item_ids: Sequence[str]) -> list[ColumnElement[bool]]:
    return [~(table.c.item_id == _any(item_ids))] if item_ids else []


def _row(film: IndexedItem) -> dict[str, object]:
    facts = film.item.model_dump()
    lists = {name: list(facts[name]) for name in ("genres", "director", "cast", "tags")}
    return (
        facts
        | lists
        | {
            "fingerprint": film.fingerprint,
            "embedding": film.vector,
            "fused": film.fused,
        }
    )


def _item(row: Row[tuple[object, ...]]) -> Item:
    return Item.model_validate(dict(row._mapping))
