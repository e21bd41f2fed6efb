"""What an import took, what it left out by choice, and what it could not take."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from recommender.errors import InvalidRequest

SHOWN = 20
"""Faults that are listed; the others are counted."""


@dataclass(frozen=True)
class Fault:
    """A line that holds what no film can be made of."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass
class Report:
    """Kept while a source is read.

    ``left_out`` counts, by reason, what is well formed and not wanted; ``faults`` are the first of
    ``faulty`` lines.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0

    def fault(self, file: str, line: int, reason: str) -> None:
        """Count a line that cannot be taken."""
        self.faulty += 1
        if len(self.faults) < SHOWN:
            self.faults.append(Fault(file, line, reason))

    def lines(self, taken: int) -> Iterator[str]:
        """The report for people, given how many films were taken."""
        yield f"{taken:,} films can be taken."
        for reason, count in sorted(self.left_out.items()):
            yield f"{count:,} left out: {reason}"
        for fault in self.faults:
            yield f"faulty: {fault}"
        if self.faulty > len(self.faults):
            yield f"faulty: {self.faulty - len(self.faults):,} more"

    def require_faultless(self) -> None:
        """Raises InvalidRequest naming the first fault."""
        if self.faults:
            more = f" {self.faulty - 1:,} more lines are faulty." if self.faulty > 1 else ""
            raise InvalidRequest(
                f"{self.faults[0]}.{more} --dry-run lists them, --skip-faulty leaves them out."
            )
