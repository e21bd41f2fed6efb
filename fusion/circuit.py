"""Sparing a remote model that fails, and those who would wait for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from pybreaker import STATE_CLOSED, CircuitBreaker, CircuitBreakerError

FAILURES_TO_OPEN = 5
PAUSE_SECONDS = 15.0
OPEN = "the circuit is open after repeated failures"


class Circuit:
    """After five failed calls in a row it is open: calls fail at once.

    Every fifteen seconds one is let through to see whether the model is back.
    """

    def __init__(self, failed: Callable[[str], Exception]) -> None:
        """``failed`` makes the error of a call that is refused, of the reason."""
        self._failed = failed
        self._breaker = CircuitBreaker(
            FAILURES_TO_OPEN, PAUSE_SECONDS, throw_new_error_on_trip=False
        )
        self._trial = Lock()

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Refuse at once while the circuit is open; then let one caller try, not all of them.

        pybreaker holds its lock all through `call()`, which would send one request at a time;
        `calling()` does not, so the lock for the trial is ours.
        """
        on_trial = self._breaker.current_state != STATE_CLOSED
        if on_trial and not self._trial.acquire(blocking=False):
            raise self._failed(OPEN)
        try:
            with self._breaker.calling():
                yield
        except CircuitBreakerError:
            raise self._failed(OPEN) from None
        finally:
            if on_trial:
                self._trial.release()
