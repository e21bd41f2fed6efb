import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.queries import all_queries
from fusion.evaluate.tasks import (
    hidden_films,
    new_films_task,
    query_task,
    swipes_task,
    without_films,
)
from tests.unit.evaluate_world import N_FILMS, films, people

STRANGERS = people(12, seed=4)


@given(n=st.integers(0, 15), seed=st.integers(0, 99))
def test_swipes_are_n_oldest_first_and_never_relevant(n: int, seed: int) -> None:
    for case in swipes_task(STRANGERS, n, draws=2, seed=seed).cases:
        moments = [swipe.timestamp for swipe in case.history]
        assert len(moments) == n
        assert moments == sorted(moments)
        assert case.relevant.isdisjoint(swipe.item for swipe in case.history)
        assert all(item % 4 == case.user % 4 for item in case.relevant)


def test_more_swipes_hold_the_fewer_ones() -> None:
    few, many = (swipes_task(STRANGERS, n, draws=1, seed=3) for n in (2, 4))
    more = {case.user: set(case.history) for case in many.cases}
    assert all(set(case.history) < more[case.user] for case in few.cases if case.user in more)


def test_a_stranger_s_swipes_do_not_hang_on_who_else_is_there() -> None:
    alone = swipes_task(people(1, seed=4), 5, draws=1, seed=3).cases[0]
    assert alone in swipes_task(STRANGERS, 5, draws=1, seed=3).cases


def test_queries_name_the_films_that_fit_them() -> None:
    found = {query.parts: query for query in all_queries(films())}
    assert found[("horror",)].fits == frozenset(range(2, N_FILMS, 4))
    assert found[("heist",)].fits == frozenset(range(1, N_FILMS, 2))
    assert len(found[("lonely lighthouse",)].fits) == N_FILMS
    assert found[("1990s",)].fits == {k for k in range(N_FILMS) if k % 20 < 10}


def test_a_query_has_relevant_films_and_as_many_that_were_not_liked() -> None:
    task = query_task(STRANGERS, films(), n=5, per_kind=2, seed=3)
    assert {case.query for case in task.cases}
    fits = {(q.kind, " ".join(q.parts)): q.fits for q in all_queries(films())}
    for case in task.cases:
        assert len(case.relevant) >= 3
        fitting = fits[case.kind, case.term]
        assert case.relevant <= fitting
        assert len(fitting) >= 2 * len(case.relevant)
        assert case.relevant.isdisjoint(swipe.item for swipe in case.history)


def test_new_films_are_in_no_history_and_alone_are_candidates() -> None:
    hidden = hidden_films(N_FILMS, 0.4, seed=2)
    task = new_films_task(STRANGERS, hidden, n=5, draws=2, seed=3)
    assert task.cases
    assert task.candidates.sum() == 16
    for case in task.cases:
        assert all(hidden[item] for item in case.relevant)
        assert not any(hidden[swipe.item] for swipe in case.history)


def test_hidden_films_lose_their_ratings_and_no_others() -> None:
    hidden = np.arange(N_FILMS) < 10
    left = without_films(STRANGERS, hidden)
    for user, ratings in STRANGERS.by_user.items():
        assert left.by_user[user] == [rating for rating in ratings if rating.item >= 10]
