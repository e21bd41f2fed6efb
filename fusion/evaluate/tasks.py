"""The three tasks: swipes to films, query and swipes to films, swipes to films never seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.data import Film
from fusion.evaluate.protocol import Interactions, Swipe
from fusion.evaluate.queries import Query, all_queries

SWIPES, QUERY, NEW = "swipes", "query", "new"
MIN_RELEVANT = 5
MIN_FITTING = 3
MIN_NEW = 3


@dataclass(frozen=True)
class Case:
    """One ranking to make for a stranger, and the films that it should put first.

    `kind` and `term` say what the query was made of, such as "tag" and "heist"; empty without one.
    """

    user: int
    history: tuple[Swipe, ...]
    relevant: frozenset[int]
    query: str | None = None
    kind: str = ""
    term: str = ""


@dataclass(frozen=True)
class Task:
    """Cases of one kind, each ranked over `candidates` (shape (n_items,)) but the swiped."""

    kind: str
    n_swipes: int
    cases: tuple[Case, ...]
    candidates: NDArray[np.bool_]


def swipes_task(strangers: Interactions, n: int, draws: int, seed: int) -> Task:
    """After `n` random swipes, what else the stranger liked comes first.

    Who has fewer than 5 likes left has no case. The swipes of one draw at n are among those at
    every larger n, so the curve over n moves by what is added alone.
    """
    cases = []
    for user, swiped, rest in _draws(strangers, n, draws, seed):
        liked = frozenset(swipe.item for swipe in rest if swipe.liked)
        if len(liked) >= MIN_RELEVANT:
            cases.append(Case(user, swiped, liked))
    return Task(SWIPES, n, tuple(cases), np.ones(strangers.n_items, dtype=bool))


def query_task(
    strangers: Interactions, films: Sequence[Film], n: int, per_kind: int, seed: int
) -> Task:
    """After `n` swipes and a query, the liked films that fit the query come first.

    Up to `per_kind` queries of each kind a stranger, drawn from those that at least 3 of their
    other likes fit and at least as many films that they did not like.
    """
    queries = all_queries(films)
    cases = []
    for user, swiped, rest in _draws(strangers, n, 1, seed):
        liked = frozenset(swipe.item for swipe in rest if swipe.liked)
        fitting = [query for query in queries if _is_fair(query, liked)]
        rng = np.random.default_rng([seed, user, n])
        for query in _some_of_each_kind(fitting, per_kind, rng):
            relevant = liked & query.fits
            cases.append(
                Case(user, swiped, relevant, query.words(rng), query.kind, " ".join(query.parts))
            )
    return Task(QUERY, n, tuple(cases), np.ones(strangers.n_items, dtype=bool))


def new_films_task(
    strangers: Interactions, hidden: NDArray[np.bool_], n: int, draws: int, seed: int
) -> Task:
    """After `n` swipes on other films, the `hidden` films that the stranger liked come first.

    Only hidden films are candidates. Who liked fewer than 3 of them has no case.
    """
    cases = []
    known = without_films(strangers, hidden)
    for user, swiped, _ in _draws(known, n, draws, seed):
        swipes = (Swipe.of(rating) for rating in strangers.by_user[user])
        liked = frozenset(s.item for s in swipes if s and s.liked and hidden[s.item])
        if len(liked) >= MIN_NEW:
            cases.append(Case(user, swiped, liked))
    return Task(NEW, n, tuple(cases), hidden)


def hidden_films(n_items: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Draw the films to hide from training, shape (n_items,)."""
    hidden = np.zeros(n_items, dtype=bool)
    drawn = np.random.default_rng([seed, n_items]).permutation(n_items)
    hidden[drawn[: round(share * n_items)]] = True
    return hidden


def without_films(people: Interactions, hidden: NDArray[np.bool_]) -> Interactions:
    """The same people without their ratings of hidden films."""
    return Interactions(
        people.n_items,
        {
            user: [rating for rating in ratings if not hidden[rating.item]]
            for user, ratings in people.by_user.items()
        },
    )


def _draws(
    strangers: Interactions, n: int, draws: int, seed: int
) -> Iterator[tuple[int, tuple[Swipe, ...], list[Swipe]]]:
    """Each stranger's `n` random swipes, oldest first, and the others, `draws` times."""
    for (user, _), swipes in zip(strangers.by_user.items(), strangers.swipes(), strict=True):
        for draw in range(draws if n else 1):
            order = np.random.default_rng([seed, user, draw]).permutation(len(swipes))
            if len(swipes) > n:
                swiped = tuple(swipes[k] for k in sorted(order[:n]))
                yield user, swiped, [swipes[k] for k in order[n:]]


def _is_fair(query: Query, liked: frozenset[int]) -> bool:
    relevant = len(query.fits & liked)
    return relevant >= MIN_FITTING and len(query.fits) >= 2 * relevant


def _some_of_each_kind(
    queries: Sequence[Query], per_kind: int, rng: np.random.Generator
) -> Iterator[Query]:
    for kind in sorted({query.kind for query in queries}):
        same = [query for query in queries if query.kind == kind]
        for k in rng.permutation(len(same))[:per_kind]:
            yield same[k]
