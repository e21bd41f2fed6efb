"""Preferences and surveys in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import Insert, insert

from recommender.preferences.model import UserPreferences
from recommender.stores.ports import PreferenceStore, Survey, SurveyStore
from recommender.stores.postgres.database import Database, Prepared
from recommender.stores.postgres.idempotency import finding_by_key, inserting_once
from recommender.stores.postgres.schema import surveys, user_preferences


def _newest() -> Insert:
    statement = insert(user_preferences).values(
        {column.name: bindparam(column.name) for column in user_preferences.c}
    )
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["user_id"],
        set_={"event_count": new.event_count, "preferences": new.preferences},
        where=user_preferences.c.event_count <= new.event_count,
    )


# Built once: it takes as long as running them.
PUT = Prepared(_newest())
GET = Prepared(
    select(user_preferences.c.preferences).where(user_preferences.c.user_id == bindparam("user_id"))
)
ADD_SURVEY = inserting_once(surveys, surveys.c.keys())
FIND_SURVEY = finding_by_key(surveys)
GET_SURVEY = Prepared(select(surveys).where(surveys.c.session_id == bindparam("session_id")))


class PostgresPreferenceStore(PreferenceStore):
    """PreferenceStore over a table with one row per user."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> UserPreferences | None:
        stored = self._database.run(GET, {"user_id": user_id})
        return _readable(stored[0][0]) if stored else None

    def put(self, user_id: str, preferences: UserPreferences) -> None:
        row = {
            "user_id": user_id,
            "event_count": preferences.event_count,
            "preferences": preferences.model_dump_json(),
        }
        self._database.run(PUT, row)

    def erase(self, user_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(
                delete(user_preferences).where(user_preferences.c.user_id == user_id)
            )


def _readable(stored: str) -> UserPreferences | None:
    """None for what another release wrote in another form: it is learned again from the log."""
    try:
        return UserPreferences.model_validate_json(stored)
    except ValidationError:
        return None


class PostgresSurveyStore(SurveyStore):
    """SurveyStore over a table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, survey: Survey) -> Survey:
        told = vars(survey) | {"item_ids": list(survey.item_ids)}
        for row in self._database.run(ADD_SURVEY, told) or self._database.run(FIND_SURVEY, told):
            return _survey(row)
        return self.add(survey)  # the earlier one was erased between the two statements

    def get(self, session_id: str) -> Survey | None:
        found = self._database.run(GET_SURVEY, {"session_id": session_id})
        return _survey(found[0]) if found else None

    def of_user(self, user_id: str) -> list[Survey]:
        statement = (
            select(surveys).where(surveys.c.user_id == user_id).order_by(surveys.c.created_at)
        )
        with self._database.connect() as connection:
            return [_survey(row) for row in connection.execute(statement)]

    def erase(self, user_id: str) -> None:
        with self._database.connect() as connection:
            connection.execute(delete(surveys).where(surveys.c.user_id == user_id))


def _survey(row: Sequence[Any]) -> Survey:
    told = dict(zip(surveys.c.keys(), row, strict=True))
    return Survey(**(told | {"item_ids": tuple(told["item_ids"])}))
