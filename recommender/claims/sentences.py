"""A text that arrives in pieces, cut into sentences that names do not break."""

import re
from collections.abc import Iterable, Iterator

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n")
_LEAD = re.compile(r"^(?:[-*•#>]+|\d+[.)])\s+")
_INNER = re.compile(r"[.!?…]\s")


class Splitter:
    """Hands out each sentence as soon as it is whole; "Dr. No" does not end one.

    What has no end is not handed out: it may be half of something else.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """``names`` are those that may hold what else would end a sentence."""
        ends = sorted((n for n in names if _END.search(n)), key=len, reverse=True)
        self._names = re.compile("|".join(re.escape(name) for name in ends)) if ends else None
        self._held = max((len(name) for name in ends if _INNER.search(name)), default=0)
        self._rest = ""

    def feed(self, text: str) -> Iterator[str]:
        """The sentences that this piece completes."""
        self._rest += text
        # The end is known by what follows it, which for a name may take all of its letters.
        while (end := self._end()) is not None and len(self._rest) - end > self._held + 1:
            yield from self._cut(end)

    def finish(self) -> Iterator[str]:
        """The sentences that were waiting for more."""
        while (end := self._end()) is not None:
            yield from self._cut(end)

    def _cut(self, end: int) -> Iterator[str]:
        sentence, self._rest = self._rest[:end], self._rest[end:].lstrip()
        if sentence := _LEAD.sub("", sentence.strip()):
            yield sentence

    def _end(self) -> int | None:
        """Where the first sentence ends, if it does."""
        spans = [m.span() for m in self._names.finditer(self._rest)] if self._names else []
        for found in _END.finditer(self._rest):
            end = found.end()
            within = [span for span in spans if span[0] <= found.start() < span[1]]
            if not within or (end >= within[0][1] and self._starts_anew(end)):
                return end
        return None

    def _starts_anew(self, end: int) -> bool:
        """Whether what comes after a name's own full stop begins a sentence."""
        following = self._rest[end:].lstrip()
        return not following or following[0].isupper() or self._rest[end - 1] == "\n"
