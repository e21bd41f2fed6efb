"""Bringing the item store in line with a catalogue file."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.models import Item
from recommender.stores.ports import IndexedItem, ItemStore
from recommender.text import embedding_text

STARTER = Path(__file__).parent / "catalog" / "starter.jsonl"
BATCH = 64

Progress = Callable[[int, int], None]


def read_items(path: Path) -> list[Item]:
    """The films of a JSON-lines file. Raises InvalidRequest naming the file and line that is wrong."""
    with path.open(encoding="utf-8") as lines:
        return [_read_line(path, number, line) for number, line in enumerate(lines, 1)]


def sync_index(
    items: Sequence[Item], store: ItemStore, encoder: TextEncoder, progress: Progress
) -> int:
    """Make the store hold exactly these films; returns how many had to be embedded.

    Only films that are new, changed or embedded by another model are touched, batch by batch, so
    that an interrupted run goes on where it stopped. ``progress`` gets (done, total).
    """
    stored = store.fingerprints()
    wanted = {item.item_id: _fingerprint(item, encoder.model_version) for item in items}
    changed = [item for item in items if stored.get(item.item_id) != wanted[item.item_id]]
    for start in range(0, len(changed), BATCH):
        batch = changed[start : start + BATCH]
        vectors = encoder.encode([embedding_text(item) for item in batch])
        store.upsert(
            [
                IndexedItem(item, vector, wanted[item.item_id])
                for item, vector in zip(batch, vectors, strict=True)
            ]
        )
        progress(start + len(batch), len(changed))
    if gone := sorted(stored.keys() - wanted.keys()):
        store.remove(gone)
    return len(changed)


def _read_line(path: Path, number: int, line: str) -> Item:
    try:
        return Item.model_validate(json.loads(line))
    except (json.JSONDecodeError, ValidationError) as error:
        raise InvalidRequest(f"{path}, line {number} is not a film: {error}") from error


def _fingerprint(item: Item, model_version: str) -> str:
    return hashlib.sha256(f"{model_version}\n{item.model_dump_json()}".encode()).hexdigest()[:32]
