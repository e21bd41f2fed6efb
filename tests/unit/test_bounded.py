"""A model that hangs costs its callers a bounded wait, then none."""

import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from threading import Barrier, Event, Semaphore, get_ident
from threading import enumerate as enumerate_threads

import numpy as np
import pytest

from fusion.bounded import MAX_HANGING, BoundedEncoder, BoundedFusion, InThread
from fusion.encoder import Vectors
from fusion.errors import EncoderUnavailable
from fusion.fake import BlendFusionEncoder, HashingEncoder
from fusion.fusion_encoder import Fused, FusionInput

SECONDS = 0.02
PATIENT = 60.0


class Stuck(HashingEncoder):
    """Answers nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()
        self.called = Semaphore(0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.called.release()
        assert self.go.wait(PATIENT)
        return super().encode(texts)


@pytest.fixture
def stuck() -> Iterator[Stuck]:
    encoder = Stuck()
    yield encoder
    encoder.go.set()


def test_what_answers_in_time_is_passed_on() -> None:
    plain = HashingEncoder()
    bounded = BoundedEncoder(plain, InThread(PATIENT))
    np.testing.assert_array_equal(bounded.encode(["a", "b"]), plain.encode(["a", "b"]))
    assert (bounded.dim, bounded.model_version) == (plain.dim, plain.model_version)
    asked = FusionInput("words")
    fused: Fused = BoundedFusion(BlendFusionEncoder(), InThread(PATIENT)).fuse(asked)
    np.testing.assert_array_equal(fused.vector, BlendFusionEncoder().fuse(asked).vector)


def test_calls_one_after_the_other_are_made_in_one_thread() -> None:
    class Noting(HashingEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            threads.add(get_ident())
            return super().encode(texts)

    threads: set[int] = set()
    bounded = BoundedEncoder(Noting(), InThread(PATIENT))
    for _ in range(20):
        bounded.encode(["a"])
    assert len(threads) == 1
    assert get_ident() not in threads


def test_a_thread_that_is_idle_for_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusion.threads.IDLE_SECONDS", 0.001)
    before = set(enumerate_threads())
    bounded = BoundedEncoder(HashingEncoder(), InThread(PATIENT))
    bounded.encode(["a"])
    for thread in set(enumerate_threads()) - before:
        thread.join(PATIENT)
        assert not thread.is_alive()
    assert bounded.encode(["a"]).shape == (1, bounded.dim)


def test_calls_that_are_begun_are_made_at_the_same_time() -> None:
    """Each waits for the others, which one after the other would never come."""
    met, deadline = Barrier(3), InThread(PATIENT)

    def meet(name: str) -> tuple[str, int]:
        met.wait(PATIENT)
        return name, get_ident()

    begun = [deadline.begin(partial(meet, name))[0] for name in "abc"]
    names, threads = zip(*(result() for result in begun), strict=True)
    assert names == ("a", "b", "c")
    assert len({get_ident(), *threads}) == 4


def test_calls_that_are_begun_together_are_made_one_after_the_other_in_one_thread() -> None:
    made: list[str] = []

    def make(name: str) -> tuple[str, int]:
        made.append(name)
        if name == "b":
            raise EncoderUnavailable(name)
        return name, get_ident()

    first, second, third = InThread(PATIENT).begin(*(partial(make, name) for name in "abc"))
    (last, thread), made_by_then = third(), list(made)
    assert (last, made_by_then) == ("c", ["a", "b", "c"])
    assert first() == ("a", thread)
    assert thread != get_ident()
    with pytest.raises(EncoderUnavailable, match="b"):
        second()


def test_what_was_begun_after_who_hangs_is_given_up_with_it(stuck: Stuck) -> None:
    deadline = InThread(SECONDS)
    for result in deadline.begin(lambda: stuck.encode(["a"]), lambda: stuck.encode(["b"])):
        with pytest.raises(EncoderUnavailable, match="No answer"):
            result()


def test_calls_are_of_the_callers_context() -> None:
    """Whatever is traced in them belongs to the caller's trace."""
    said = ContextVar("said", default="nothing")
    said.set("something")
    assert InThread(PATIENT).call(said.get) == "something"


def test_its_errors_are_passed_on() -> None:
    class Broken(HashingEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise EncoderUnavailable(f"{len(texts)} were too many")

    with pytest.raises(EncoderUnavailable, match="1 were too many"):
        BoundedEncoder(Broken(), InThread(PATIENT)).encode(["a"])


def test_who_hangs_is_given_up(stuck: Stuck) -> None:
    with pytest.raises(EncoderUnavailable, match=r"No answer within 0\.02 s"):
        BoundedEncoder(stuck, InThread(SECONDS)).encode(["a"])


def test_who_goes_on_hanging_is_not_asked_any_more_until_it_comes_back(stuck: Stuck) -> None:
    bounded = BoundedEncoder(stuck, InThread(SECONDS))
    for _ in range(MAX_HANGING):
        with pytest.raises(EncoderUnavailable, match="No answer"):
            bounded.encode(["a"])
    with pytest.raises(EncoderUnavailable, match="Earlier calls of the model hang"):
        bounded.encode(["a"])
    for _ in range(MAX_HANGING):  # their threads may have begun later than they were given up
        assert stuck.called.acquire(timeout=PATIENT)
    assert not stuck.called.acquire(blocking=False)
    stuck.go.set()
    assert answers(bounded).shape == (1, stuck.dim)


def answers(bounded: BoundedEncoder) -> Vectors:
    """Its first answer: the threads that hung need a moment to end."""
    deadline = time.monotonic() + PATIENT
    while True:
        try:
            return bounded.encode(["a"])
        except EncoderUnavailable:
            assert time.monotonic() < deadline
