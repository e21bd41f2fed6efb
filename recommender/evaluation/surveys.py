"""The survey that learns against the fixed one: quality after each card shown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.metrics import interval, lift, ndcg
from fusion.evaluate.protocol import Interactions, Rating, Swipe
from fusion.evaluate.tables import Rows
from fusion.linear_fusion import BIAS, DIM, RANK, LinearFusion
from recommender.catalogue import Catalogue
from recommender.models import Direction, Item
from recommender.survey import curate
from recommender.survey_choice import LISTED, Lessons, lessons

FIXED, FAMOUS, LEARNING = "fixed", "best known first", "learning"
CARDS = 40
SHOWN = (0, 5, 10, 15, 20, 25, 30, 40)
HELD_SHARE = 1 / 3
MIN_RELEVANT = 5

Answers = Mapping[int, Direction]
Deck = Callable[[Answers], int | None]


@dataclass(frozen=True)
class Person:
    """A stranger with a full history; rows are the catalogue's.

    ``ratings`` can be told by cards; ``relevant`` liked films were held out, which no card shows.
    """

    ratings: Mapping[int, Rating]
    held: frozenset[int]
    relevant: frozenset[int]
    seed: int

    def answer(self, row: int) -> Direction:
        """A film that was not rated was not seen; a neutral rating says nothing either."""
        rating = self.ratings.get(row)
        swipe = Swipe.of(rating) if rating else None
        if swipe is None:
            return Direction.SKIP
        return Direction.LIKE if swipe.liked else Direction.DISLIKE


@dataclass(frozen=True)
class Curve:
    """NDCG@10 after each number of cards, shape (people, CARDS + 1), and where each stopped."""

    quality: NDArray[np.float64]
    stopped: NDArray[np.int64]


def people(strangers: Interactions, rows: Sequence[int], seed: int) -> Iterator[Person]:
    """Strangers with a third of their ratings held out, at least five likes among them."""
    for user, ratings in strangers.by_user.items():
        order = np.random.default_rng([seed, user]).permutation(len(ratings))
        cut = round(HELD_SHARE * len(ratings))
        held = [ratings[k] for k in order[:cut]]
        liked = frozenset(rows[r.item] for r in held if (s := Swipe.of(r)) and s.liked)
        if len(liked) >= MIN_RELEVANT:
            told = {rows[ratings[k].item]: ratings[k] for k in order[cut:]}
            yield Person(told, frozenset(rows[r.item] for r in held), liked, user)


class Surveys:
    """Both surveys over one catalogue and one linear fusion of the training people."""

    def __init__(self, model: LinearFusion, items: Sequence[Item]) -> None:
        """``items`` by the index that ratings use, which is the model's."""
        self._catalogue = Catalogue(items)
        self.rows = [self._catalogue.rows[item.item_id] for item in items]
        self._model = model
        self._indices = np.argsort(self.rows).tolist()
        self._vectors = self._model.items[self._indices]
        self._lessons = self._learn()

    def fixed(self, person: Person) -> Deck:
        """The cards as they were curated, whatever is answered."""
        held = [self._catalogue.items[row].item_id for row in sorted(person.held)]
        ids = curate(self._catalogue, held, CARDS, person.seed)
        cards = [self._catalogue.rows[item_id] for item_id in ids]
        return lambda answers: cards[len(answers)]

    def best_known(self, person: Person) -> Deck:
        """The most rated films in turn: what choosing by fame alone is worth."""
        cards = [row for row in range(len(self._vectors)) if row not in person.held]
        return lambda answers: cards[len(answers)]

    def learning(self, person: Person) -> Deck:
        """The survey that learns."""
        hidden = np.array(sorted(person.held), dtype=np.intp)

        def deck(answers: Answers) -> int | None:
            worth = self._lessons.values(answers)
            worth[hidden[hidden < len(worth)]] = 0.0
            return int(np.argmax(worth))

        return deck

    def measure(self, deck_of: Callable[[Person], Deck], strangers: Sequence[Person]) -> Curve:
        """Show everyone `CARDS` cards; note the quality after each, and where it was settled."""
        quality, stopped = [], []
        for person in strangers:
            deck, answers = deck_of(person), dict[int, Direction]()
            curve, stop = [self._quality(person, answers)], CARDS
            while len(answers) < CARDS and (card := deck(answers)) is not None:
                answers[card] = person.answer(card)
                curve.append(self._quality(person, answers))
                if stop == CARDS and self._lessons.settled(answers):
                    stop = len(answers)
            quality.append(curve)
            stopped.append(stop)
        return Curve(np.array(quality), np.array(stopped))

    def _learn(self) -> Lessons:
        prior = np.zeros(DIM, dtype=np.float32)
        prior[BIAS] = 1.0

        def respond(row: int, liked: bool) -> NDArray[np.float32]:
            vector = np.zeros(DIM, dtype=np.float32)
            vector[:RANK] = self._vectors[row, :RANK] @ self._model.taste_maps[int(liked)]
            return vector

        catalogue = self._catalogue
        return lessons(self._vectors, prior, respond, catalogue.rating_counts, catalogue.years)

    def _quality(self, person: Person, answers: Answers) -> float:
        """Over all films but those a card could tell of: the same films whatever was shown."""
        opinions = {row: a is Direction.LIKE for row, a in answers.items() if a != Direction.SKIP}
        scores = self._vectors @ self._model.fuse(
            {self._indices[row]: liked for row, liked in opinions.items()}
        )
        scores[[*person.ratings, *answers]] = -np.inf
        top = np.argsort(-scores, kind="stable")[:LISTED]
        hits = np.array([[row in person.relevant for row in top]])
        return float(ndcg(hits, np.array([len(person.relevant)]))[0])


def compare(
    model: LinearFusion, items: Sequence[Item], strangers: Interactions, seed: int
) -> dict[str, Curve]:
    """The curves of all surveys over the same people, who are unknown to ``model``."""
    surveys = Surveys(model, items)
    asked = list(people(strangers, surveys.rows, seed))
    decks = {FIXED: surveys.fixed, FAMOUS: surveys.best_known, LEARNING: surveys.learning}
    return {name: surveys.measure(deck, asked) for name, deck in decks.items()}


def tables(curves: Mapping[str, Curve]) -> list[Rows]:
    """Quality by cards shown with 95 % intervals, cards to the same quality, and early stops."""
    head = ["cards", *curves, f"{LEARNING} against {FIXED}", f"{LEARNING} against {FAMOUS}"]
    rows = [head]
    ours, theirs = curves[LEARNING].quality, curves[FIXED].quality
    for n in SHOWN:
        cells = [_with_interval(curve.quality[:, n]) for curve in curves.values()]
        gains = [_gain(ours[:, n], curves[other].quality[:, n]) for other in (FIXED, FAMOUS)]
        rows.append([str(n), *cells, *gains])
    return [rows, _same_quality(ours, theirs), _stops(curves[LEARNING])]


def _same_quality(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Rows:
    rows = [["fixed cards", "NDCG@10", "cards for the same", "fewer"]]
    for n in SHOWN[2:]:
        needed = cards_needed(ours, float(theirs[:, n].mean()))
        fewer = f"{1 - needed / n:.0%}"
        rows.append([str(n), f"{theirs[:, n].mean():.3f}", str(needed), fewer])
    return rows


def cards_needed(quality: NDArray[np.float64], wanted: float) -> int:
    """The fewest cards after which the mean quality is ``wanted``; all when it never is."""
    reached = quality.mean(axis=0) >= wanted
    return int(np.argmax(reached)) if reached.any() else quality.shape[1] - 1


def _stops(curve: Curve) -> Rows:
    at = curve.quality[np.arange(len(curve.stopped)), curve.stopped]
    end = curve.quality[:, CARDS]
    return [
        ["cards at most", "cards shown", "stopped early", "NDCG@10", "against all cards"],
        [
            str(CARDS),
            f"{curve.stopped.mean():.1f}",
            f"{(curve.stopped < CARDS).mean():.0%}",
            _with_interval(at),
            _gain(at, end),
        ],
    ]


def _gain(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    gain, low, high = lift(ours, theirs)
    return f"{gain:+.0%} ({low:+.0%} to {high:+.0%})"


def _with_interval(values: NDArray[np.float64]) -> str:
    low, high = interval(values)
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"
