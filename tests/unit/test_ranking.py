"""Ranking: what must hold whatever the weights are."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import Tier, UserPreferences
from recommender.ranking import Ranker
from recommender.ranking_weights import RankingWeights
from recommender.retrieval import Candidates

DIM = 6
GENRES = ("Comedy", "Drama", "Sci-Fi")
TAGS = ("space", "heist", "wedding")


def film(number: int, **facts: Any) -> Item:  # noqa: ANN401
    rng = np.random.default_rng(number)
    made = {
        "item_id": f"f{number}",
        "title": f"Film {number}",
        "year": 1950 + number,
        "genres": tuple(g for g in GENRES if rng.random() < 0.5),
        "tags": tuple(t for t in TAGS if rng.random() < 0.5),
        "rating_count": int(rng.integers(300)),
        "rating_mean": 3.5,
    }
    return Item.model_validate(made | facts)


def unit_rows(count: int, seed: int = 3) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, DIM))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def candidates(
    count: int,
    similarity: NDArray[np.float32] | None = None,
    bm25: NDArray[np.float32] | None = None,
) -> Candidates:
    none = np.zeros(count, dtype=np.float32)
    return Candidates(
        np.arange(count),
        unit_rows(count) if count else np.zeros((0, 0), np.float32),
        none if similarity is None else similarity,
        none if bm25 is None else bm25,
    )


def ranker(*films: Item, weights: RankingWeights = RankingWeights()) -> Ranker:  # noqa: B008
    return Ranker(Catalogue(films), np.zeros(DIM, dtype=np.float32), weights)


def twins(*facts: dict[str, Any]) -> tuple[Item, ...]:
    """Films alike in all but these facts, in catalogue order."""
    alike = {"genres": (), "tags": (), "year": 2000, "rating_count": 9}
    return tuple(film(number, **(alike | fact)) for number, fact in enumerate(facts))


def taste(**changes: Any) -> UserPreferences:  # noqa: ANN401
    return UserPreferences.model_validate(no_preferences("model").model_dump() | changes)


FAN = taste(
    vectors={"centroid": tuple(np.eye(DIM)[0].tolist())},
    genre_weights={"Sci-Fi": 0.8, "Comedy": -0.8},
    tag_weights={"space": 0.9, "wedding": -0.9},
    year_centre=1990.0,
    year_spread=5.0,
    popularity_bias=-0.5,
)


@pytest.mark.parametrize("tier", ["generic", "light", "personal"])
def test_taste_is_bounded_and_the_boost_is_its_part_of_the_score(tier: Tier) -> None:
    films = [film(number) for number in range(40)]
    judge, found = ranker(*films), candidates(40)
    liked = judge.taste(found.rows, found.vectors, FAN, tier)
    assert liked.shape == (40,)
    assert np.abs(liked).max() <= 1
    mine = judge.rank(found, FAN, tier)
    nobodys = judge.rank(found, no_preferences("model"), tier)
    np.testing.assert_allclose(mine.score - mine.boost, nobodys.score - nobodys.boost)
    assert not nobodys.boost.any()
    assert bool(mine.boost.any()) is bool(liked.any()) is (tier != "generic")


@pytest.mark.parametrize("has_query", [True, False])
@pytest.mark.parametrize("tier", ["light", "personal"])
def test_for_someone_else_a_share_of_ones_taste_is_left(tier: Tier, has_query: bool) -> None:
    films = [film(number) for number in range(40)]
    judge, found = ranker(*films, weights=RankingWeights(for_someone_else=0.25)), candidates(40)
    own = judge.rank(found, FAN, tier, (), has_query)
    others = judge.rank(found, FAN, tier, (), has_query, for_someone_else=True)
    assert own.boost.any()
    np.testing.assert_allclose(others.boost, 0.25 * own.boost)
    np.testing.assert_allclose(others.score - others.boost, own.score - own.boost)


def test_no_candidates_no_scores() -> None:
    for tier in ("generic", "light", "personal"):
        ranked = ranker(film(1)).rank(candidates(0), FAN, tier)
        assert ranked.score.shape == ranked.boost.shape == (0,)


def test_more_words_and_more_meaning_rank_higher() -> None:
    judge = ranker(*twins({}, {}, {}))
    rising = np.array([0.1, 0.2, 0.4], dtype=np.float32)
    for found in (candidates(3, similarity=rising), candidates(3, bm25=rising)):
        score = judge.rank(found, no_preferences("model"), "generic").score
        assert list(np.argsort(score)) == [0, 1, 2]


def test_known_films_lead_when_nothing_is_asked() -> None:
    judge = ranker(*twins({"rating_count": 500}, {"rating_count": 50}, {"rating_count": 5}))
    score = judge.rank(candidates(3), no_preferences("model"), "generic", (), False).score
    assert list(np.argsort(-score)) == [0, 1, 2]


def test_a_daring_answer_begins_with_good_films_that_few_know() -> None:
    hit, gem = {"rating_count": 500, "rating_mean": 4.5}, {"rating_count": 50, "rating_mean": 4.4}
    new = {"rating_count": 5, "year": 2010}
    judge = ranker(*twins(hit, gem, {"rating_count": 50, "rating_mean": 2.0}, new))
    found = candidates(3)
    ranked = judge.rank(found, no_preferences("model"), "generic")
    ordered = {
        explore: list(np.argsort(-judge.exploring(ranked, found.rows, explore).score))
        for explore in (0.0, 0.9)
    }
    assert ordered == {0.0: [0, 1, 2], 0.9: [1, 2, 0]}


def test_how_many_know_a_film_is_not_told_by_ratings_that_still_come_in() -> None:
    hit, gem = {"rating_count": 500, "rating_mean": 4.5}, {"rating_count": 50, "rating_mean": 4.4}
    judge = ranker(*twins(hit, gem, gem | {"year": 2010}, gem | {"rating_count": 0}))
    allowed = np.ones(4, dtype=bool)
    assert judge.gems(allowed, 1).tolist() == [1]
    assert judge.gems(allowed & [True, False, True, True], 1).tolist() == [0]


def test_a_wished_genre_lifts_the_films_that_have_it() -> None:
    judge = ranker(*twins({}, {"genres": ("Comedy",)}, {"genres": ("Comedy", "Drama")}))
    score = judge.rank(
        candidates(3), no_preferences("model"), "generic", ("Comedy", "Drama", "Unheard of")
    ).score
    assert list(np.argsort(score)) == [0, 1, 2]
    plain = judge.rank(candidates(3), no_preferences("model"), "generic", ("Unheard of",)).score
    np.testing.assert_allclose(plain, plain[0])


@pytest.mark.parametrize("tier", ["light", "personal"])
@pytest.mark.parametrize(
    ("liked", "disliked"),
    [
        ({"genres": ("Sci-Fi",)}, {"genres": ("Comedy",)}),
        ({"tags": ("space",)}, {"tags": ("wedding",)}),
    ],
)
def test_liked_labels_lift_and_disliked_ones_lower(
    tier: Tier, liked: dict[str, Any], disliked: dict[str, Any]
) -> None:
    labels = taste(genre_weights=FAN.genre_weights, tag_weights=FAN.tag_weights)
    boost = ranker(*twins(liked, {}, disliked)).rank(candidates(3), labels, tier).boost
    assert boost[0] > boost[1] == 0 > boost[2]


def test_vector_year_and_popularity_count_in_the_personal_tier_only() -> None:
    films = twins({"year": 1990, "rating_count": 9}, {"year": 1930, "rating_count": 8})
    for one in ("vectors", "popularity_bias", ("year_centre", "year_spread")):
        names = {one} if isinstance(one, str) else set(one)
        only = taste(**FAN.model_dump(include=names))
        judge = ranker(*films)
        assert not judge.rank(candidates(2), only, "light").boost.any()
        boost = judge.rank(candidates(2), only, "personal").boost
        assert boost[0] != boost[1]


def test_the_taste_vector_prefers_what_lies_along_it() -> None:
    along = taste(vectors=FAN.vectors)
    judge, found = ranker(*twins(*[{}] * 30)), candidates(30)
    boost = judge.rank(found, along, "personal").boost
    towards = found.vectors[:, 0]
    assert boost[np.argmax(towards)] > 0 > boost[np.argmin(towards)]
    assert (np.diff(boost[np.argsort(towards)]) >= -1e-9).all()


@pytest.mark.parametrize(("prior", "first"), [(0.0, 1), (5.0, 0)])
def test_the_prior_counts_as_it_is_weighted(prior: float, first: int) -> None:
    known_then_fitting = twins({"rating_count": 500}, {"rating_count": 5})
    found = candidates(2, bm25=np.array([0.1, 0.9], dtype=np.float32))
    judge = ranker(*known_then_fitting, weights=RankingWeights(prior_with_words=prior))
    score = judge.rank(found, no_preferences("model"), "generic").score
    assert int(np.argmax(score)) == first


def test_the_shares_of_taste_sum_to_one() -> None:
    for mix in (RankingWeights().light_mix, RankingWeights().personal_mix):
        assert sum(mix.shares) == pytest.approx(1)


def fused(count: int, similarity: list[float], taste: list[float]) -> Candidates:
    plain = candidates(count, np.array(similarity, dtype=np.float32))
    return replace(
        plain,
        likeness=np.zeros(count, dtype=np.float32),
        taste=np.array(taste, dtype=np.float32),
    )


def test_a_fused_vector_ranks_by_itself_where_nothing_else_is_said() -> None:
    films = twins({}, {}, {})
    found = ranker(*films).rank(fused(3, [0.2, 0.9, 0.5], [0.0, 0.7, 0.3]), FAN, "personal")
    assert np.argsort(-found.score).tolist() == [1, 2, 0]


def test_the_boost_of_a_fused_ranking_is_the_part_that_swipes_made() -> None:
    films = twins({}, {}, {})
    weights = RankingWeights(fused=2.0)
    ranked = ranker(*films, weights=weights).rank(
        fused(3, [1.0, 3.0, 2.0], [0.0, 2.0, 1.0]), FAN, "personal"
    )
    np.testing.assert_allclose(ranked.boost, [-1.0, 1.0, 0.0])
    nobody = ranker(*films).rank(fused(3, [1.0, 3.0, 2.0], [0.0, 0.0, 0.0]), FAN, "personal")
    assert not nobody.boost.any()


@pytest.mark.parametrize(("anchors", "weight"), [((), 0.25), (("f0",), 2.0)])
def test_texts_weigh_more_where_films_are_named(anchors: tuple[str, ...], weight: float) -> None:
    films = twins({"genres": ()}, {"genres": ()})
    weights = RankingWeights(fused_likeness=0.25, fused_anchor_likeness=2.0)
    near = replace(
        fused(2, [0.5, 0.5], [0.0, 0.0]), likeness=np.array([0.1, 0.9], dtype=np.float32)
    )
    score = ranker(*films, weights=weights).rank(near, FAN, "personal", anchors=anchors).score
    np.testing.assert_allclose(score[1] - score[0], weight)


def test_no_candidate_has_no_fused_score() -> None:
    assert ranker().rank(fused(0, [], []), FAN, "personal").score.shape == (0,)
