"""Learned preferences in DynamoDB: one record per user."""

import zlib
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import ValidationError

from recommender.preferences.model import UserPreferences
from recommender.stores.dynamodb.tables import ConditionFailed, Table
from recommender.stores.ports import PreferenceStore


class DynamoPreferenceStore(PreferenceStore):
    """PreferenceStore over a table; what people look for is readable, the rest is compressed."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, user_id: str) -> UserPreferences | None:
        """See `PreferenceStore.get`."""
        record = self._table.get(PK=f"user#{user_id}")
        if record is None:
            return None
        try:
            return _readable(record["preferences"].value)
        except (KeyError, AttributeError, ValidationError, zlib.error):
            # Another release wrote it, or it is damaged: it is learned again from the log.
            return None

    def put(self, user_id: str, preferences: UserPreferences) -> None:
        """See `PreferenceStore.put`."""
        record = {
            "PK": f"user#{user_id}",
            "event_count": preferences.event_count,
            "confidence": Decimal(str(preferences.confidence)),
            "preference_hash": preferences.preference_hash,
            "written_at": datetime.now(UTC).isoformat(),
            "preferences": zlib.compress(preferences.model_dump_json().encode()),
        }
        try:
            self._table.put(
                record,
                "attribute_not_exists(event_count) OR event_count <= :count",
                count=preferences.event_count,
            )
        except ConditionFailed:
            return  # A longer log has been learned from.

    def erase(self, user_id: str) -> None:
        """See `PreferenceStore.erase`."""
        self._table.delete([{"PK": f"user#{user_id}"}])


def _readable(stored: bytes) -> UserPreferences:
    return UserPreferences.model_validate_json(zlib.decompress(stored))
