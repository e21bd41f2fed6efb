"""From the append-only log to what stands."""

from collections.abc import Iterable

from recommender.models import Direction, Swipe, SwipeEvent


def standing_swipes(events: Iterable[SwipeEvent]) -> dict[str, Swipe]:
    """The latest swipe of each film that was not taken back, in the order they were made.

    An undo takes back the film's latest swipe, so that the one before it stands again.
    """
    stacks: dict[str, list[SwipeEvent]] = {}
    for event in events:
        stack = stacks.setdefault(event.item_id, [])
        if event.action != "undo":
            stack.append(event)
        elif stack:
            stack.pop()
    tops = sorted((stack[-1] for stack in stacks.values() if stack), key=lambda e: e.event_id)
    return {event.item_id: swipe_of(event) for event in tops}


def swipe_of(event: SwipeEvent) -> Swipe:
    """What an event that is no undo says."""
    return Swipe(
        item_id=event.item_id,
        direction=Direction(event.action),
        swiped_at=event.swiped_at,
        event_id=event.event_id,
    )
