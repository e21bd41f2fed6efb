"""Doing without a part that fails, visibly."""

import logging
from collections.abc import Callable
from typing import TypeVar

from recommender.errors import StoreUnavailable
from recommender.telemetry import FALLBACKS

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Fallbacks:
    """The fallbacks taken while one request was answered."""

    def __init__(self) -> None:
        self._taken: list[str] = []

    @property
    def taken(self) -> tuple[str, ...]:
        """Names of the parts done without, in order."""
        return tuple(dict.fromkeys(self._taken))

    def attempt(
        self,
        part: str,
        action: Callable[[], T],
        otherwise: T,
        errors: tuple[type[Exception], ...] = (StoreUnavailable,),
    ) -> T:
        """The action's result, or ``otherwise`` when it fails with one of ``errors``."""
        try:
            return action()
        except errors:
            logger.warning("done without %s", part, exc_info=True)
            FALLBACKS.labels(part).inc()
            self._taken.append(part)
            return otherwise
