"""Peers from libraries of the extra `[evaluate]`; skipped where it is not installed."""

from pathlib import Path

import numpy as np
import pytest

from fusion.evaluate.peers.registry import standard_peers
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.protocol import Swipe
from fusion.fake import HashingEncoder
from tests.unit.evaluate_world import films, people

HORROR = [Swipe(2, True, 1), Swipe(6, True, 2), Swipe(0, False, 3)]
POINTS: dict[str, dict[str, float | str]] = {
    "iALS": {"factors": 8, "regularization": 0.1, "alpha": 5.0},
    "BPR": {
        "factors": 8,
        "learning_rate": 0.1,
        "regularization": 0.01,
        "iterations": 200,
        "strength": 2.0,
    },
    "SASRec": {"embedding_dim": 16, "n_epochs": 30, "dropout": 0.0, "order": "random"},
    "contrastive": {"inverse_ridge": 1.0, "background": 1.0},
}
LIBRARIES = {"iALS": "implicit", "BPR": "implicit", "SASRec": "cornac", "contrastive": "sklearn"}


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.filterwarnings("ignore")
def test_likes_of_horror_bring_horror(name: str) -> None:
    pytest.importorskip(LIBRARIES[name])
    known = {
        peer.name: peer
        for peer in standard_peers(films(), TextSpace(films(), HashingEncoder()), Path("models"))
    }
    scorer = known[name].build(**POINTS[name])
    train = people(60, seed=1)
    scorer.fit(train)
    scores = scorer.score(HORROR, None)
    assert scores.shape == (train.n_items,)
    scores[[swipe.item for swipe in HORROR]] = -np.inf
    assert sum(item % 4 == 2 for item in np.argsort(-scores)[:6]) >= 5
