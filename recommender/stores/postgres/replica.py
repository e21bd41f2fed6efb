"""Reads of the catalogue that may be a moment old: a replica's, while it has what was written."""

import logging
from collections.abc import Sequence
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Executable, Row

from recommender.errors import StoreUnavailable
from recommender.stores.postgres.database import Database

PAUSE_SECONDS = 15.0
"""How long a replica that failed is left alone."""
LAG_SECONDS = 0.5
"""How long before a replica that was behind is looked at again."""
Rows = Sequence[Row[Any]]

log = logging.getLogger(__name__)


class CatalogueReads:
    """Runs queries on the replica, or on the primary: without one, while it fails, and while it
    lags behind what was written. Thread-safe.
    """

    def __init__(self, primary: Database, replica: Database | None, state: Executable) -> None:
        """``state`` is a query whose answers are equal where the films are."""
        self._primary = primary
        self._replica = replica
        self._state = state
        self._followed = False
        self._next_look = monotonic()
        self._look = Lock()

    def rows(self, statement: Executable) -> Rows:
        """The rows of a query. Raises StoreUnavailable when the primary fails, too."""
        if self._replica is not None and self._follows(self._replica):
            try:
                return _rows(self._replica, statement)
            except StoreUnavailable as error:
                self._rest(error)
        return _rows(self._primary, statement)

    def written(self) -> None:
        """Films changed on the primary: the replica is behind until it has shown otherwise."""
        self._followed, self._next_look = False, monotonic()

    def _follows(self, replica: Database) -> bool:
        if self._followed:
            return True
        if monotonic() < self._next_look or not self._look.acquire(blocking=False):
            return False
        try:
            self._followed = _rows(replica, self._state) == _rows(self._primary, self._state)
            self._next_look = monotonic() + LAG_SECONDS
        except StoreUnavailable as error:
            self._rest(error)
        finally:
            self._look.release()
        return self._followed

    def _rest(self, error: StoreUnavailable) -> None:
        log.warning("the replica does not answer, the primary is asked: %s", error.detail)
        self._followed, self._next_look = False, monotonic() + PAUSE_SECONDS


def _rows(database: Database, statement: Executable) -> Rows:
    with database.connect() as connection:
        return connection.execute(statement).all()
