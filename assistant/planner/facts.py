"""What is known of the films shown, as words that a person may describe one by."""

import math
import re
from collections.abc import Iterable, Sequence

from rapidfuzz import fuzz

from recommender.models import Item
from recommender.text import index_text, terms
from tools.content import FilmLine

_PART_FROM, _TYPO_FROM = 4, 5
"""Letters from which on a word may be the end of another ("lifeboat"), or misspelt."""
_SAME_WORD = 85.0
"""Least similarity (0..100) at which a misspelt word is still the same."""
_MANNERS = {
    "scary": "horror", "funny": "comedy", "cartoon": "animation", "animated": "animation",
    "cowboy": "western", "romantic": "romance", "space": "sci-fi", "futuristic": "sci-fi",
    "rom": "romance", "romcom": "romance", "gangster": "crime", "mob": "crime", "kid": "children",
}  # fmt: skip
"""Which genre a word of everyday speech means."""
_GENRES = {terms(word)[0]: frozenset(terms(genre)) for word, genre in _MANNERS.items()}


class Facts:
    """The words of each film of a catalogue: title, year, genres, people, tags and overview."""

    def __init__(self, films: Iterable[Item]) -> None:
        self._films = {film.item_id: film for film in films}

    def people(self, line: FilmLine) -> tuple[Sequence[str], Sequence[str]]:
        """Who made a film, and who plays in it."""
        film = self._films.get(line.item_id)
        return (film.director, film.cast) if film else ((), ())

    def fitting(
        self, said: Sequence[str], shown: Sequence[FilmLine]
    ) -> tuple[FilmLine, int] | None:
        """The one film shown that the words ``said`` fit best, and how many of them it took.

        None where no word fits or two films fit alike.
        """
        held = {film.item_id: self._words(film) for film in shown}
        scores: dict[str, float] = dict.fromkeys(held, 0.0)
        last: dict[str, int] = {}
        for place, word in enumerate(said, start=1):
            fits = [item_id for item_id, known in held.items() if _holds(known, word)]
            for item_id in fits:
                scores[item_id] += math.log1p(len(held) / len(fits))
                last[item_id] = place
        ranked = sorted(scores.values(), reverse=True)
        if not last or ranked[0] == (ranked[1:] or [0.0])[0]:
            return None
        best = max(shown, key=lambda film: scores[film.item_id])
        return best, last[best.item_id]

    def _words(self, line: FilmLine) -> frozenset[str]:
        film = self._films.get(line.item_id)
        decade = f"{line.year // 10 * 10}s {line.year % 100 // 10 * 10}s" if line.year else ""
        known = index_text(film) if film else ""
        return frozenset(terms(f"{line.label} {line.note} {decade} {known}"))


def _holds(known: frozenset[str], word: str) -> bool:
    return any(_has(known, term) for term in terms(re.sub(r"['’]s$", "", word)))


def _has(known: frozenset[str], term: str) -> bool:
    """Whether a term is known, by its everyday genre, as part of a word, or misspelt."""
    if term in known or known & _GENRES.get(term, frozenset()):
        return True
    if len(term) >= _PART_FROM and any(each.endswith(term) for each in known):
        return True
    return len(term) >= _TYPO_FROM and any(
        fuzz.ratio(term, each, score_cutoff=_SAME_WORD) for each in known
    )
