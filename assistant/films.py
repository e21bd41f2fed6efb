"""Which catalogue is served, and writing it as files. Both may be in S3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.item_space import digest
from recommender.errors import InvalidRequest
from recommender.features import FEATURES, read_features, write_features
from recommender.indexer import STARTER, STARTER_VECTORS, read_items, read_vectors
from recommender.models import Item
from recommender.remote_files import local_copy, named_failures
from recommender.stores.ports import Vector


@dataclass(frozen=True)
class Films:
    """A catalogue: its films, what is known of their vectors, and what surveys ask about first."""

    items: Sequence[Item]
    vectors: Mapping[str, Vector]
    digest: str
    """SHA-256 of the file of films."""
    survey: Sequence[str] = ()


def local(url: str | None, settings: Settings) -> Path | None:
    """The file or folder that a setting names, on this machine. Raises InvalidRequest."""
    return None if url is None else local_copy(url, settings.downloads)


def load_films(settings: Settings, encoder: TextEncoder) -> Films:
    """The catalogue that is set. Raises InvalidRequest when it cannot be read."""
    url = settings.catalogue
    if url is None:
        return Films(read_items(STARTER), read_vectors(STARTER_VECTORS), digest(STARTER))
    if url.endswith(".jsonl"):
        with named_failures(url):
            file = local_copy(url, settings.downloads)
            return Films(read_items(file), {}, digest(file))
    _need_tables("CATALOGUE")
    folder = local_copy(f"{url.rstrip('/')}/{FEATURES}", settings.downloads)
    read = read_features(folder, encoder, settings.cache)
    return Films(read.items, read.vectors, read.digest, read.survey)


def write_films(
    url: str, settings: Settings, encoder: TextEncoder, survey_size: int, seed: int
) -> Films:
    """Write the catalogue that is set as `CATALOGUE` takes it. Raises InvalidRequest."""
    _need_tables("reelwise features")
    films = load_films(settings, encoder)
    write_features(url.rstrip("/"), films.items, encoder, films.vectors, survey_size, seed)
    return films


def _need_tables(what: str) -> None:
    # pyarrow is an extra, and large: other installations need not have it.
    if find_spec("pyarrow") is None:
        raise InvalidRequest(f"{what} needs pyarrow: pip install 'reelwise[features]'")
