"""Which cards a survey shows: what teaches most first, then a spread over genres, eras and fame."""

import itertools
import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from fusion.errors import FusionError
from fusion.fusion_encoder import FusionEncoder, FusionInput, SwipedFilm
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.models import Direction, Swipe
from recommender.survey_choice import Floats, Lessons, Response, lessons
from recommender.vectors import ItemVectors

logger = logging.getLogger(__name__)

ERAS = ((0, 1969), (1970, 1989), (1990, 1999), (2000, 2009), (2010, 3000))
# Most cards must be films that people have seen: a survey of unseen films teaches nothing.
FAME_PATTERN = ("popular", "popular", "acclaimed", "popular", "niche")


class LearningSurvey:
    """Chooses each card by the answers before it. Thread-safe.

    What cards teach is learned from the fusion encoder, or, without one, from the films' texts,
    when it is prepared or the first survey starts.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        texts: ItemVectors,
        fused: ItemVectors,
        mean_vector: Floats,
        fusion: FusionEncoder | None,
        cards: Sequence[str] = (),
    ) -> None:
        """``cards``: the films to ask about before any other; none: whichever teach most."""
        self._catalogue = catalogue
        self._cards = [item_id for item_id in cards if item_id in catalogue]
        self._texts = texts
        self._fused = fused
        self._mean_vector = mean_vector
        self._fusion = fusion
        self._learned: Lessons | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Learn what cards teach, which takes a second, before anybody waits for it."""
        self._lessons()

    def first(self, swipes: Mapping[str, Swipe], size: int, seed: int) -> tuple[str, ...]:
        """``size`` cards as they follow if none of them was seen; raises as ``curate`` does."""
        rows = self._lessons().batch(self._answers(swipes), size)
        taught = [self._catalogue.items[row].item_id for row in rows]
        waiting = [item_id for item_id in self._cards if item_id not in swipes]
        cards = dict.fromkeys([*taught, *waiting])
        if not 1 <= size <= len(cards):
            cards |= dict.fromkeys(curate(self._catalogue, list(swipes), size, seed))
        return tuple(cards)[:size]

    def next(self, swipes: Mapping[str, Swipe]) -> str | None:
        """The card that teaches most; None when every well known film was answered."""
        row = self._lessons().next_card(self._answers(swipes))
        return None if row is None else self._catalogue.items[row].item_id

    def settled(self, swipes: Mapping[str, Swipe]) -> bool:
        """Whether more cards would hardly change the top ten."""
        return self._lessons().settled(self._answers(swipes))

    def _answers(self, swipes: Mapping[str, Swipe]) -> dict[int, Direction]:
        rows = self._catalogue.rows
        return {rows[i]: swipe.direction for i, swipe in swipes.items() if i in rows}

    def _lessons(self) -> Lessons:
        with self._lock:
            if self._learned is None:
                self._learned = self._learn()
            return self._learned

    def _learn(self) -> Lessons:
        if self._fusion is not None:
            try:
                return self._fused_lessons(self._fusion)
            except FusionError:
                logger.warning("the survey learns from texts: no fusion", exc_info=True)
        dim = len(self._mean_vector)
        items = self._texts.matrix(self._catalogue, self._mean_vector) - self._mean_vector
        return self._lessons_of(
            items, np.zeros(dim, np.float32), lambda row, liked: items[row] * (1 if liked else -1)
        )

    def _fused_lessons(self, fusion: FusionEncoder) -> Lessons:
        items = self._fused.matrix(self._catalogue, np.zeros(fusion.dim, np.float32))

        def respond(row: int, liked: bool) -> Floats:
            return fusion.fuse(_one_swipe(items[row], liked)).taste

        first = fusion.fuse(_one_swipe(items[0], True))
        return self._lessons_of(items, first.vector - first.taste, respond)

    def _lessons_of(self, items: Floats, prior: Floats, respond: Response) -> Lessons:
        catalogue = self._catalogue
        learned = lessons(items, prior, respond, catalogue.rating_counts, catalogue.years)
        if not self._cards:
            return learned
        return learned.of_cards(catalogue.rows[item_id] for item_id in self._cards)


def _one_swipe(vector: Floats, liked: bool) -> FusionInput:
    return FusionInput(swipes=(SwipedFilm("", "", vector, liked),))


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
