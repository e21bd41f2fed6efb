"""Places of a bulkhead, and how many more there are in a burst."""

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from assistant.api.concurrency import BURST_SECONDS, EARNED, Bulkhead
from assistant.api.problems import Refusal

PLACES, BURST = 2, 5


class Door:
    """Somebody at a bulkhead, with a clock of their own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.bulkhead = Bulkhead(PLACES, 1, BURST, clock=lambda: self.now)
        self.inside: list[ExitStack] = []

    def enters(self) -> bool:
        """Whether one more is let in."""
        visit = ExitStack()
        try:
            visit.enter_context(self.bulkhead.place())
        except Refusal:
            return False
        self.inside.append(visit)
        return True

    def let_in(self, asking: int) -> int:
        """How many of so many are."""
        return sum([self.enters() for _ in range(asking)])

    def leave(self) -> None:
        """Somebody gives their place back, if anybody is there."""
        if self.inside:
            self.inside.pop().close()


def test_a_burst_is_let_in_for_a_moment() -> None:
    door = Door()
    assert door.let_in(BURST + 1) == BURST
    door.leave()
    door.now += BURST_SECONDS - 0.1
    assert door.enters()


def test_a_load_that_stays_is_refused_until_there_was_time_without() -> None:
    door = Door()
    assert door.let_in(PLACES + 1) == PLACES + 1
    door.now += BURST_SECONDS
    assert not door.enters()
    while door.inside:
        door.leave()
    assert door.let_in(BURST) == PLACES
    door.now += 1
    assert door.let_in(BURST) == BURST - PLACES
    door.now += 2 * EARNED
    door.leave()
    assert not door.enters()


def test_without_a_burst_there_are_the_places_alone() -> None:
    door = Door()
    door.bulkhead = Bulkhead(PLACES, 1)
    assert door.let_in(BURST) == PLACES


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 8), st.integers(0, 8))))
def test_beyond_the_places_some_are_let_in_for_a_part_of_the_time_and_never_too_many(
    steps: list[tuple[float, int, int]],
) -> None:
    door = Door()
    since, beyond = door.now, 0.0
    for seconds, asking, leaving in steps:
        door.now += seconds
        if len(door.inside) > PLACES:
            beyond += seconds
        free = len(door.inside) < PLACES
        let_in = door.let_in(asking)
        assert len(door.inside) <= BURST
        assert let_in or not (free and asking), "a free place was refused"
        if let_in and len(door.inside) > PLACES:
            assert beyond < BURST_SECONDS + EARNED * (door.now - since)
        for _ in range(leaving):
            door.leave()
