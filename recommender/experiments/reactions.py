"""What people said of the films that an experiment showed them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from recommender.experiments.variants import Variant
from recommender.models import Direction, Exposure, SwipeEvent
from recommender.preferences.fold import standing_swipes

WINDOW = timedelta(days=7)


class Side(NamedTuple):
    """A variant, shown alone or drafting for an interleaved answer."""

    variant: Variant
    interleaved: bool


@dataclass
class Tally:
    """What one user was shown by a side, and what they said of it."""

    exposures: int = 0
    films: int = 0
    likes: int = 0
    dislikes: int = 0

    @property
    def like_rate(self) -> float:
        """Likes per exposure."""
        return self.likes / self.exposures


def tally(
    exposures: Sequence[Exposure], events: Sequence[SwipeEvent], window: timedelta = WINDOW
) -> dict[Side, Tally]:
    """Count one user's exposures, oldest first, and the reactions to them, by side.

    A reaction is a standing like or dislike that was recorded within ``window`` after the film was
    shown. It counts once, for the latest exposure before it. Skips and what was taken back say
    nothing.
    """
    tallies: dict[Side, Tally] = {}
    for exposure in exposures:
        for side, films in _films_by_side(exposure).items():
            counted = tallies.setdefault(side, Tally())
            counted.exposures += 1
            counted.films += films
    for exposure, item_id, liked in _reactions(exposures, events, window):
        shown_by = _side(exposure, item_id)
        if shown_by is not None:
            tallies[shown_by].likes += liked
            tallies[shown_by].dislikes += not liked
    return tallies


def _films_by_side(exposure: Exposure) -> dict[Side, int]:
    """How many films each side showed; an answer without films is an exposure all the same."""
    if exposure.variant != "interleaved":
        return {Side(exposure.variant, False): len(exposure.item_ids)}
    return Counter(Side(team, True) for team in exposure.teams or () if team is not None)


def _side(exposure: Exposure, item_id: str) -> Side | None:
    """Who showed this film: None for one that nobody drafted."""
    if exposure.variant != "interleaved":
        return Side(exposure.variant, False)
    team = (exposure.teams or ())[exposure.item_ids.index(item_id)]
    return None if team is None else Side(team, True)


def _reactions(
    exposures: Sequence[Exposure], events: Sequence[SwipeEvent], window: timedelta
) -> Iterator[tuple[Exposure, str, bool]]:
    """Each standing opinion of a film with the exposure it answers, and whether it is a like."""
    recorded = {event.event_id: event.recorded_at for event in events}
    showing = defaultdict(list)
    for exposure in exposures:
        for item_id in exposure.item_ids:
            showing[item_id].append(exposure)
    for item_id, swipe in standing_swipes(events).items():
        moment = recorded[swipe.event_id]
        before = [e for e in showing[item_id] if moment - window <= e.shown_at <= moment]
        if before and swipe.direction is not Direction.SKIP:
            yield before[-1], item_id, swipe.direction is Direction.LIKE
