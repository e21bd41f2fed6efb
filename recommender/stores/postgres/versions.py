"""Versions of the films' index, each a table of its own: one serves, and the former is kept.

A version is named by what it holds, so it changes with the models and with every film. It is built
beside the one that serves, and takes its place in one transaction. A server reads the version that
it started with: whatever it has under way, and what it caches, is of one version. The table
``items`` is the version of releases that had no others.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Text, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.stores.ports import other_length, version_of
from recommender.stores.postgres.ann import length
from recommender.stores.postgres.items import PostgresItemStore, content_of
from recommender.stores.postgres.schema import index_versions, items, items_of

BUILDING, SERVING, FORMER = "building", "serving", "former"
WITHDRAWN, RETIRED = "withdrawn", "retired"
DROP_SECONDS = 5
"""How long it is waited for those who still read a table that is to go."""
UNKNOWN = ""
"""The models of the table ``items`` where it was not indexed by this release."""

log = logging.getLogger(__name__)
Fill = Callable[[PostgresItemStore], object]


@dataclass(frozen=True)
class Version:
    """A version and what became of it: ``models`` are those that its vectors were made by."""

    number: int
    version: str
    models: str
    state: str

    @property
    def name(self) -> str:
        """What people call it by."""
        return self.version[:12]


class IndexVersions:
    """The versions in one database."""

    def __init__(self, store: PostgresItemStore) -> None:
        """``store`` says where films are and how they are read; here it is said which."""
        self._database = store.database
        self._store = store

    def serving(self) -> PostgresItemStore:
        """The films that serve; where nothing was switched to yet, those of the table ``items``."""
        found = self.find(SERVING)
        return self._store if found is None else self._of(found)

    def find(self, *states: str) -> Version | None:
        """The version in one of these states, the newest if there are several."""
        statement = select(index_versions).where(index_versions.c.state.in_(states))
        with self._database.connect() as connection:
            row = connection.execute(
                statement.order_by(index_versions.c.number.desc()).limit(1)
            ).first()
        return None if row is None else Version(row.number, row.version, row.models, row.state)

    def bring_up(
        self,
        wanted: Mapping[str, str],
        models: str,
        dim: int,
        fill: Fill,
        anew: bool = False,
        asked: bool = False,
    ) -> PostgresItemStore:
        """The films of these fingerprints, by id, whose vectors have ``dim`` numbers.

        If another version serves, this one is built by ``fill`` from a copy of what did not change
        (``anew``: from nothing), and then serves. What was broken off is gone on with. A version
        that was withdrawn serves again only when somebody ``asked``; until then it is the one
        before.

        Raises InvalidRequest when that one is of other models, or holds vectors of another length
        and nobody said ``anew``; StoreUnavailable.
        """
        version = version_of(wanted)
        there = None if anew else self._there(version, models, asked)
        if there is None or there.state != SERVING:  # else nobody need be waited for
            with self._alone():
                self._adopt(models, version)
                there = None if anew else self._there(version, models, asked)
                there = there or self._built(wanted, models, dim, fill, anew)
                if there.state != SERVING:
                    self._switch(there, FORMER)
        store = self._of(there)
        store.build_indexes()
        return store

    def roll_back(self) -> Version:
        """Have the former version serve again; the one that served is withdrawn.

        Raises InvalidRequest when there is no former one; StoreUnavailable.
        """
        with self._alone():
            former = self.find(FORMER)
            if former is None:
                raise InvalidRequest(
                    "There is no former index to go back to: it is kept from one switch to the "
                    "next. To take a withdrawn one again: reelwise index"
                )
            self._switch(former, WITHDRAWN)
        return former

    def instead_of(self, version: str, models: str) -> Version | None:
        """What serves in place of this version if that was withdrawn.

        Raises InvalidRequest when it is of other models, with which queries do not fit.
        """
        serving, withdrawn = self.find(SERVING), self.find(WITHDRAWN)
        if serving is None or withdrawn is None or withdrawn.version != version:
            return None
        if serving.models != models:
            raise InvalidRequest(
                f"Index {withdrawn.name} was withdrawn, and the one that serves in its place, "
                f"{serving.name}, is of other models. Go back to the release of those, or take the "
                "withdrawn one again: reelwise index"
            )
        return serving

    def _of(self, version: Version) -> PostgresItemStore:
        return self._store.of(items_of(version.number))

    def _there(self, version: str, models: str, asked: bool) -> Version | None:
        """The version where it need not be built, or the one that serves in its place."""
        if not asked and (instead := self.instead_of(version, models)):
            log.warning("the newer index was withdrawn; %s serves", instead.name)
            return instead
        kept = (self.find(SERVING), self.find(FORMER, WITHDRAWN))
        return next((v for v in kept if v and v.version == version and self._whole(v)), None)

    def _adopt(self, models: str, version: str) -> None:
        """Make the films of a release without versions the first one."""
        with self._database.transaction() as connection:
            if connection.execute(select(index_versions.c.number).limit(1)).first():
                return
            if connection.execute(select(items.c.item_id).limit(1)).first() is None:
                return
            held = connection.execute(content_of(items)).scalar_one()
            known = models if held == version else UNKNOWN
            connection.execute(
                insert(index_versions).values(number=0, version=held, models=known, state=SERVING)
            )

    def _built(
        self, wanted: Mapping[str, str], models: str, dim: int, fill: Fill, anew: bool
    ) -> Version:
        """The version with all its films and indexes, beside the one that serves."""
        serving = None if anew else self.find(SERVING)
        if serving is not None:
            with self._database.connect() as connection:
                held = length(connection, items_of(serving.number), "embedding")
            if held != dim:
                raise other_length(held, dim)
        new = self._building(version_of(wanted), models, anew)
        store = self._of(new)
        store.hold(dim)
        if serving is not None:
            self._copy(serving, new, wanted)
        fill(store)
        store.build_indexes()
        with self._database.connect() as connection:
            connection.execute(text(f"ANALYZE {items_of(new.number).name}"))
        return new

    def _building(self, version: str, models: str, anew: bool) -> Version:
        """A place for the films: what was broken off, or a new table."""
        begun = self.find(BUILDING)
        if begun and begun.version == version and begun.models == models and not anew:
            return begun
        with self._database.transaction() as connection:
            number = connection.execute(
                insert(index_versions)
                .values(version=version, models=models, state=BUILDING)
                .returning(index_versions.c.number)
            ).scalar_one()
            name = items_of(number).name
            connection.execute(
                text(
                    f"CREATE TABLE {name} (LIKE {items.name} "
                    "INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (item_id)) "
                    "WITH (toast_tuple_target = 8160)"  # else facts are kept apart from vectors
                )
            )
        return Version(number, version, models, BUILDING)

    def _copy(self, old: Version, new: Version, wanted: Mapping[str, str]) -> None:
        """Put those films into a new table that are in the old one as they are wanted."""
        source, target = items_of(old.number), items_of(new.number)
        asked = [bindparam(None, list(names), ARRAY(Text)) for names in (wanted, wanted.values())]
        pairs = func.unnest(*asked).table_valued("id", "fingerprint").render_derived()
        same = select(source).join(
            pairs, (source.c.item_id == pairs.c.id) & (source.c.fingerprint == pairs.c.fingerprint)
        )
        with self._database.transaction() as connection:
            if connection.execute(select(target.c.item_id).limit(1)).first() is None:
                connection.execute(insert(target).from_select(list(target.c), same))

    def _whole(self, version: Version) -> bool:
        with self._database.connect() as connection:
            return _holds(connection, version)

    def _switch(self, new: Version, served: str) -> None:
        """Have a version serve and keep the one that did as ``served``; others go.

        Raises InvalidRequest when the version does not hold what it should.
        """
        c = index_versions.c
        with self._database.transaction() as connection:
            if not _holds(connection, new):
                raise InvalidRequest(
                    f"Index {new.name} does not hold what it should, so the one that serves goes "
                    "on. Build it anew with: reelwise index"
                )
            moved = update(index_versions)
            now = {"changed_at": func.now()}
            others = moved.where(c.state != SERVING, c.number != new.number)
            connection.execute(others.values(state=RETIRED))
            connection.execute(moved.where(c.state == SERVING).values(state=served, **now))
            connection.execute(moved.where(c.number == new.number).values(state=SERVING, **now))
        self._drop_retired()

    def _drop_retired(self) -> None:
        """Drop what is neither serving nor kept, unless it is being read."""
        statement = select(index_versions.c.number).where(index_versions.c.state == RETIRED)
        with self._database.connect() as connection:
            gone = connection.execute(statement).scalars().all()
        for number in gone:
            try:
                self._drop(number)
            except StoreUnavailable as error:  # as while a backup reads it
                log.warning("an index of before stays until the next switch: %s", error.detail)

    def _drop(self, number: int) -> None:
        name = items_of(number).name
        # Releases without versions, which may be gone back to, need the table ``items``.
        act = f"TRUNCATE {name}" if number == 0 else f"DROP TABLE IF EXISTS {name}"
        with self._database.transaction() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{DROP_SECONDS}s'"))
            connection.execute(text(act))
            connection.execute(index_versions.delete().where(index_versions.c.number == number))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Only one process at a time changes versions; others wait, and find it done."""
        with self._database.connect() as connection:
            lock = text("SELECT pg_advisory_lock(727003)")
            if not connection.execute(text("SELECT pg_try_advisory_lock(727003)")).scalar_one():
                log.info("another process brings the index up to date; waiting for it")
                connection.execute(lock)
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(727003)"))


def _holds(connection: Connection, version: Version) -> bool:
    """Whether the table holds what the version is named by."""
    held = connection.execute(content_of(items_of(version.number))).scalar_one()
    return bool(held == version.version)
