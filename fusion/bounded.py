"""Encoders that answer in time or not at all, whatever the model behind them does."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from fusion.circuit import Circuit
from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput
from fusion.run_limit import RunLimit
from fusion.threads import DaemonThreads

T = TypeVar("T")
PATIENCE = 3.0
"""Seconds that an encoder may take where nothing else is set."""
MAX_HANGING = 4


class Deadline(ABC):
    """How long calls of a model may take, and what becomes of those that take longer."""

    at_once: bool
    """Whether calls are over when they have begun."""

    def call(self, action: Callable[[], T]) -> T:
        """The action's result, or its error. Raises EncoderUnavailable when the time is over."""
        (result,) = self.begin(action)
        return result()

    @abstractmethod
    def begin(self, *actions: Callable[[], T]) -> list[Callable[[], T]]:
        """Make calls, one after the other and all in time, in the caller's context.

        What is returned waits for each as ``call`` does.
        """


class InThread(Deadline):
    """Lets each call take ``seconds``, in a thread that nobody waits for longer.

    While `MAX_HANGING` calls are over their time, further ones fail at once: they would wait in
    vain, and hold memory and a thread each.
    """

    at_once = False

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._threads = DaemonThreads()
        self._hanging: set[Future[Any]] = set()
        self._lock = Lock()

    def begin(self, *actions: Callable[[], T]) -> list[Callable[[], T]]:
        """Make calls in one thread; see `Deadline.begin`."""
        with self._lock:
            if len(self._hanging) >= MAX_HANGING:
                hanging = EncoderUnavailable("Earlier calls of the model hang. Restart the server.")
                return [_failed(hanging).result for _ in actions]
        ends, context = monotonic() + self._seconds, copy_context()
        futures = self._threads.submit(*(partial(context.run, action) for action in actions))
        return [partial(self._result, future, ends) for future in futures]

    def _result(self, future: Future[T], ends: float) -> T:
        try:
            return future.result(max(0.0, ends - monotonic()))
        except TimeoutError as error:
            self._give_up(future)
            raise EncoderUnavailable(f"No answer within {self._seconds:g} s.") from error

    def _give_up(self, future: Future[T]) -> None:
        with self._lock:
            self._hanging.add(future)
        future.add_done_callback(self._came_back)

    def _came_back(self, future: Future[T]) -> None:
        with self._lock:
            self._hanging.discard(future)


class InPlace(Deadline):
    """Makes calls of models of this process where they are asked for, and ends their runs when
    ``seconds`` are over: waking another thread would take longer than many a run.

    After calls that had to be ended, further ones fail at once, as `Circuit` says.
    """

    at_once = True

    def __init__(self, seconds: float) -> None:
        self._limit = RunLimit(seconds)
        self._circuit = Circuit(EncoderUnavailable)

    def begin(self, *actions: Callable[[], T]) -> list[Callable[[], T]]:
        """Make calls, to their end; see `Deadline.begin`."""
        made: list[Future[T]] = []
        try:
            with self._circuit.calling(), self._limit.limited():
                made += [_made(action) for action in actions]
        except EncoderUnavailable as error:  # too late, which those that were know, or refused
            made = made or [_failed(error) for _ in actions]
        return [future.result for future in made]


class Deadlines:
    """Those of encoders that may take ``seconds`` each. What computes in this process has one for
    all, which is over for those that a request asks together.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._here = InPlace(seconds)

    def of(self, encoder: TextEncoder | FusionEncoder) -> Deadline:
        """That of its calls."""
        return InThread(self._seconds) if encoder.remote else self._here


def _made(action: Callable[[], T]) -> Future[T]:
    future = Future[T]()
    try:
        future.set_result(action())
    except Exception as error:
        future.set_exception(error)
    return future


def _failed(error: Exception) -> Future[Any]:
    future = Future[Any]()
    future.set_exception(error)
    return future


class BoundedEncoder:
    """A text ``encoder`` with a ``deadline`` for each call."""

    def __init__(self, encoder: TextEncoder, deadline: Deadline) -> None:
        self.encoder = encoder
        self.deadline = deadline
        self.remote = encoder.remote
        self.model_version = encoder.model_version
        self.dim = encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`; see `TextEncoder.encode`. Raises EncoderUnavailable also when late."""
        return self.deadline.call(lambda: self.encoder.encode(texts))


class BoundedFusion:
    """A fusion ``encoder`` with a ``deadline`` for each call."""

    def __init__(self, encoder: FusionEncoder, deadline: Deadline) -> None:
        self.encoder = encoder
        self.deadline = deadline
        self.remote = encoder.remote
        self.model_version = encoder.model_version
        self.dim = encoder.dim

    def fuse(self, asked: FusionInput) -> Fused:
        """Fuse; see `FusionEncoder.fuse`. Raises EncoderUnavailable also when late."""
        return self.deadline.call(lambda: self.encoder.fuse(asked))
