"""What an answer would be without one of the person's likes, found by ranking again."""

from collections.abc import Callable, Sequence
from datetime import datetime

from recommender.catalogue import Catalogue
from recommender.experiments.variants import Variant
from recommender.fallbacks import Fallbacks
from recommender.models import (
    USUAL_RESULTS,
    Direction,
    Evidence,
    Item,
    SearchRequest,
    Understanding,
)
from recommender.search import SearchEngine
from recommender.users import UserState, UserStates


class Counterfactuals:
    """Compares a film's place in a list of `USUAL_RESULTS` with and without a like."""

    def __init__(
        self,
        catalogue: Catalogue,
        engine: SearchEngine,
        users: UserStates,
        clock: Callable[[], datetime],
    ) -> None:
        self._catalogue = catalogue
        self._engine = engine
        self._users = users
        self._clock = clock

    def find(
        self,
        item: Item,
        evidence: Sequence[Evidence],
        request: SearchRequest,
        understood: Understanding,
        state: UserState,
        variant: Variant,
        fallbacks: Fallbacks,
    ) -> Evidence | None:
        """What the like that speaks for a film most did for its place; None where it did nothing.

        ``evidence`` is the film's, the weightiest first. The film of that like stays out of the
        other list, too, as one already seen.
        """
        liked = next((e.item_id for e in evidence if e.kind == "liked_film" and e.item_id), None)
        if liked is None:
            return None
        asked = request.model_copy(update={"k": USUAL_RESULTS})
        place = self._engine.place(item.item_id, asked, understood, state, variant, fallbacks)
        if place is None:
            return None
        without = self._users.told(state, {liked: Direction.SKIP}, True, self._clock())
        other = self._engine.place(item.item_id, asked, understood, without, variant, fallbacks)
        if other is not None and other <= place:
            return None
        text = _sentence(self._catalogue.get(liked).title, place, other)
        return Evidence(kind="counterfactual", text=text, item_id=liked)


def _sentence(title: str, place: int, other: int | None) -> str:
    if other is None:
        return (
            f"Without {title} among your likes it would not be among the first {USUAL_RESULTS}; "
            f"it is {ordinal(place)}"
        )
    return (
        f"Without {title} among your likes it would be {ordinal(other)} instead of {ordinal(place)}"
    )


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``11th``, ``23rd``."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
