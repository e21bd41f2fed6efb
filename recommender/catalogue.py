"""The catalogue in memory: film facts by id and as columns, for filters that must be fast."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from recommender.errors import InvalidRequest, UnknownItem
from recommender.models import Filters, Item
from recommender.text import fold


def decades(item: Item) -> tuple[str, ...]:
    """The decade that a film is of, such as "1990s", if that is known."""
    return (f"{item.year // 10 * 10}s",) if item.year else ()


class Catalogue:
    """An immutable snapshot of all films, most rated first."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: tuple[Item, ...] = tuple(
            sorted(items, key=lambda item: (-item.rating_count, item.item_id))
        )
        self.rows: dict[str, int] = {item.item_id: row for row, item in enumerate(self.items)}

    @classmethod
    def of(cls, items: Iterable[Item]) -> "Catalogue":
        """The catalogue of these films, which they may be already."""
        return items if isinstance(items, cls) else cls(items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.rows

    def get(self, item_id: str) -> Item:
        """Raises UnknownItem."""
        try:
            return self.items[self.rows[item_id]]
        except KeyError:
            raise UnknownItem(item_id) from None

    def select(self, item_ids: Iterable[str]) -> list[Item]:
        """The films of these ids that exist, in the order given."""
        return [self.items[self.rows[item_id]] for item_id in item_ids if item_id in self.rows]

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """All genre names, in alphabetical order."""
        return tuple(sorted({genre for item in self.items for genre in item.genres}))

    @cached_property
    def genre_matrix(self) -> NDArray[np.bool_]:
        """Shape (films, genres): which film has which genre."""
        return np.array(
            [[genre in item.genres for genre in self.genres] for item in self.items],
            dtype=bool,
        ).reshape(len(self.items), len(self.genres))

    @cached_property
    def genre_shares(self) -> dict[str, float]:
        """The share of films that carry each genre, 0..1."""
        shares = self.genre_matrix.sum(axis=0) / max(len(self.items), 1)
        return dict(zip(self.genres, shares.tolist(), strict=True))

    @cached_property
    def genre_rows(self) -> "RowsByLabel":
        """Which films have each genre."""
        return RowsByLabel(item.genres for item in self.items)

    @cached_property
    def tag_rows(self) -> "RowsByLabel":
        """Which films have each tag."""
        return RowsByLabel(item.tags for item in self.items)

    @cached_property
    def person_rows(self) -> "RowsByLabel":
        """Which films each person directed or played in."""
        return RowsByLabel(item.people for item in self.items)

    @cached_property
    def tag_shares(self) -> dict[str, float]:
        """The share of films that carry each tag, 0..1."""
        return {tag: len(rows) / len(self.items) for tag, rows in self.tag_rows.items()}

    @cached_property
    def decade_shares(self) -> dict[str, float]:
        """The share of films that are of each decade, such as "1990s", 0..1."""
        counts = Counter(decade for item in self.items for decade in decades(item))
        return {decade: count / len(self.items) for decade, count in counts.items()}

    @cached_property
    def years(self) -> NDArray[np.int16]:
        """Release years, 0 where unknown."""
        return np.array([item.year or 0 for item in self.items], dtype=np.int16)

    @cached_property
    def rating_counts(self) -> NDArray[np.int64]:
        """How many people rated each film."""
        return np.array([item.rating_count for item in self.items], dtype=np.int64)

    @cached_property
    def popularity(self) -> NDArray[np.float32]:
        """Percentile rank by rating count, 0 (nobody rated it) .. 1 (most rated)."""
        counts = self.rating_counts
        below = np.searchsorted(np.sort(counts), counts, side="left")
        return (below / max(len(counts) - 1, 1)).astype(np.float32)

    @cached_property
    def acclaim(self) -> NDArray[np.float32]:
        """Bayesian mean rating, 0..5: m ratings of the catalogue's mean join each film's own.

        The weighted rating used by IMDb's charts, with m = 25.
        """
        prior_weight = 25.0
        means = np.array([item.rating_mean or 0.0 for item in self.items], dtype=np.float64)
        total = max(int(self.rating_counts.sum()), 1)
        prior = float((means * self.rating_counts).sum() / total)
        weighted = means * self.rating_counts + prior * prior_weight
        return (weighted / (self.rating_counts + prior_weight)).astype(np.float32)

    @cached_property
    def _person_spellings(self) -> dict[str, str]:
        return {fold(name): name for name in self.person_rows}

    @cached_property
    def _genre_spellings(self) -> dict[str, str]:
        return {fold(name): name for name in self.genres}

    def allowed(self, filters: Filters, exclude: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Shape (films,): which films pass the filters and are not among ``exclude``."""
        mask = np.ones(len(self.items), dtype=bool)
        for genre in filters.include_genres:
            mask &= self.has_genre(genre)
        for genre in filters.exclude_genres:
            mask &= ~self.has_genre(genre)
        if filters.year_from is not None:
            mask &= self.years >= filters.year_from
        if filters.year_to is not None:
            mask &= (self.years <= filters.year_to) & (self.years > 0)
        for person in filters.people:
            mask &= self._marked(self.person_rows, person)
        for person in filters.exclude_people:
            mask &= ~self._marked(self.person_rows, person)
        mask[[self.rows[item_id] for item_id in exclude if item_id in self.rows]] = False
        return mask

    def spelled(self, filters: Filters) -> Filters:
        """The filters with genres and people spelled as here: "sci-fi", "Agnes Varda" are known.

        Raises InvalidRequest for a genre that no film has. A person of no film stays as given.
        """
        genres = self._genre_spellings
        asked = (*filters.include_genres, *filters.exclude_genres)
        if unknown := [genre for genre in asked if fold(genre) not in genres]:
            raise InvalidRequest(
                f"There is no genre {unknown[0]!r}. The genres are: {', '.join(self.genres)}."
            )
        return filters.model_copy(
            update={
                "include_genres": tuple(genres[fold(name)] for name in filters.include_genres),
                "exclude_genres": tuple(genres[fold(name)] for name in filters.exclude_genres),
                "people": tuple(map(self._person, filters.people)),
                "exclude_people": tuple(map(self._person, filters.exclude_people)),
            }
        )

    def _person(self, name: str) -> str:
        return self._person_spellings.get(fold(name), name)

    def has_genre(self, genre: str) -> NDArray[np.bool_]:
        """Shape (films,): which films carry the genre; none for an unknown one."""
        return self._marked(self.genre_rows, genre)

    def _marked(self, rows_of: Mapping[str, NDArray[np.intp]], label: str) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.items), dtype=bool)
        if label in rows_of:
            mask[rows_of[label]] = True
        return mask


class RowsByLabel(Mapping[str, NDArray[np.intp]]):
    """Which films carry each label. One array holds all: each of their own would take 150 bytes."""

    def __init__(self, labels: Iterable[Iterable[str]]) -> None:
        """``labels`` are those of each film."""
        self.codes: dict[str, int] = {}
        """Of each label the number that stands for it, in the order of their first films."""
        codes = self.codes
        coded = [
            [codes.setdefault(n, len(codes)) for n in dict.fromkeys(names)] for names in labels
        ]
        films = np.repeat(np.arange(len(coded)), [len(names) for names in coded])
        flat = np.fromiter(chain.from_iterable(coded), dtype=np.intp, count=len(films))
        self._rows = films[np.argsort(flat, kind="stable")]
        self._ends = np.cumsum(np.bincount(flat, minlength=len(codes)))

    def __getitem__(self, label: str) -> NDArray[np.intp]:
        code = self.codes[label]
        start = self._ends[code - 1] if code else 0
        return self._rows[start : self._ends[code]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)
