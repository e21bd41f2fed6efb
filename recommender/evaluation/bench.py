"""What every setting of the search is measured on: the same films, strangers and tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import TextEncoder
from fusion.evaluate.data import merge
from fusion.evaluate.harness import Harness, genre_matrix
from fusion.evaluate.tasks import QUERY, SWIPES, Task
from fusion.fusion_encoder import FusionEncoder
from fusion.item_space import ItemSpace
from recommender.evaluation.system import System
from recommender.evaluation.world import index_items, items_as_rated
from recommender.experiments.variants import Variant
from recommender.settings import RecommenderSettings
from recommender.stores.held import HeldItems
from recommender.stores.memory import MemoryItemStore, memory_stores
from recommender.stores.ports import Stores


@dataclass(frozen=True)
class Bench:
    """``stores`` gives storage that holds the films and no user of the names to come."""

    harness: Harness
    encoder: TextEncoder
    stores: Callable[[], Stores]
    tasks: Sequence[Task]
    fusions: Mapping[Variant, FusionEncoder]

    def system(self, name: str, settings: RecommenderSettings) -> System:
        """The product with these settings; ``name`` keeps its users apart."""
        return System(name, self.stores(), self.encoder, settings, self.ids, self.fusions)

    @cached_property
    def ids(self) -> list[str]:
        """The films by the index that tasks use."""
        return [film.item_id for film in self.harness.dataset.films]

    @cached_property
    def genres(self) -> NDArray[np.bool_]:
        """Which film has which genre, shape (n_items, n_genres)."""
        return genre_matrix(self.harness.dataset.films)


def prepare(
    harness: Harness,
    catalogue: Path,
    encoder: TextEncoder,
    stores: Stores | None = None,
    final: bool = False,
    space: ItemSpace | None = None,
    fusions: Mapping[Variant, FusionEncoder] | None = None,
) -> Bench:
    """Validation strangers, or, ``final``, test strangers, before the films of ``catalogue``.

    ``stores`` are empty; without them all is kept in memory, where vectors are scanned as one
    matrix, exactly as PostgreSQL does, and thousands of searches take minutes. ``space`` and
    ``fusions`` are for the variants that fuse; they must not know the strangers.

    Raises:
        DataUnusable: a task has no case.
    """
    train, strangers = harness.split.train, harness.split.validation
    if final:
        train, strangers = merge(train, strangers), harness.split.test
    items = HeldItems(MemoryItemStore()) if stores is None else stores.items
    films = items_as_rated(catalogue, harness.dataset, train)
    index_items(films, catalogue, encoder, items, space)
    after = (0, *harness.plan.tuned_at)
    tasks = [task for kind in (SWIPES, QUERY) for task in harness.tasks(kind, strangers, after)]
    return Bench(
        harness,
        encoder,
        lambda: stores or replace(memory_stores(), items=items),
        tuple(tasks),
        fusions or {},
    )
