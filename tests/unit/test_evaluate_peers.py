from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fusion.evaluate.peers.collaborative import EASE, ItemKNN, Popularity, likes_matrix
from fusion.evaluate.peers.hybrid import Blend, RankFusion, ReRanking
from fusion.evaluate.peers.textual import (
    BM25,
    CentroidDifference,
    QueryVector,
    RecencyWeighted,
    TextNeighbours,
    TextSpace,
)
from fusion.evaluate.protocol import Interactions, Scorer, Scores, Swipe
from fusion.fake import HashingEncoder
from tests.unit.evaluate_world import N_FILMS, films, people

TRAIN = people(40, seed=1)
SPACE = TextSpace(films(), HashingEncoder())
HORROR = [Swipe(2, True, 1), Swipe(6, True, 2), Swipe(0, False, 3)]


class Fixed:
    """Scores as told."""

    name = "fixed"

    def __init__(self, *scores: float) -> None:
        self.scores = np.array(scores, dtype=np.float32)

    def fit(self, train: Interactions) -> None:
        """Nothing to learn."""

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:  # noqa: ARG002
        """The same scores for everyone."""
        return self.scores


def best(scorer: Scorer, history: Sequence[Swipe], query: str | None, count: int) -> set[int]:
    scores = scorer.score(history, query)
    assert scores.shape == (N_FILMS,)
    return set(np.argsort(-scores)[:count].tolist())


@pytest.mark.parametrize(
    "scorer",
    [
        ItemKNN(40, 1.0),
        EASE(5.0),
        EASE(5.0, dislike=0.3),
        CentroidDifference(SPACE),
        RecencyWeighted(SPACE, 5),
        TextNeighbours(SPACE, 12),
    ],
    ids=lambda scorer: scorer.name,
)
def test_likes_of_horror_bring_horror(scorer: Scorer) -> None:
    scorer.fit(TRAIN)
    found = best(scorer, HORROR, None, 8)
    assert sum(item % 4 == 2 for item in found) >= 6


@pytest.mark.parametrize("scorer", [Popularity(), ItemKNN(40, 1.0), EASE(5.0)])
def test_without_swipes_the_most_liked_come_first(scorer: Scorer) -> None:
    scorer.fit(TRAIN)
    np.testing.assert_array_equal(scorer.score([], None), likes_matrix(TRAIN).sum(axis=0))


def test_ease_solves_its_regression() -> None:
    """At the optimum the Lagrangian's gradient vanishes off the diagonal."""
    model = EASE(3.0)
    model.fit(TRAIN)
    likes = likes_matrix(TRAIN).astype(np.float64)
    gradient = likes.T @ (likes @ model.weights - likes) + 3.0 * model.weights
    np.fill_diagonal(gradient, 0.0)
    assert np.abs(gradient).max() < 1e-3
    assert not np.diag(model.weights).any()


def test_neighbours_are_bounded() -> None:
    model = ItemKNN(3, 1.0)
    model.fit(TRAIN)
    assert (np.count_nonzero(model.weights, axis=0) <= 3).all()


@pytest.mark.parametrize("scorer", [BM25(films(), 1.0, 0.6), QueryVector(SPACE)])
def test_words_find_the_films_that_have_them(scorer: Scorer) -> None:
    assert all(item % 2 for item in best(scorer, HORROR, "heist", 20))
    assert not scorer.score(HORROR, None).any()


def test_taste_leans_a_query() -> None:
    scorer = CentroidDifference(SPACE, influence=0.3)
    found = best(scorer, [Swipe(3, True, 1), Swipe(7, True, 2)], "heist", 6)
    assert sum(item % 4 == 3 for item in found) >= 5


def test_recent_swipes_weigh_more() -> None:
    changed = [Swipe(2, True, 1), Swipe(3, True, 2)]
    scores = RecencyWeighted(SPACE, half_life=0.5).score(changed, None)
    assert scores[7::4].mean() > scores[6::4].mean()


def test_vectors_are_computed_once(tmp_path: Path) -> None:
    class Counting(HashingEncoder):
        calls = 0

        def encode(self, texts: Sequence[str]) -> Scores:
            Counting.calls += 1
            return super().encode(texts)

    spaces = [TextSpace(films(), Counting(), tmp_path) for _ in range(2)]
    np.testing.assert_array_equal(spaces[0].vectors, spaces[1].vectors)
    assert Counting.calls == 1


def test_rank_fusion_sums_reciprocal_ranks_of_what_is_found() -> None:
    fused = RankFusion("fused", Fixed(3, 2, 0), Fixed(1, 5, 0), k=60)
    np.testing.assert_allclose(
        fused.score([], None), [1 / 61 + 1 / 62, 1 / 62 + 1 / 61, 0.0], rtol=1e-6
    )


def test_a_blend_weighs_z_scores() -> None:
    blended = Blend("blend", Fixed(0, 2), Fixed(10, -10), weight=0.5)
    np.testing.assert_allclose(blended.score([], None), [-0.5, 0.5], rtol=1e-6)


def test_re_ranking_moves_only_the_best_films() -> None:
    ranked = ReRanking("both", Fixed(4, 3, 2, 1), Fixed(0, 9, 0, 99), depth=2, weight=5.0)
    assert np.argsort(-ranked.score([], None)).tolist() == [1, 0, 2, 3]
