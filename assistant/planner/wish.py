"""A wish over several messages: what it began with, and how it was changed since."""

import re
from collections.abc import Sequence

from assistant.planner.grammar import plain

_TAKEN_BACK = re.compile(
    r"^(?:(?:ok(?:ay)?|no|oh|actually|sorry|well|hm+|please|and|just)\W+)*"
    r"(?:forget|never ?mind|drop|skip|scrap|ignore|lose|take back|leave out|remove) "
    r"(?:about )?(?:that|it|this|the last (?:one|bit|part|thing|change|wish)|what i (?:just )?said)"
    r"(?: (?:again|please|last (?:one|bit|part)))?\W*$"
    r"|^(?:oh |no |ok )*never ?mind\W*$"
)
_NAMED = re.compile(
    r"^(?:(?:ok(?:ay)?|no|actually|please|and|but)\W+)*"
    r"(?:without|remove|drop|forget|scrap|lose|take (?:back|away)|not|no longer|leave out)"
    r"(?: the)? [“\"'‘]?(?P<what>.+?)[”\"'’]?(?: (?:any ?more|again|please|part|bit))*\W*$"
)
_OPPOSITES = (
    ("older", "newer"),
    ("shorter", "longer"),
    ("darker", "lighter"),
    ("happier", "sadder"),
    ("funnier", "more serious"),
    ("slower", "faster"),
    ("before", "after"),
    ("earl(?:y|ier)", "later?"),
)
_JOINT = re.compile(r"^(?:(?:but|and|ok|now|please|just|make (?:it|them)|a bit|a little)\b ?)+")
_DEGREE = re.compile(r"\b(more|less) (\w+)")


def takes_back(text: str) -> bool:
    """Whether a message takes the last wish back, such as "forget that"."""
    return bool(_TAKEN_BACK.match(plain(text)))


def without_named(text: str, refinements: Sequence[str]) -> list[str] | None:
    """What is left of the refinements when a message names one to go; None when it names none."""
    said = _NAMED.match(plain(text))
    if not said:
        return None
    left = [kept for kept in refinements if _bare(kept) != _bare(said["what"])]
    return left if len(left) < len(refinements) else None


def refined(refinements: Sequence[str], words: str) -> list[str]:
    """The refinements with one more, in the place of those that it reverses."""
    new = _bare(words)
    kept = [r for r in refinements if not _reverses(new, _bare(r)) and _bare(r) != new]
    return [*kept, words]


def _reverses(new: str, old: str) -> bool:
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if re.search(rf"\b{one}\b", new) and re.search(rf"\b{other}\b", old):
                return True
    degrees, earlier = dict(_flipped(new)), dict(_flipped(old))
    return any(earlier.get(word, degree) != degree for word, degree in degrees.items())


def _flipped(text: str) -> list[tuple[str, str]]:
    return [(found[2], found[1]) for found in _DEGREE.finditer(text)]


def _bare(text: str) -> str:
    """Without what only joins it to the sentence before."""
    said = plain(text).strip(" .,!?“”\"'")
    return _JOINT.sub("", said)
