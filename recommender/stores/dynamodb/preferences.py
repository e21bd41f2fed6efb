"""Learned preferences in DynamoDB: one record per user."""

import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import ValidationError

from recommender.preferences.model import UserPreferences
from recommender.stores.dynamodb.tables import EXPIRES_AT, ConditionFailed, Record, Table, expired
from recommender.stores.ports import PreferenceStore

OLDER = (
    "attribute_not_exists(last_event_id) OR last_event_id < :last "
    "OR (last_event_id = :last AND event_count >= :count) OR expires_at <= :now"
)
"""Whether what is there was learned earlier, or has expired. A longer log does not tell: as swipes
expire it has fewer events up to the same last one, and begun anew fewer up to a later one. Earlier
releases did not write which one was the last.
"""


class DynamoPreferenceStore(PreferenceStore):
    """PreferenceStore over a table; what people look for is readable, the rest is compressed."""

    def __init__(self, table: Table, swipes_live: timedelta | None = None) -> None:
        self._table = table
        self._swipes_live = swipes_live

    def get(self, user_id: str) -> UserPreferences | None:
        """See `PreferenceStore.get`."""
        record = self._table.get(PK=f"user#{user_id}")
        if record is None or expired(record, datetime.now(UTC).timestamp()):
            return None
        try:
            return _readable(record["preferences"].value)
        except (KeyError, AttributeError, ValidationError, zlib.error):
            # Another release wrote it, or it is damaged: it is learned again from the log.
            return None

    def put(self, user_id: str, preferences: UserPreferences) -> None:
        """See `PreferenceStore.put`."""
        now = datetime.now(UTC)
        record = {
            "PK": f"user#{user_id}",
            "event_count": preferences.event_count,
            "last_event_id": preferences.last_event_id,
            "confidence": Decimal(str(preferences.confidence)),
            "preference_hash": preferences.preference_hash,
            "written_at": now.isoformat(),
            "preferences": zlib.compress(preferences.model_dump_json().encode()),
        }
        try:
            self._table.put(
                record | self._expiry(preferences, now.timestamp()),
                OLDER,
                last=preferences.last_event_id,
                count=preferences.event_count,
                now=int(now.timestamp()),
            )
        except ConditionFailed:
            return  # A later log has been learned from.

    def erase(self, user_id: str) -> None:
        """See `PreferenceStore.erase`."""
        self._table.delete([{"PK": f"user#{user_id}"}])

    def _expiry(self, preferences: UserPreferences, now: float) -> Record:
        """When the last swipe expires, whose id tells its moment. One that should have expired
        stays for ever, being older than the setting: what it tells is learned again after as long.
        """
        if self._swipes_live is None:
            return {}
        live = self._swipes_live.total_seconds()
        moment = preferences.last_event_id / 1e6 + live
        return {EXPIRES_AT: int(moment if moment > now else now + live)}


def _readable(stored: bytes) -> UserPreferences:
    return UserPreferences.model_validate_json(zlib.decompress(stored))
