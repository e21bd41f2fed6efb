"""The one place where parts are chosen and wired together."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tqdm import tqdm

from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.onnx_encoder import OnnxTextEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.indexer import (
    STARTER,
    STARTER_VECTORS,
    read_items,
    read_vectors,
    sync_index,
)
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database, embedded_server, postgres_stores


def load_encoder(settings: Settings) -> TextEncoder:
    """The text encoder. Raises EncoderUnavailable, or InvalidRequest for another dimension."""
    encoder = OnnxTextEncoder(settings.encoder_dir, threads=settings.encoder_threads)
    if encoder.dim != settings.vector_dim:
        raise InvalidRequest(
            f"The model makes vectors of {encoder.dim} numbers, VECTOR_DIM asks for "
            f"{settings.vector_dim}. Set VECTOR_DIM={encoder.dim} or take another model."
        )
    return encoder


@contextmanager
def open_stores(settings: Settings, domain: RecommenderSettings) -> Iterator[Stores]:
    """All storage, its schema up to date; closed on exit."""
    with ExitStack() as stack:
        url = settings.database_url or stack.enter_context(
            embedded_server(settings.reelwise_home / "postgres")
        )
        database = Database(url, settings.database_pool_size)
        stack.callback(database.close)
        database.migrate()
        yield postgres_stores(database, domain.max_cache_entries)


@contextmanager
def open_recommender(settings: Settings, encoder: TextEncoder) -> Iterator[Recommender]:
    """A recommender over the starter catalogue, indexed on first use with a progress bar."""
    domain = RecommenderSettings()
    with open_stores(settings, domain) as stores:
        with tqdm(desc="Indexing films", unit="film", disable=None, leave=False) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            known = read_vectors(STARTER_VECTORS)
            sync_index(read_items(STARTER), stores.items, encoder, progress, known)
        yield Recommender(stores, encoder, domain)
