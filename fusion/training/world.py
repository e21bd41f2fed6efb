"""Everything that stays fixed while a fusion is trained: films, people, item vectors, maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import Vectors
from fusion.evaluate.data import Film
from fusion.evaluate.peers.linear import reactions
from fusion.evaluate.protocol import Interactions
from fusion.facts import FactVocabulary
from fusion.item_space import ItemSpace, item_space
from fusion.linear_fusion import (
    RANK,
    LinearFusion,
    Reactions,
    Settings,
    SideInformation,
    fit_linear_fusion,
    regress,
    taste_maps,
)


@dataclass(frozen=True)
class World:
    """``texts`` (n, 384) are the films' unit text vectors.

    ``added`` (folds, 2, n, 382) is what a dislike and a like of each film add to the vector of the
    people of each fold, by a linear fusion that has not seen them; ``fold`` (people,) says where
    each person belongs. A network that corrects a linear fusion must not be shown how well that
    one knows the people it was fitted to.
    """

    films: Sequence[Film]
    people: Interactions
    texts: Vectors
    linear: LinearFusion
    space: ItemSpace
    added: Vectors
    fold: NDArray[np.intp]


def build_world(
    films: Sequence[Film], people: Interactions, texts: Vectors, folds: int = 4, seed: int = 0
) -> World:
    """Fit the linear fusion to all people, and once more for each fold of them left out."""
    heard, settings = reactions(people), Settings()
    facts = FactVocabulary.of(films).matrix(films)
    linear = fit_linear_fusion(heard, texts, facts, settings)
    rated = heard.rated
    side = SideInformation(texts, facts, settings).of(rated)
    basis = linear.items[:, :RANK].astype(np.float64)
    n_people = len(people.by_user)
    fold = np.random.default_rng(seed).permutation(n_people) % folds
    added = np.empty((folds, 2, len(films), RANK), dtype=np.float32)
    for k in range(folds):
        others = _some(heard.of(rated), fold != k)
        maps = taste_maps(others, regress(others, side, settings), basis[rated], settings)
        added[k] = basis @ maps
    space = item_space(linear, films, rated)
    return World(films, people, texts, linear, space, added, fold)


def _some(reactions: Reactions, people: NDArray[np.bool_]) -> Reactions:
    return Reactions(reactions.likes[people], reactions.dislikes[people], reactions.neutral[people])
