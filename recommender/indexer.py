"""Bringing the item store in line with a catalogue file."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from fusion.encoder import TextEncoder
from fusion.item_space import ItemSpace
from recommender.errors import InvalidRequest
from recommender.models import Item
from recommender.stores.ports import IndexedItem, ItemStore, Vector
from recommender.text import embedding_text

STARTER = Path(__file__).parent / "catalog" / "starter.jsonl"
STARTER_VECTORS = STARTER.with_suffix(".vectors.npz")
BATCH = 64
ADDED = frozenset({"poster", "credit"})
"""Facts that films and tables of earlier releases lack."""

Progress = Callable[[int, int], None]


def read_items(path: Path) -> list[Item]:
    """The films of a JSON-lines file. Raises InvalidRequest naming the file and the wrong line."""
    with path.open(encoding="utf-8") as lines:
        return [_read_line(path, number, line) for number, line in enumerate(lines, 1)]


def read_vectors(path: Path) -> dict[str, Vector]:
    """Vectors made beforehand by ``write_vectors``, by fingerprint."""
    with np.load(path) as stored:
        vectors = stored["vectors"].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return dict(zip(stored["fingerprints"].tolist(), vectors, strict=True))


def write_vectors(path: Path, items: Sequence[Item], encoder: TextEncoder) -> None:
    """Embed films and keep the vectors in a file, as 16-bit floats."""
    vectors = encoder.encode([embedding_text(item) for item in items])
    fingerprints = [fingerprint(item, encoder.model_version) for item in items]
    np.savez_compressed(path, vectors=vectors.astype(np.float16), fingerprints=fingerprints)


def sync_index(
    items: Sequence[Item],
    store: ItemStore,
    encoder: TextEncoder,
    progress: Progress,
    known: Mapping[str, Vector],
    space: ItemSpace | None = None,
    reader: TextEncoder | None = None,
) -> int:
    """Make the store hold exactly these films; returns how many were new or changed.

    Only those are touched, batch by batch, so that an interrupted run goes on where it stopped, and
    only those whose text's fingerprint is not in ``known`` are embedded. With a ``space`` each film
    gets its place in it, by vectors of ``reader``, the encoder that the space was made with, if
    that is not ``encoder``. ``progress`` gets (done, total).

    Raises InvalidRequest when the store holds vectors of another length than ``encoder`` makes.
    """
    store.hold(encoder.dim)
    stored = store.fingerprints()
    wanted = wanted_fingerprints(items, encoder, space)
    changed = [item for item in items if stored.get(item.item_id) != wanted[item.item_id]]
    for start in range(0, len(changed), BATCH):
        batch = changed[start : start + BATCH]
        vectors = embedded(batch, encoder, known)
        fused: list[Vector | None] = [None] * len(batch)
        if space is not None:
            placing = reader or encoder
            read = vectors if placing is encoder else embedded(batch, placing, known)
            fused = list(space.place(batch, np.array(read)))
        fingerprints = [wanted[item.item_id] for item in batch]
        store.upsert(list(map(IndexedItem, batch, vectors, fingerprints, fused)))
        progress(start + len(batch), len(changed))
    if gone := sorted(stored.keys() - wanted.keys()):
        store.remove(gone)
    return len(changed)


def wanted_fingerprints(
    items: Sequence[Item], encoder: TextEncoder, space: ItemSpace | None
) -> dict[str, str]:
    """By id, the fingerprint that each film has in an index that is up to date."""
    version = encoder.model_version
    return {item.item_id: _placed(fingerprint(item, version), space) for item in items}


def models_of(encoder: TextEncoder, space: ItemSpace | None) -> str:
    """Names what makes an index's vectors: of equal names, queries fit them."""
    return encoder.model_version if space is None else f"{encoder.model_version} {space.version}"


def embedded(
    items: Sequence[Item], encoder: TextEncoder, known: Mapping[str, Vector]
) -> list[Vector]:
    """The vectors of films' texts: those ``known`` by fingerprint, and the others made now."""
    fingerprints = [fingerprint(item, encoder.model_version) for item in items]
    unknown = [
        embedding_text(item)
        for item, print_ in zip(items, fingerprints, strict=True)
        if print_ not in known
    ]
    made = iter(encoder.encode(unknown))
    return [known[f] if f in known else next(made) for f in fingerprints]


def fingerprint(item: Item, model_version: str) -> str:
    """Changes with the model and with the text that is embedded or any other fact of the film."""
    # Films that have neither keep the fingerprints, and so the vectors, from before these fields.
    fields = Item.model_fields
    added = {name for name in ADDED if getattr(item, name) == fields[name].default}
    known = item.model_dump_json(exclude=added)
    facts = f"{model_version}\n{embedding_text(item)}\n{known}"
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _read_line(path: Path, number: int, line: str) -> Item:
    try:
        return Item.model_validate(json.loads(line))
    except (json.JSONDecodeError, ValidationError) as error:
        raise InvalidRequest(f"{path}, line {number} is not a film: {error}") from error


def _placed(text_fingerprint: str, space: ItemSpace | None) -> str:
    """The fingerprint of a film in a space: changes with either."""
    if space is None:
        return text_fingerprint
    return hashlib.sha256(f"{text_fingerprint}\n{space.version}".encode()).hexdigest()[:32]
