"""The catalogue as the training people know it, and strangers who swipe in it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fusion.encoder import TextEncoder
from fusion.evaluate.data import Dataset
from fusion.evaluate.protocol import Interactions, Swipe
from fusion.item_space import ItemSpace
from recommender.indexer import STARTER_VECTORS, read_items, read_vectors, sync_index
from recommender.models import Direction, Item
from recommender.stores.memory import MemoryItemStore
from recommender.stores.ports import IndexedItem, ItemStore, NewSwipe


def items_as_rated(catalogue: Path, dataset: Dataset, train: Interactions) -> list[Item]:
    """The films that take part, with the counts and means of the training people's ratings.

    Those in the catalogue's file know the strangers' ratings.
    """
    known = {item.item_id: item for item in read_items(catalogue)}
    ratings = [rating for person in train.by_user.values() for rating in person]
    rated = np.array([rating.item for rating in ratings], dtype=np.intp)
    values = np.array([rating.value for rating in ratings])
    counts = np.bincount(rated, minlength=train.n_items)
    means = np.bincount(rated, weights=values, minlength=train.n_items) / np.maximum(counts, 1)
    return [
        known[film.item_id].model_copy(
            update={"rating_count": int(count), "rating_mean": float(mean) if count else None}
        )
        for film, count, mean in zip(dataset.films, counts, means, strict=True)
    ]


def index_items(
    items: Sequence[Item],
    catalogue: Path,
    encoder: TextEncoder,
    into: ItemStore,
    space: ItemSpace | None = None,
) -> None:
    """Index films of the catalogue's texts with other figures; vectors are made once per text."""
    texts = MemoryItemStore()
    sync_index(
        read_items(catalogue), texts, encoder, lambda *_: None, read_vectors(STARTER_VECTORS)
    )
    vectors = texts.vectors([item.item_id for item in items])
    rows = np.array([vectors[item.item_id] for item in items])
    placed = [None] * len(items) if space is None else list(space.place(items, rows))
    into.upsert(
        [
            IndexedItem(item, vector, "evaluation", place)
            for item, vector, place in zip(items, rows, placed, strict=True)
        ]
    )


def swipes_of(user_id: str, history: Sequence[Swipe], ids: Sequence[str]) -> Iterator[NewSwipe]:
    """A stranger's history as lines of the swipe log, at the times when they rated."""
    for swipe in history:
        direction = Direction.LIKE if swipe.liked else Direction.DISLIKE
        moment = datetime.fromtimestamp(swipe.timestamp, UTC)
        yield NewSwipe(user_id, ids[swipe.item], direction.value, None, moment, None)
