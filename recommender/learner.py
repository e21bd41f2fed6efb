"""Keeping a user's preferences in step with their swipes."""

from collections.abc import Callable, Mapping
from datetime import datetime

from recommender.catalogue import Catalogue
from recommender.models import Swipe
from recommender.preferences.fields import FieldHabits
from recommender.preferences.learn import SwipedItem, TasteContext, learn, no_preferences
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import LogVersion, PreferenceStore, Vector
from recommender.telemetry import PREFERENCE_CONFIDENCE, PREFERENCE_UPDATES, timed
from recommender.vectors import ItemVectors


class PreferenceLearner:
    """Runs the pure ``learn`` over swipes and vectors, and stores what was learned."""

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: ItemVectors,
        store: PreferenceStore,
        settings: RecommenderSettings,
        model_version: str,
        mean_vector: Vector,
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._store = store
        self._settings = settings
        self._clock = clock
        self._context = TasteContext(
            model_version=model_version,
            mean_vector=mean_vector,
            genre_shares=catalogue.genre_shares,
            tag_shares=catalogue.tag_shares,
            popularity={
                item.item_id: float(share)
                for item, share in zip(catalogue.items, catalogue.popularity, strict=True)
            },
            field_habits=FieldHabits(catalogue.items) if settings.enhance_field_weights else None,
        )

    def stored(self, user_id: str) -> UserPreferences | None:
        """What was learned last with this model, in terms of the strategy chosen now."""
        if not self._settings.enable_preference_learning:
            return None
        stored = self._store.get(user_id)
        if stored is None or stored.model_version != self._context.model_version:
            return None
        if self._context.field_habits and not stored.field_weights:  # the switch was off
            return None
        strategy = self._settings.preference_vector_strategy
        return stored.model_copy(update={"vector_strategy": strategy})

    def forget(self, user_id: str) -> None:
        """Erase what was learned of a user."""
        self._store.erase(user_id)

    def store(self, user_id: str, preferences: UserPreferences) -> None:
        """Keep what was learned, for other servers and the next start; nothing where learning is
        off.
        """
        if not self._settings.enable_preference_learning:
            return
        try:
            self._store.put(user_id, preferences)
        except Exception:
            PREFERENCE_UPDATES.labels("failed").inc()
            raise
        PREFERENCE_UPDATES.labels("learned").inc()
        PREFERENCE_CONFIDENCE.observe(preferences.confidence)

    def learned(self, version: LogVersion, swipes: Mapping[str, Swipe]) -> UserPreferences:
        """What swipes tell of a taste; nothing is stored."""
        model_version = self._context.model_version
        if not self._settings.enable_preference_learning or not version.count:
            return no_preferences(model_version, version.count, self._settings.ranking)
        with timed("learn"):
            return learn(
                list(swipes.values()),
                self._swiped_items(swipes),
                self._clock(),
                self._context,
                self._settings,
                version.count,
            ).model_copy(update={"last_event_id": version.last_event_id})

    def _swiped_items(self, swipes: Mapping[str, Swipe]) -> dict[str, SwipedItem]:
        vectors = self._vectors.get(swipes)
        return {
            item.item_id: SwipedItem(item, vectors[item.item_id])
            for item in self._catalogue.select(swipes)
            if item.item_id in vectors
        }
