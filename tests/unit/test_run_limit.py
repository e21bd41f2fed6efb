"""Runs of models in this process are ended when their time is over."""

import gc
from threading import enumerate as enumerate_threads

import onnxruntime as ort
import pytest

from fusion.bounded import InPlace
from fusion.circuit import FAILURES_TO_OPEN
from fusion.errors import EncoderUnavailable
from fusion.onnx_session import embedded
from fusion.run_limit import RunLimit
from tests.endless import IDS, endless_session

SECONDS = 0.02
PATIENT = 60.0


@pytest.fixture
def endless() -> ort.InferenceSession:
    return endless_session()


def test_a_run_without_end_is_ended(endless: ort.InferenceSession) -> None:
    limit = RunLimit(SECONDS)
    with pytest.raises(EncoderUnavailable, match="terminate flag"), limit.limited():
        embedded(endless, IDS)


def test_whoever_catches_that_hears_that_time_was_over(endless: ort.InferenceSession) -> None:
    def run_all() -> None:
        with RunLimit(SECONDS).limited():
            for _ in range(2):  # the second has no time of its own
                with pytest.raises(EncoderUnavailable, match="terminate flag"):
                    embedded(endless, IDS)

    with pytest.raises(EncoderUnavailable, match=r"No answer within 0\.02 s"):
        run_all()


def test_limits_hold_for_those_who_run_under_them_alone(endless: ort.InferenceSession) -> None:
    short, long = RunLimit(SECONDS), RunLimit(PATIENT)
    with long.limited():
        with pytest.raises(EncoderUnavailable), short.limited():
            embedded(endless, IDS)
        long.end_late()


def test_nobody_watches_a_limit_that_is_gone() -> None:
    before = set(enumerate_threads())
    limit = RunLimit(SECONDS)
    (watch,) = set(enumerate_threads()) - before
    del limit
    gc.collect()
    watch.join(PATIENT)
    assert not watch.is_alive()


def test_calls_in_place_are_made_in_turn_and_keep_what_was_in_time(
    endless: ort.InferenceSession,
) -> None:
    deadline = InPlace(SECONDS)
    first, second, third = deadline.begin(
        lambda: IDS, lambda: embedded(endless, IDS), lambda: embedded(endless, IDS)
    )
    assert first() is IDS
    for late in second, third:
        with pytest.raises(EncoderUnavailable):
            late()


def test_models_that_go_on_hanging_are_not_run_any_more(endless: ort.InferenceSession) -> None:
    deadline, runs = InPlace(SECONDS), 0

    def run() -> None:
        nonlocal runs
        runs += 1
        embedded(endless, IDS)

    for _ in range(FAILURES_TO_OPEN + 3):
        with pytest.raises(EncoderUnavailable):
            deadline.call(run)
    assert runs == FAILURES_TO_OPEN


def test_errors_in_time_are_told_as_they_are_and_count_for_nothing() -> None:
    deadline = InPlace(PATIENT)

    def fail() -> None:
        raise ValueError("of its own")

    for _ in range(FAILURES_TO_OPEN + 1):
        with pytest.raises(ValueError, match="of its own"):
            deadline.call(fail)
    assert deadline.call(lambda: 1) == 1
