"""What an export would change of somebody's swipes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from recommender.errors import IdempotencyKeyReused
from recommender.history.exports import Watched
from recommender.history.matching import Match, Matcher
from recommender.models import Direction, HistoryMatch, Swipe, SwipeEvent, UnmatchedFilm
from recommender.preferences.fold import standing_swipes
from recommender.stores.ports import NewSwipe

SESSION = "history-"
"""How the sessions of exports begin."""
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """What is found of an export: swipes to record, oldest first, and what becomes of the rest.

    ``known`` counts films that were swiped already, ``neutral`` those that nothing was said of.
    """

    matches: tuple[HistoryMatch, ...]
    unmatched: tuple[UnmatchedFilm, ...]
    known: int
    neutral: int


def plan(entries: Sequence[Watched], matcher: Matcher, swipes: Mapping[str, Swipe]) -> Plan:
    """Match films; what somebody swiped here counts more than what they said elsewhere."""
    chosen: dict[str, HistoryMatch] = {}
    unmatched: list[UnmatchedFilm] = []
    known: set[str] = set()
    neutral = 0
    for entry in sorted(entries, key=lambda each: each.watched_at or UNDATED):
        if entry.direction is None:
            neutral += 1
            continue
        found = matcher.find(entry)
        if isinstance(found, str):
            unmatched.append(UnmatchedFilm(title=entry.title, year=entry.year, reason=found))
        elif _swiped(found.item.item_id, swipes):
            known.add(found.item.item_id)
        else:
            chosen.pop(found.item.item_id, None)  # the latest counts, and is recorded last
            chosen[found.item.item_id] = _match(entry, entry.direction, found)
    return Plan(tuple(chosen.values()), tuple(unmatched), len(known), neutral)


def mark(site: str, entries: Sequence[Watched]) -> str:
    """Names an export by its content: the session that its swipes belong to."""
    digest = hashlib.sha256(repr(entries).encode()).hexdigest()[:24]
    return f"{SESSION}{site}-{digest}"


def before(
    events: Sequence[SwipeEvent], idempotency_key: str | None, session_id: str
) -> Sequence[SwipeEvent]:
    """The log as it was when this key first came, so that its plan is made again as it was.

    Raises IdempotencyKeyReused when it came with something else.
    """
    for place, event in enumerate(events):
        if idempotency_key is not None and event.idempotency_key == idempotency_key:
            if event.session_id != session_id:
                raise IdempotencyKeyReused
            return events[:place]
    return events


def swipes_of(
    found: Plan, user_id: str, session_id: str, now: datetime, idempotency_key: str | None
) -> Iterator[NewSwipe]:
    """The swipes to append, each with a key of its own, made from the request's."""
    for place, match in enumerate(found.matches):
        key = idempotency_key
        if key is not None and place:
            key = hashlib.sha256(f"{session_id}\n{key}\n{place}".encode()).hexdigest()
        moment = min(match.swiped_at or now, now)
        action = match.direction.value
        yield NewSwipe(user_id, match.item_id, action, session_id, moment, key)


def standing(events: Sequence[SwipeEvent], session_id: str) -> list[str]:
    """The films whose standing swipe is of this export."""
    of_export = {event.event_id for event in events if event.session_id == session_id}
    return [
        item_id for item_id, swipe in standing_swipes(events).items() if swipe.event_id in of_export
    ]


def _swiped(item_id: str, swipes: Mapping[str, Swipe]) -> bool:
    """A skip ("haven't seen it") is no word against having seen it since."""
    return item_id in swipes and swipes[item_id].direction is not Direction.SKIP


def _match(entry: Watched, direction: Direction, found: Match) -> HistoryMatch:
    return HistoryMatch(
        item_id=found.item.item_id,
        title=found.item.title,
        year=found.item.year,
        direction=direction,
        matched_by=found.by,
        score=found.score,
        named=entry.title,
        swiped_at=entry.watched_at,
    )
