"""Calls that are made at the same time."""

from contextvars import ContextVar
from functools import partial
from threading import Barrier, get_ident

import pytest

from fusion.threads import DaemonThreads

PATIENT = 60.0


def test_calls_are_made_at_the_same_time_the_last_one_here() -> None:
    """Each waits for the others, which one after the other would never come."""
    met = Barrier(3)

    def meet(name: str) -> tuple[str, int]:
        met.wait(PATIENT)
        return name, get_ident()

    outcomes = DaemonThreads().side_by_side([partial(meet, name) for name in "abc"])
    (first, one), (second, other), (third, own) = (outcome.result() for outcome in outcomes)
    assert (first, second, third) == ("a", "b", "c")
    assert own == get_ident()
    assert len({one, other, own}) == 3


def test_what_one_raises_is_its_own() -> None:
    def fail(name: str) -> str:
        raise ValueError(name)

    calls = [lambda: fail("first"), lambda: "second", lambda: fail("third")]
    first, second, third = DaemonThreads().side_by_side(calls)
    assert second.result() == "second"
    for outcome, name in ((first, "first"), (third, "third")):
        with pytest.raises(ValueError, match=name):
            outcome.result()


def test_one_call_needs_no_thread_and_none_nothing() -> None:
    assert [each.result() for each in DaemonThreads().side_by_side([get_ident])] == [get_ident()]
    assert DaemonThreads().side_by_side([]) == []


def test_calls_are_of_the_callers_context() -> None:
    """Whatever is traced in them belongs to the caller's trace."""
    said = ContextVar("said", default="nothing")
    said.set("something")
    outcomes = DaemonThreads().side_by_side([said.get, said.get])
    assert [outcome.result() for outcome in outcomes] == ["something"] * 2
