"""Encoders that answer in time or not at all, whatever the model behind them does."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, NoReturn, TypeVar

from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput
from fusion.threads import DaemonThreads

T = TypeVar("T")
MAX_HANGING = 4


class Deadline:
    """Lets each call take ``seconds``, in a thread that nobody waits for longer.

    While `MAX_HANGING` calls are over their time, further ones fail at once: they would wait in
    vain, and hold memory and a thread each.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._threads = DaemonThreads()
        self._hanging: set[Future[Any]] = set()
        self._lock = Lock()

    def call(self, action: Callable[[], T]) -> T:
        """The action's result, or its error. Raises EncoderUnavailable when the time is over."""
        (result,) = self.begin(action)
        return result()

    def begin(self, *actions: Callable[[], T]) -> list[Callable[[], T]]:
        """Make calls, one after the other and all in time, in the caller's context.

        What is returned waits for each as ``call`` does.
        """
        with self._lock:
            if len(self._hanging) >= MAX_HANGING:
                return [_unavailable for _ in actions]
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


def _unavailable() -> NoReturn:
    raise EncoderUnavailable("Earlier calls of the model hang. Restart the server.")


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
