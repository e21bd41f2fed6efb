"""Ratings that are drawn from a fitted model have the shape of those it was fitted to."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from fusion.evaluate.protocol import Interactions, Rating
from fusion.training.generated import RatingModel, fit_rating_model

N_FILMS, N_PEOPLE = 60, 150


def real(seed: int = 0) -> Interactions:
    """Popularity falls as 1 / rank; some rate 8 films and some 30; who likes even films dislikes
    odd ones, or the other way round.
    """
    rng = np.random.default_rng(seed)
    known = 1 / np.arange(1, N_FILMS + 1)
    return Interactions(
        N_FILMS,
        {
            person: [
                Rating(int(item), 4.5 if item % 2 == person % 2 else 2.0, 1000 * person + moment)
                for moment, item in enumerate(
                    rng.choice(N_FILMS, 8 if person % 3 else 30, False, known / known.sum())
                )
            ]
            for person in range(1, N_PEOPLE + 1)
        },
    )


@pytest.fixture(scope="module")
def model() -> RatingModel:
    return fit_rating_model(real())


def matrix(people: Interactions) -> NDArray[np.float64]:
    """Ratings, shape (people, films), 0 where there is none."""
    values = np.zeros((len(people.by_user), people.n_items))
    for row, ratings in enumerate(people.by_user.values()):
        for rating in ratings:
            values[row, rating.item] = rating.value
    return values


def test_exactly_as_many_ratings_as_asked_for_and_no_film_twice_by_one(model: RatingModel) -> None:
    drawn = model.draw(20_001)
    assert np.count_nonzero(matrix(drawn)) == 20_001 == sum(map(len, drawn.by_user.values()))
    values = {rating.value for ratings in drawn.by_user.values() for rating in ratings}
    assert values <= {half / 2 for half in range(1, 11)}


def test_people_rate_as_many_films_and_when_as_real_ones(model: RatingModel) -> None:
    drawn = list(model.draw(20_001).by_user.values())[:-1]  # the last fills up
    lengths = [len(ratings) for ratings in drawn]
    assert set(lengths) == {8, 30}
    assert 0.25 < np.mean(np.array(lengths) == 30) < 0.42
    assert all(
        earlier.timestamp < later.timestamp
        for ratings in drawn
        for earlier, later in pairwise(ratings)
    )


def test_films_are_as_popular_and_as_liked_as_the_real_ones(model: RatingModel) -> None:
    before, after = matrix(real()), matrix(model.draw(20_000))
    counts = [np.count_nonzero(values, axis=0) for values in (before, after)]
    assert np.corrcoef(np.log(counts))[0, 1] > 0.9
    shares = [np.sort(count)[-6:].sum() / count.sum() for count in counts]
    assert shares[1] == pytest.approx(shares[0], rel=0.3)
    means = [values[values > 0].mean() for values in (before, after)]
    assert means[0] < means[1] < means[0] + 0.6  # people see what they like


def test_who_likes_one_film_likes_those_that_real_people_liked_with_it(model: RatingModel) -> None:
    likes = matrix(model.draw(20_000))[:, :12] >= 4
    together = np.array(np.corrcoef(likes, rowvar=False))
    same = np.equal.outer(np.arange(12) % 2, np.arange(12) % 2)
    assert together[same & ~np.eye(12, dtype=bool)].mean() > together[~same].mean() + 0.2


def test_the_same_seed_draws_the_same(model: RatingModel) -> None:
    assert model.draw(500) == model.draw(500)
    assert model.draw(500) != model.draw(500, seed=1)
