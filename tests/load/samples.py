"""What became of each action."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

Outcome = Literal["ok", "refused", "failed"]


class Refused(Exception):
    """The server said to come back later, and when."""


class Failed(Exception):
    """Neither an answer nor a proper refusal."""


@dataclass(frozen=True)
class Sample:
    """One action: when it was due, in seconds of the run, and how long until its answer.

    The time counts from when it was due, so that nothing is left out that had to wait for the
    answer before it (coordinated omission); ``late`` is the part before it was sent.
    """

    kind: str
    due: float
    late: float
    seconds: float
    outcome: Outcome
    detail: str = ""


@dataclass
class Recorder:
    """Collects samples; the run's clock starts with it."""

    samples: list[Sample] = field(default_factory=list)
    started: float = field(default_factory=perf_counter)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return perf_counter() - self.started

    async def record(self, due: float, kind: str, act: Callable[[], Awaitable[None]]) -> None:
        """Do it, and keep what became of it."""
        late, detail = self.now - due, ""
        outcome: Outcome = "ok"
        try:
            await act()
        except Refused as refusal:
            outcome, detail = "refused", str(refusal)
        except Exception as error:  # whatever a client library says of a server that failed
            outcome, detail = "failed", f"{type(error).__name__}: {error}"[:200]
        taken = self.now - due
        self.samples.append(Sample(kind, due, late, taken, outcome, detail))
