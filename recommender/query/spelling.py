"""Finds names that are nearly spelt like a word."""

from collections import defaultdict
from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA


def typing_errors(name: str) -> int:
    """How many typing errors a name of this length may hold and still be recognised."""
    return 0 if len(name) < 5 else 1 if len(name) < 9 else 2 if len(name) < 14 else 3


class Spellings:
    """Names by first letter and length: a misspelling keeps the first letter."""

    def __init__(self, names: Iterable[str]) -> None:
        self._buckets: dict[tuple[str, int], list[str]] = defaultdict(list)
        for name in names:
            self._buckets[name[:1], len(name)].append(name)

    def nearest(self, name: str, errors: int) -> str | None:
        """The name at the smallest optimal string alignment distance, at most ``errors``."""
        lengths = range(len(name) - errors, len(name) + errors + 1)
        candidates = [
            candidate
            for length in lengths
            for candidate in self._buckets.get((name[:1], length), ())
        ]
        match = process.extractOne(name, candidates, scorer=OSA.distance, score_cutoff=errors)
        return match[0] if match else None
