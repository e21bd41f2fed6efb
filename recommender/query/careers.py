"""The early or late part of somebody's work: "late Kurosawa", "early films by Spielberg"."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.models import Part
from recommender.query.lexicon import Phrases, load, negated
from recommender.query.people import NamedPerson
from recommender.query.words import Span, Words
from recommender.query.years import Range

SHARE = 3
"""One in so many of somebody's films is early, one late; of two films, one."""
_LEXICON: dict[str, Any] = load("careers")
_PARTS: Mapping[str, Part] = _LEXICON["parts"]
_OWNERS = frozenset(_LEXICON["words"]["owners"])
_AFTER = frozenset(_LEXICON["words"]["after"])
_WORKS = frozenset(_LEXICON["words"]["works"])
_LINKS = frozenset(_LEXICON["words"]["links"])
_DEAD = frozenset(_LEXICON["words"]["dead"])
_NEGATORS = Phrases.of(load("genres")["words"]["negators"])
_BETWEEN = frozenset(load("genres")["words"]["between"])


@dataclass(frozen=True)
class Career:
    """Words for a part of somebody's work; ``works``: they speak of films or stand alone.

    ``begins``: a name may follow them at once; ``ends``: a wish ends with them.
    """

    span: Span
    part: Part
    works: bool
    begins: bool
    ends: bool

    def is_of(self, person: NamedPerson) -> bool:
        """Whether the words stand beside the person's name, or speak of "early ones" elsewhere."""
        before = self.begins and person.span.start == self.span.end
        after = self.ends and person.span.end == self.span.start
        return not person.refused and (before or after or self.works)


def find_careers(words: Words) -> Iterator[Career]:
    """The parts of a work that are asked for, the last first."""
    ends = {part.end for part in words.parts()}
    for index in reversed(range(len(words))):
        if part := _PARTS.get(words.key(index)):
            end = index + 1
            end += words.key(end) in _AFTER and not words.pauses(end - 1)
            works = words.key(end) in _WORKS and not words.pauses(end - 1)
            end += works
            end += works and words.key(end) in _LINKS and not words.pauses(end - 1)
            begin = index - (words.key(index - 1) in _OWNERS and not words.pauses(index - 1))
            dead = words.key(begin) == "the" and words.key(end - 1) in _DEAD
            if dead or negated(words, begin, _NEGATORS, _BETWEEN) is not None:
                continue
            pauses = words.pauses(end - 1)
            works = works or (words.clause(index) == begin and pauses)
            yield Career(Span(begin, end), part, works, not pauses, end in ends)


def years_of(part: Part, names: Sequence[str], catalogue: Catalogue) -> Range:
    """When that part of the films was made that have all of these people; open if all are alike."""
    rows: NDArray[np.intp] = reduce(np.intersect1d, (catalogue.person_rows[n] for n in names))
    years = sorted(year for year in catalogue.years[rows].tolist() if year)
    if len(set(years)) < 2:
        return None, None
    count = max(len(years) // SHARE, 1)
    return (None, years[count - 1]) if part == "early" else (years[-count], None)
