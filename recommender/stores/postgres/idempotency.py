"""Rows that are recorded once for each idempotency key of a user's."""

from collections.abc import Iterable

from sqlalchemy import Table, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from recommender.stores.postgres.database import Prepared


def inserting_once(table: Table, columns: Iterable[str]) -> Prepared:
    """Insert a row of parameters and return it; nothing where the user's key was used before."""
    return Prepared(
        insert(table)
        .values({name: bindparam(name) for name in columns})
        .on_conflict_do_nothing(
            index_elements=["user_id", "idempotency_key"],
            index_where=table.c.idempotency_key.is_not(None),
        )
        .returning(*table.c)
    )


def finding_by_key(table: Table) -> Prepared:
    """The row that a user's key recorded."""
    return Prepared(
        select(table).where(
            table.c.user_id == bindparam("user_id"),
            table.c.idempotency_key == bindparam("idempotency_key"),
        )
    )
