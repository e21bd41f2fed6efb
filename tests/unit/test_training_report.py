"""Calibration and what a run reports, on numbers whose answers are known."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fusion.encoder import Vectors
from fusion.evaluate.protocol import Swipe
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm
from fusion.onnx_fusion import FusionCard, Logistic
from fusion.regression import Matrix
from fusion.training.calibration import Observed, fit_logistic, observe
from fusion.training.examples import Example
from fusion.training.report import (
    Latency,
    Parity,
    Progress,
    Report,
    measure_latency,
    measure_parity,
    spearman,
)

N = 120
ITEMS = np.eye(N, 384, dtype=np.float32)


def known(weights: tuple[float, ...], count: int = 6000) -> tuple[Matrix, Matrix]:
    """Features, and outcomes drawn from the logistic regression of these weights."""
    rng = np.random.default_rng(0)
    told = np.hstack([np.ones((count, 1)), rng.normal(size=(count, 5))])
    chances = 1 / (1 + np.exp(-told @ np.array(weights)))
    return told, (rng.random(count) < chances).astype(np.float64)


def test_a_regression_finds_the_weights_it_was_drawn_from() -> None:
    weights = (0.5, -1.0, 0.8, 0.0, 0.3, -0.4)
    assert fit_logistic(*known(weights)).weights == pytest.approx(weights, abs=0.12)


def test_a_regression_of_shares_predicts_their_mean() -> None:
    told, _ = known((0.0,) * 6)
    shares = np.full(len(told), 0.3)
    assert fit_logistic(told, shares).chance(told[0]) == pytest.approx(0.3, abs=0.01)


def test_a_regression_of_what_always_happens_stays_finite() -> None:
    told, _ = known((0.0,) * 6, 50)
    assert np.isfinite(fit_logistic(told, np.ones(50)).weights).all()


def wish(*films: int) -> Vectors:
    """The vector that ranks these films first, in this order."""
    vector = np.zeros(384, dtype=np.float32)
    vector[list(films)] = np.arange(len(films), 0, -1)
    return vector


def example(liked: list[int], swiped: list[int]) -> Example:
    swipes = tuple(Swipe(film, True, 100) for film in swiped)
    mask = np.zeros(N, np.float32)
    mask[liked] = 1
    return Example(0, swipes, "", False, mask)


def asked(swiped: list[int]) -> FusionInput:
    return FusionInput(swipes=tuple(SwipedFilm(f"{k}", f"{k}", ITEMS[k], True) for k in swiped))


def test_what_is_observed_is_what_happens_to_the_list() -> None:
    popular, personal = wish(*range(10)), 100 * wish(0, 20, 21, 22, 23, 24)

    def fuse(request: FusionInput) -> tuple[Vectors, Vectors]:
        return (personal if request.swipes else 0 * personal), popular

    found = observe(
        fuse,
        [asked([0]), asked([]), asked([0])],
        [example([21], [0]), example([0], []), example([23], [0])],
        ITEMS,
    )
    # Film 0 was swiped and is in neither list: five of ten films are other ones.
    assert found.changed == pytest.approx([0.5, 0.0, 0.5])
    assert found.hit.tolist() == [1.0, 1.0, 0.0]  # 20, 21 and 22 come first
    assert found.features.shape == (3, 6)


def test_halves_share_no_request() -> None:
    whole = Observed(np.arange(30.0).reshape(5, 6), np.arange(5.0), np.arange(5.0))
    halves = np.concatenate([whole.half(0).hit, whole.half(1).hit])
    assert sorted(halves) == whole.hit.tolist()


scores = arrays(np.float64, 20, elements=st.integers(-50, 50).map(float), unique=True)


@given(scores, scores)
def test_rank_correlation_is_of_ranks(first: Vectors, second: Vectors) -> None:
    found = spearman(first, second)
    assert -1 <= found <= 1
    assert found == pytest.approx(spearman(second, first))
    assert found == pytest.approx(spearman(first, second**3))
    ranks = np.array([row.argsort().argsort() for row in (first, second)], dtype=np.float64)
    assert found == pytest.approx(float(np.mean(standard(ranks[0]) * standard(ranks[1]))))
    assert spearman(first, first) == 1
    assert spearman(first, -first) == -1


def standard(ranks: Matrix) -> Matrix:
    spread: Matrix = (ranks - ranks.mean()) / ranks.std()
    return spread


class Served:
    """An encoder that gives one vector."""

    model_version, dim, remote = "served-1", 384, False

    def __init__(self, vector: Vectors) -> None:
        self.vector = vector
        self.asked: list[FusionInput] = []

    def fuse(self, asked: FusionInput) -> Fused:
        self.asked.append(asked)
        return Fused(self.vector, 0 * self.vector, 0.5, 0.5)


@pytest.mark.parametrize(
    ("change", "kept"),
    [(lambda v: 2 * v, True), (lambda v: -v, False), (lambda v: np.roll(v, 7), False)],
)
def test_parity_compares_rankings(change: Callable[[Vectors], Vectors], kept: bool) -> None:
    exact = wish(*range(N))
    pairs = [(example([5], [k]), asked([k])) for k in range(80)] + [(example([5], []), asked([]))]
    found = measure_parity(lambda _: exact, Served(change(exact)), pairs, ITEMS)
    assert found.kept is kept
    assert found.requests == 60
    assert found.least <= found.mean + 1e-9


def test_requests_are_timed_with_twenty_swipes() -> None:
    served = Served(wish(1))
    found = measure_latency(served, [asked([1, 2]), FusionInput("heist")])
    assert 0 < found.p50 <= found.p95
    assert {len(request.swipes) for request in served.asked} == {20}
    assert {request.query for request in served.asked} == {"heist"}


def report(observed: Observed, chance: float) -> Report:
    constant = Logistic(weights=(float(np.log(chance / (1 - chance))), 0, 0, 0, 0, 0))
    card = FusionCard(
        name="embedding-fusion",
        version="1",
        kind="embedding",
        dim=384,
        space="",
        films=1,
        influence=constant,
        confidence=constant,
        sha256={},
        length_of_a_deviation=1.0,
    )
    return Report(
        card, 1, 1, 1, 1, Progress(), observed, Parity(1, 1, 1), Latency(1, 1), {"fusion.onnx": 1.0}
    )


def test_reliability_is_of_the_cards_own_predictions() -> None:
    told = np.zeros((40, 6))
    told[:, 0] = 1.0
    told[:20, 3] = np.log1p(3)  # half of the requests have swipes
    hit = np.array([1.0, 0.0] * 20)
    changed = np.where(told[:, 3] > 0, 0.3, 0.0)
    found = report(Observed(told, changed, hit), 0.3)
    assert found.confidence.ece == pytest.approx(0.2)
    assert found.confidence.bins[0].count == 40
    assert found.influence.ece == pytest.approx(0.0, abs=1e-9)
    assert found.influence.bins[0].count == 200
