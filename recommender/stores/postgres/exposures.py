"""The exposure log in PostgreSQL: rows are only ever inserted, or erased with their user."""

from collections.abc import Iterator

from sqlalchemy import RowMapping, delete, func, insert, select

from recommender.models import Exposure
from recommender.stores.ports import ExposureLog, NewExposure
from recommender.stores.postgres.database import ROWS_AT_A_TIME, Database
from recommender.stores.postgres.schema import exposures

# Nobody waits for the disk, which takes most of an insert's time: a crash of the database costs
# the exposures of its last second, evenly among variants. Local to the statement's transaction.
WITHOUT_WAITING = func.set_config("synchronous_commit", "off", True)


class PostgresExposureLog(ExposureLog):
    """ExposureLog over a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, exposure: NewExposure) -> Exposure:
        lists = {
            "item_ids": list(exposure.item_ids),
            "teams": None if exposure.teams is None else list(exposure.teams),
        }
        statement = (
            insert(exposures)
            .values(vars(exposure) | lists)
            .returning(*exposures.c, WITHOUT_WAITING)
        )
        with self._database.connect() as connection:
            return _exposure(connection.execute(statement).mappings().one())

    def of_experiment(self, experiment: str) -> Iterator[Exposure]:
        statement = (
            select(exposures)
            .where(exposures.c.experiment == experiment)
            .order_by(exposures.c.user_id, exposures.c.exposure_id)
        )
        with self._database.transaction() as connection:  # a cursor lives in one
            rows = connection.execution_options(yield_per=ROWS_AT_A_TIME).execute(statement)
            yield from map(_exposure, rows.mappings())

    def of_user(self, user_id: str) -> list[Exposure]:
        statement = (
            select(exposures)
            .where(exposures.c.user_id == user_id)
            .order_by(exposures.c.exposure_id)
        )
        with self._database.connect() as connection:
            return [_exposure(row) for row in connection.execute(statement).mappings()]

    def experiments(self) -> list[str]:
        statement = select(exposures.c.experiment).distinct().order_by(exposures.c.experiment)
        with self._database.connect() as connection:
            return list(connection.execute(statement).scalars())

    def erase(self, user_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(exposures).where(exposures.c.user_id == user_id))


def _exposure(row: RowMapping) -> Exposure:
    return Exposure.model_validate({column.name: row[column] for column in exposures.c})
