"""Which card teaches most: how likely the person has seen it, times what an answer would change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.models import Direction

Floats = NDArray[np.float32]
Response = Callable[[int, bool], Floats]
"""What a like (or not) of a film, by row, adds to the person's vector, shape (dim,)."""

KNOWN_BEST = 0.55
"""The share of people who have seen the most rated film."""
LIKED = 0.72
"""The share of likes among likes and dislikes of films that were seen."""
YEARS_APART = 8.0
"""Years in which the chance that a person who saw one film saw the other falls to 1/e."""
LISTED = 10
FEWEST_SWIPES = 8
"""Likes and dislikes before which nothing is settled."""
LOOKED_AHEAD = 5
STILL_CHANGING = 0.15
"""Films of the top ten that a card is expected to change, above which it is worth its answer."""


@dataclass(frozen=True)
class Lessons:
    """What answers about the m best known of n films teach.

    ``log_odds`` (m,) are those of having seen each; ``kinship`` (m, m) moves them by one answer;
    ``moved`` (2, m, dim) are what a dislike and a like add to the person's vector, whose products
    with ``items`` (n, dim) are scores, ``prior`` (n,) those of whoever said nothing yet; ``change``
    (m,) is the expected length of a card's changes of scores.
    """

    log_odds: Floats
    kinship: Floats
    items: Floats
    moved: Floats
    prior: Floats
    change: Floats

    def of_cards(self, rows: Iterable[int]) -> "Lessons":
        """The same, where only these rows are cards."""
        cards = np.zeros(len(self.change), dtype=np.float32)
        cards[[row for row in rows if row < len(cards)]] = 1.0
        return replace(self, change=self.change * cards)

    def seen(self, answers: Mapping[int, Direction]) -> Floats:
        """The chance of having seen each film, shape (m,), given what was answered by row.

        A film seen raises its kin the more the less it was expected, one not seen lowers them the
        more it was.
        """
        odds = self.log_odds.copy()
        for row, answer in answers.items():
            if row < len(odds):
                expected = _chance(self.log_odds[row])
                surprise = -expected if answer is Direction.SKIP else 1.0 - expected
                odds += surprise * self.kinship[:, row]
        return _chance(odds)

    def values(self, answers: Mapping[int, Direction]) -> Floats:
        """What each card is worth, shape (m,); what was answered is worth nothing."""
        worth = self.seen(answers) * self.change
        worth[[row for row in answers if row < len(worth)]] = 0.0
        return worth

    def turnover(self, answers: Mapping[int, Direction], cards: Sequence[int]) -> Floats:
        """How many of the top ten each card is expected to exchange, shape (cards,)."""
        scores = self._scores(answers)
        scores[list(answers)] = -np.inf  # answered films are not recommended
        listed = np.zeros(len(scores), dtype=bool)
        listed[_top(scores[:, None])] = True
        seen = self.seen(answers)[list(cards)]
        changed = np.zeros(len(cards), dtype=np.float32)
        changes = self.items @ np.concatenate(self.moved[:, list(cards)]).T
        both = np.split(changes, 2, axis=1)
        for change, share in zip(both, (1.0 - LIKED, LIKED), strict=True):
            top = _top(scores[:, None] + change)
            changed += share * (LISTED - listed[top].sum(axis=0))
        return np.asarray(seen * changed, dtype=np.float32)

    def settled(self, answers: Mapping[int, Direction]) -> bool:
        """Whether the most telling cards would hardly change the top ten any more."""
        told = sum(answer is not Direction.SKIP for answer in answers.values())
        if told < FEWEST_SWIPES or len(self.prior) <= LISTED + len(answers):
            return False
        best = np.argsort(-self.values(answers), kind="stable")[:LOOKED_AHEAD]
        return bool(self.turnover(answers, best.tolist()).mean() < STILL_CHANGING)

    def next_card(self, answers: Mapping[int, Direction]) -> int | None:
        """The row of the card that teaches most; None when every one was answered."""
        worth = self.values(answers)
        best = int(np.argmax(worth)) if len(worth) else 0
        return best if len(worth) and worth[best] > 0.0 else None

    def batch(self, answers: Mapping[int, Direction], size: int) -> tuple[int, ...]:
        """Up to ``size`` cards in the order in which they follow if none of them was seen."""
        supposed, cards = dict(answers), list[int]()
        while len(cards) < size and (card := self.next_card(supposed)) is not None:
            cards.append(card)
            supposed[card] = Direction.SKIP
        return tuple(cards)

    def _scores(self, answers: Mapping[int, Direction]) -> Floats:
        told = [
            self.moved[int(answer is Direction.LIKE), row]
            for row, answer in answers.items()
            if answer is not Direction.SKIP and row < len(self.change)
        ]
        return self.prior + self.items @ np.sum(told, axis=0) if told else self.prior.copy()


def lessons(
    items: Floats,
    prior: Floats,
    respond: Response,
    rating_counts: NDArray[np.int64],
    years: NDArray[np.int16],
    pool: int = 600,
) -> Lessons:
    """Learn what cards teach, from the item vectors (n, dim), most rated first.

    ``prior`` (dim,) is the vector of whoever said nothing; ``respond`` is asked twice a film of
    the ``pool`` best known. Films are kin when their likes move the same scores and when they
    are of the same time.
    """
    pool = min(pool, len(items))
    vectors = [[respond(row, liked) for row in range(pool)] for liked in (False, True)]
    moved = np.array(vectors, dtype=np.float32)
    covariance = _covariance(items)
    products = moved @ covariance @ moved.transpose(0, 2, 1)
    lengths = np.sqrt(np.maximum(products.diagonal(axis1=1, axis2=2), 0.0))
    expected = np.array([1.0 - LIKED, LIKED]) @ lengths
    share = KNOWN_BEST * rating_counts[:pool] / max(int(rating_counts.max(initial=0)), 1)
    share = np.clip(share, 0.002, 0.95)
    return Lessons(
        log_odds=np.log(share / (1.0 - share)).astype(np.float32),
        kinship=_kinship(products[1], lengths[1], years[:pool]),
        items=items,
        moved=moved,
        prior=(items @ prior).astype(np.float32),
        change=np.asarray(expected + 1e-6, dtype=np.float32),
    )


def _covariance(items: Floats) -> NDArray[np.float64]:
    """Of the films' vectors, shape (dim, dim): how two changes of a person's vector change all
    scores alike, without a look at each score of each change.
    """
    count = max(len(items), 1)
    mean = items.sum(axis=0, dtype=np.float64) / count
    return np.asarray((items.T @ items) / count - np.outer(mean, mean))


def _kinship(
    products: NDArray[np.float64], lengths: NDArray[np.float64], years: NDArray[np.int16]
) -> Floats:
    alike = np.clip(products / np.maximum(np.outer(lengths, lengths), 1e-9), 0.0, 1.0)
    apart = np.abs(years[:, None].astype(np.float32) - years)
    return np.asarray(0.5 * alike + 0.5 * np.exp(-apart / YEARS_APART), dtype=np.float32)


def _chance(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float32)


def _top(scores: Floats) -> NDArray[np.intp]:
    """The rows of the highest scores of each column, shape (LISTED, columns)."""
    return np.argpartition(-scores, LISTED - 1, axis=0)[:LISTED]
