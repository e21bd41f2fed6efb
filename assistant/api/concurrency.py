"""How many requests are served at once; past that, callers are told to come back."""

from collections.abc import Iterator
from contextlib import contextmanager

from assistant.api import kinds
from assistant.api.problems import Refusal

RETRY_SECONDS = 1


class ConcurrencyLimit:
    """Places for requests that are being worked on, taken and given back on the event loop.

    A queue would make everybody wait, longest those whose clients have given up.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place. Raises Refusal, at once, when all are taken."""
        if self._taken >= self._limit:
            raise Refusal(kinds.OVERLOADED, headers={"Retry-After": str(RETRY_SECONDS)})
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
