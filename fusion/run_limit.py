"""Ending runs of ONNX Runtime that take too long."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from time import monotonic, sleep
from weakref import ref

import onnxruntime as ort

from fusion.errors import EncoderUnavailable

CHECKS = 4
"""How often it is looked, within the time that runs may take."""
SILENT = 4
"""ONNX Runtime's level of logging at which it says nothing but what is fatal."""
_OPTIONS: ContextVar[ort.RunOptions | None] = ContextVar("run_options", default=None)


def run_options() -> ort.RunOptions | None:
    """What a run has to be made with so that the caller's limit, if there is one, holds for it."""
    return _OPTIONS.get()


class RunLimit:
    """Ends runs at the next node of their graphs when ``seconds`` are over. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends: dict[ort.RunOptions, float] = {}
        Thread(target=_watch, args=(ref(self), seconds / CHECKS), daemon=True).start()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Limit all the caller's runs together. Raises EncoderUnavailable if time was over."""
        options = ort.RunOptions()
        options.log_severity_level = SILENT  # whoever called says it
        self._ends[options] = monotonic() + self._seconds
        outer = _OPTIONS.set(options)
        try:
            yield
        finally:
            _OPTIONS.reset(outer)
            del self._ends[options]
        if options.terminate:
            raise EncoderUnavailable(f"No answer within {self._seconds:g} s.")

    def end_late(self) -> None:
        """End those whose time is over."""
        now = monotonic()
        for options, ends in self._ends.copy().items():
            if ends <= now:
                options.terminate = True


def _watch(watched: ref[RunLimit], every: float) -> None:
    while True:
        sleep(every)
        limit = watched()
        if limit is None:
            return
        limit.end_late()
        del limit  # not held while asleep
