"""Writes that nobody waits for."""

from collections.abc import Iterator
from threading import Event

import pytest

from recommender.behind import AtOnce, Behind, Later

SECONDS = 10.0


class Gate:
    """A write that begins when it may."""

    def __init__(self) -> None:
        self.begun, self.opened = Event(), Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.opened.wait(SECONDS)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def behind(gate: Gate) -> Iterator[Behind]:
    """With a write of Ann's that is going on until the gate opens."""
    with Behind() as behind:
        behind.write("ann", gate)
        assert gate.begun.wait(SECONDS)
        yield behind
        gate.opened.set()


@pytest.mark.parametrize("later", [AtOnce(), Behind()], ids=["at once", "behind"])
def test_what_is_settled_was_written(later: Later) -> None:
    written: list[int] = []
    for number in range(3):
        later.write("ann", lambda n=number: written.append(n))  # type: ignore[misc]
    later.settle("ann")
    assert written[-1] == 2
    assert written == sorted(written)


def test_of_what_has_not_begun_the_newest_is_written(behind: Behind, gate: Gate) -> None:
    written: list[str] = []
    behind.write("bob", lambda: written.append("old"))
    behind.write("ann", lambda: written.append("ann's"))
    behind.write("bob", lambda: written.append("new"))
    assert written == []
    gate.opened.set()
    behind.settle("ann")
    behind.settle("bob")
    assert sorted(written) == ["ann's", "new"]


def test_a_context_ends_when_all_is_written(gate: Gate) -> None:
    written: list[str] = []
    with Behind() as behind:
        behind.write("ann", gate)
        behind.write("bob", lambda: written.append("bob's"))
        gate.opened.set()
    assert written == ["bob's"]


def test_a_write_that_hangs_keeps_nobody_from_ending(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("recommender.behind.LAST_SECONDS", 0.01)
    with Behind() as behind:
        behind.write("ann", gate)
        assert gate.begun.wait(SECONDS)
        behind.write("bob", lambda: None)
    assert "2 writes were not done in time" in caplog.text
    gate.opened.set()


def test_a_write_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    written: list[str] = []
    with Behind() as behind:
        behind.write("ann", lambda: 1 / 0)
        behind.settle("ann")
        behind.write("bob", lambda: written.append("bob's"))
    assert written == ["bob's"]
    assert "was not written" in caplog.text


def test_at_once_fails_as_the_write_does() -> None:
    with pytest.raises(ZeroDivisionError):
        AtOnce().write("ann", lambda: 1 / 0)
