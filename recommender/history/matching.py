"""Which film of the catalogue another site means: by id, else by title and year with a score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from recommender.catalogue import Catalogue
from recommender.history.exports import Watched
from recommender.models import Item, MatchedBy
from recommender.text import bare_title

LIKELY = 0.88
"""Of a title and its year; below it they are taken for those of another film."""
NEAR_YEAR = 0.05
"""What a year beside the film's own costs: sites date premieres and releases."""
NO_YEAR = 0.1
"""What it costs that no year is given."""


@dataclass(frozen=True)
class Match:
    """The film that is meant, by what, and how surely: 0..1."""

    item: Item
    by: MatchedBy
    score: float


class Matcher:
    """Finds films of one catalogue. Thread-safe: it only reads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._imdb = {item.imdb_id: item for item in catalogue.items if item.imdb_id}
        self._tmdb = {item.tmdb_id: item for item in catalogue.items if item.tmdb_id}
        self._titles: dict[str, list[Item]] = {}
        self._years: dict[int, dict[str, list[Item]]] = {}
        for item in catalogue.items:
            title = bare_title(item.title)
            self._titles.setdefault(title, []).append(item)
            if item.year:
                self._years.setdefault(item.year, {}).setdefault(title, []).append(item)

    def find(self, film: Watched) -> Match | str:
        """The film that is meant, or why none is."""
        if film.imdb_id in self._imdb:
            return Match(self._imdb[film.imdb_id], "imdb_id", 1.0)
        if film.tmdb_id in self._tmdb:
            return Match(self._tmdb[film.tmdb_id], "tmdb_id", 1.0)
        likely = [match for match in self._called(film) if _may_be(match.item, film)]
        best = max((match.score for match in likely), default=0.0)
        if best < LIKELY:
            return "the catalogue holds no film of this title and year"
        found = {match.item.item_id: match for match in likely if match.score == best}
        if len(found) > 1:
            return f"the catalogue holds {len(found)} films of this title and year"
        return next(iter(found.values()))

    def _called(self, film: Watched) -> Iterator[Match]:
        title = bare_title(film.title)
        if film.year is None:
            for item in self._titles.get(title, []):
                yield Match(item, "title", 1.0 - NO_YEAR)
            return
        for year in (film.year, film.year - 1, film.year + 1):
            titles = self._years.get(year, {})
            cost = NEAR_YEAR * (year != film.year)
            for name, score in _alike(title, titles):
                for item in titles[name]:
                    yield Match(item, "title", round(score - cost, 3))


def _alike(title: str, titles: dict[str, list[Item]]) -> Sequence[tuple[str, float]]:
    """The titles of a year that are this one, or nearly so, with their likeness."""
    if title in titles:
        return [(title, 1.0)]
    near = process.extract(title, titles.keys(), scorer=fuzz.ratio, score_cutoff=100 * LIKELY)
    return [
        (name, score / 100)
        for name, score, _ in near
        if _numbers(name) == _numbers(title)  # "Alien 3" is not "Alien 2", near as they are
    ]


def _numbers(title: str) -> list[str]:
    return [word for word in title.split() if word.isdigit() or set(word) <= set("ivx")]


def _may_be(item: Item, film: Watched) -> bool:
    """Whether no id says that they are different films."""
    return not (item.imdb_id and film.imdb_id) and not (
        item.tmdb_id and film.tmdb_id and not film.imdb_id
    )
