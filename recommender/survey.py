"""Which cards a survey shows: a spread over genres, eras and fame, so that few swipes say much."""

import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest

ERAS = ((0, 1969), (1970, 1989), (1990, 1999), (2000, 2009), (2010, 3000))
# Most cards must be films that people have seen: a survey of unseen films teaches nothing.
FAME_PATTERN = ("popular", "popular", "acclaimed", "popular", "niche")


def curate(catalogue: Catalogue, swiped: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    """``size`` film ids nobody of ``swiped``, the same for the same seed.

    Fame, era and genre take turns; each pick is drawn at random from the dozen best known films
    that fit the turn. Raises InvalidRequest when fewer films are left than asked for.
    """
    open_films = set(range(len(catalogue))) - {
        catalogue.rows[item_id] for item_id in swiped if item_id in catalogue
    }
    if not 1 <= size <= len(open_films):
        raise InvalidRequest(
            f"survey_size must be between 1 and {len(open_films)}, the films not yet swiped; "
            f"it was {size}."
        )
    turns = _turns(catalogue, random.Random(seed))  # noqa: S311 - variety, not secrecy
    chosen: list[int] = []
    while len(chosen) < size:
        pick = next(turns)(open_films)
        if pick is not None:
            open_films.remove(pick)
            chosen.append(pick)
    return tuple(catalogue.items[row].item_id for row in chosen)


class _Turn:
    """One turn: well known open films of a fame class, with relaxing limits on genre and era."""

    def __init__(
        self, pools: Sequence[NDArray[np.intp]], rng: random.Random, shortlist: int = 12
    ) -> None:
        self._pools = pools
        self._rng = rng
        self._shortlist = shortlist

    def __call__(self, open_films: set[int]) -> int | None:
        for pool in self._pools:
            left = [int(row) for row in pool if int(row) in open_films][: self._shortlist]
            if left:
                return self._rng.choice(left)
        return None


def _turns(catalogue: Catalogue, rng: random.Random) -> Iterator[_Turn]:
    fames = _fame_classes(catalogue)
    genres = [genre for genre in catalogue.genres if catalogue.genre_shares[genre] > 0.02]
    rng.shuffle(genres)
    eras = list(ERAS)
    rng.shuffle(eras)
    everything = np.arange(len(catalogue))
    wished = genres or [""]  # a catalogue may know no genres
    cycle = zip(
        itertools.cycle(FAME_PATTERN), itertools.cycle(wished), itertools.cycle(eras), strict=False
    )
    for fame, genre, (first, last) in cycle:
        rows = fames[fame]
        of_genre = rows[catalogue.has_genre(genre)[rows]]
        years = catalogue.years[of_genre]
        exact = of_genre[(years >= first) & (years <= last)]
        yield _Turn((exact, of_genre, rows, everything), rng)


def _fame_classes(catalogue: Catalogue) -> dict[str, NDArray[np.intp]]:
    """Popular: the most rated fifth. Acclaimed: the best rated of the top half. Niche: the rest.

    Each is sorted, best known or best rated first.
    """
    count = len(catalogue)
    half = np.arange(max(count // 2, 1))
    by_acclaim = half[np.argsort(-catalogue.acclaim[half], kind="stable")]
    return {
        "popular": np.arange(max(count // 5, 1)),
        "acclaimed": by_acclaim[: max(count // 6, 1)],
        "niche": np.arange(count // 5, max(count * 3 // 5, 1)),
    }
