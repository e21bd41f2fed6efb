"""What the service knows of a user at this moment: standing swipes and learned preferences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from cachetools import LRUCache

from recommender.learner import PreferenceLearner
from recommender.models import Direction, Swipe, SwipeEvent
from recommender.preferences.fold import standing_swipes, swipe_of
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import Tier, UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import LogVersion, SwipeLog

KEPT_USERS = 10_000


@dataclass(frozen=True)
class UserState:
    """A user's standing swipes by film, and preferences that may lag behind them in batch mode.

    ``mentioned`` names those films that were never swiped, only spoken of in one request.
    """

    user_id: str
    version: LogVersion
    swipes: Mapping[str, Swipe]
    preferences: UserPreferences
    mentioned: frozenset[str] = frozenset()

    def items(self, direction: Direction) -> list[str]:
        """The films swiped this way, oldest first."""
        return [item_id for item_id, swipe in self.swipes.items() if swipe.direction is direction]


class UserStates:
    """Reads states, keeping them as long as the user's log version stands."""

    def __init__(self, log: SwipeLog, learner: PreferenceLearner) -> None:
        self._log = log
        self._learner = learner
        self._states: LRUCache[str, UserState] = LRUCache(KEPT_USERS)
        self._lock = Lock()

    def get(self, user_id: str) -> UserState:
        """The state as of the latest event."""
        version = self._log.version(user_id)
        with self._lock:
            state = self._states.get(user_id)
        if state is not None and (caught_up := self._caught_up(state, version)):
            return caught_up
        self.evict(user_id)
        return self.after(user_id, self._log.events(user_id) if version.count else ())

    def after(self, user_id: str, events: Sequence[SwipeEvent]) -> UserState:
        """The state that these events, the whole log, lead to, with preferences as last learned."""
        version, swipes = LogVersion.of(events), standing_swipes(events)
        with self._lock:
            known = self._states.get(user_id)
        preferences = known.preferences if known else None
        if events and preferences is None:
            preferences = self._learner.stored(user_id)
        if preferences is None or not _begins_with(events, preferences):
            preferences = self._learned(user_id, version, swipes)
        state = UserState(user_id, version, swipes, preferences)
        self.keep(state)
        return state

    def grown(self, event: SwipeEvent) -> UserState | None:
        """The state that a swipe just recorded, the latest of all, leads to.

        None where the whole log has to be read: an undo brings back what was swiped before.
        """
        with self._lock:
            known = self._states.get(event.user_id)
        if known is None or event.action == "undo":
            return None
        version = self._log.version(event.user_id)
        if version.last_event_id != event.event_id:
            return None
        alone = known.version.grown(event.event_id) == version
        return self._caught_up(known, version, [event] if alone else None)

    def _caught_up(
        self, known: UserState, version: LogVersion, since: Sequence[SwipeEvent] | None = None
    ) -> UserState | None:
        """What is known with what was swiped ``since``, here or at another server; None where that
        is not all: the log is another one, or an undo brings back what was swiped before.
        """
        if known.version == version:
            return known
        if known.version.first_event_id not in (0, version.first_event_id):
            return None
        if since is None:
            since = self._log.events(known.user_id, known.version.last_event_id)
        reached, swipes = known.version, dict(known.swipes)
        for event in since:
            if event.action == "undo":
                return None
            reached = reached.grown(event.event_id)
            swipes.pop(event.item_id, None)
            swipes[event.item_id] = swipe_of(event)
        if reached != version:
            return None
        state = replace(known, version=version, swipes=swipes)
        self.keep(state)
        return state

    def learned_elsewhere(self, state: UserState) -> UserState | None:
        """The state with preferences that another server learned of all its swipes, if one did."""
        stored = self._learner.stored(state.user_id)
        if stored is None or stored.event_count != state.version.count:
            return None
        if stored.last_event_id != state.version.last_event_id:
            return None
        fresh = replace(state, preferences=stored)
        self.keep(fresh)
        return fresh

    def relearned(self, state: UserState, stored: bool = True) -> UserState:
        """The state with preferences as of its own version, ``stored`` for others or not."""
        learned = self._learned(state.user_id, state.version, state.swipes, stored)
        fresh = replace(state, preferences=learned)
        self.keep(fresh)
        return fresh

    def told(
        self,
        state: UserState,
        mentions: Mapping[str, Direction],
        use_taste: bool,
        now: datetime,
    ) -> UserState:
        """The state as if films that are mentioned had been swiped just now; it is not kept.

        Without ``use_taste`` the user's own swipes only say which films they have seen.
        """
        learned = state.preferences.last_event_id
        own = state.swipes if use_taste else _seen(state.swipes)
        said = {
            item_id: Swipe(item_id=item_id, direction=direction, swiped_at=now, event_id=learned)
            for item_id, direction in mentions.items()
        }
        swipes = {i: swipe for i, swipe in own.items() if i not in said} | said
        known = {i: swipe for i, swipe in swipes.items() if swipe.event_id <= learned}
        version = LogVersion(last_event_id=learned, count=len(known))
        preferences = self._learner.learned(version, known)
        return UserState(state.user_id, state.version, swipes, preferences, frozenset(said))

    def keep(self, state: UserState) -> None:
        """Remember a state that was just read or learned."""
        with self._lock:
            self._states[state.user_id] = state

    def evict(self, user_id: str) -> None:
        """Forget a state."""
        with self._lock:
            self._states.pop(user_id, None)

    def forget(self, user_id: str) -> None:
        """Erase what was learned of a user whose log was erased."""
        self.evict(user_id)
        self._learner.forget(user_id)

    def _learned(
        self, user_id: str, version: LogVersion, swipes: Mapping[str, Swipe], stored: bool = True
    ) -> UserPreferences:
        preferences = self._learner.learned(version, swipes)
        if stored and version.count:
            self._learner.store(user_id, preferences)
            # Fewer events: the user was forgotten meanwhile.
            if self._log.version(user_id).count < version.count:
                self._learner.forget(user_id)
        return preferences


def _seen(swipes: Mapping[str, Swipe]) -> dict[str, Swipe]:
    skip = {"direction": Direction.SKIP}
    return {item_id: swipe.model_copy(update=skip) for item_id, swipe in swipes.items()}


def _begins_with(events: Sequence[SwipeEvent], preferences: UserPreferences) -> bool:
    """Whether a log grew from the one these were learned from; an erased and new one did not."""
    count = preferences.event_count
    return 0 < count <= len(events) and events[count - 1].event_id == preferences.last_event_id


def stranger(state: UserState, settings: RecommenderSettings) -> UserState:
    """The same user as if nothing were known of them."""
    model_version = state.preferences.model_version
    nothing = no_preferences(model_version, weights=settings.ranking)
    return UserState(state.user_id, LogVersion(), {}, nothing)


def tier(preferences: UserPreferences, settings: RecommenderSettings) -> Tier:
    """How much of the answer may be personal: nothing, hints of genres and tags, or all of it."""
    if not settings.enable_preference_learning:
        return "generic"
    if preferences.signal_count < settings.min_swipes_for_personalization:
        return "generic"
    if preferences.signal_count < settings.full_personalization_swipes:
        return "light"
    return "personal"


def update_due(state: UserState, settings: RecommenderSettings) -> bool:
    """Whether the policy wants preferences relearned now that the log has grown."""
    policy = settings.preference_update_policy if settings.enable_real_time_updates else "batch"
    if policy == "real_time" or (
        policy == "hybrid" and len(state.swipes) <= settings.real_time_swipe_limit
    ):
        return True
    waiting = state.version.count - state.preferences.event_count
    return waiting >= settings.preference_update_batch_size
