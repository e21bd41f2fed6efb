"""Real parts for the tests: one embedded PostgreSQL, the starter catalogue, the real encoder."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

from assistant.api.settings import ApiSettings
from assistant.commands.sagemaker import SageMakerSettings
from assistant.composition import Fusions, load_fusions
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.onnx_encoder import OnnxTextEncoder
from recommender import Recommender
from recommender.indexer import (
    STARTER,
    STARTER_VECTORS,
    read_items,
    read_vectors,
    sync_index,
)
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database, embedded_server, postgres_stores
from tests.models_folder import write_models

# Each run looks at the same examples, however busy the machine is; with
# `--hypothesis-profile searching` it looks for others.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)
settings.load_profile("steady")

# A server on a busy machine may take longer to answer than the five seconds of httpx's own.
DEFAULT_TIMEOUT_CONFIG.connect = DEFAULT_TIMEOUT_CONFIG.read = 60.0

# Chainlit writes its configuration where it is first imported; never into the repository.
os.environ["CHAINLIT_APP_ROOT"] = tempfile.mkdtemp()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's reaches a test."""
    names = {*Settings.model_fields, *RecommenderSettings.model_fields, *ApiSettings.model_fields}
    names |= {f"sagemaker_{name}" for name in SageMakerSettings.model_fields}
    for name in [name for name in os.environ if name.lower() in names]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an embedded PostgreSQL of this test run.

    Not below pytest's own folder: as root the server runs as another user, whom pytest locks out.
    """
    with TemporaryDirectory() as folder, embedded_server(Path(folder) / "postgres") as url:
        yield url


@contextmanager
def new_database(server_url: str, template: str = "template1") -> Iterator[str]:
    """The URL of a database of its own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """An empty database with the newest schema."""
    with new_database(postgres_url) as url:
        database = Database(url)
        database.migrate()
        yield database
        database.close()


@pytest.fixture(scope="session")
def encoder() -> TextEncoder:
    """The encoder that ships with the product."""
    return OnnxTextEncoder(threads=2)


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models made by hand, as training would write it; do not change it."""
    return write_models(tmp_path_factory.mktemp("fusion") / "models")


@pytest.fixture(scope="session")
def starter_items() -> list[Item]:
    """The starter catalogue."""
    return read_items(STARTER)


@pytest.fixture(scope="session")
def fusions() -> Fusions:
    """The fusion encoders that ship with the product, and the space they share."""
    return load_fusions(Settings(), RecommenderSettings())


@pytest.fixture(scope="session")
def indexed_template(
    postgres_url: str, encoder: TextEncoder, starter_items: list[Item], fusions: Fusions
) -> Iterator[str]:
    """The name of a database that holds the indexed starter catalogue; clone it, leave it alone."""
    with new_database(postgres_url) as url:
        database = Database(url)
        database.migrate()
        stores = postgres_stores(database, max_cache_entries=1000)
        known = read_vectors(STARTER_VECTORS)
        sync_index(starter_items, stores.items, encoder, lambda *_: None, known, fusions.space)
        database.close()
        name = make_url(url).database
        assert name is not None
        yield name


@pytest.fixture(scope="session")
def indexed_url(postgres_url: str, indexed_template: str) -> Iterator[str]:
    """The URL of a database with the indexed starter catalogue, shared by the test run."""
    with new_database(postgres_url, indexed_template) as url:
        yield url


@pytest.fixture(scope="session")
def stores(indexed_url: str) -> Iterator[Stores]:
    """All storage over the indexed starter catalogue."""
    database = Database(indexed_url)
    database.migrate()
    yield postgres_stores(database, max_cache_entries=10_000)
    database.close()


@pytest.fixture(scope="session")
def recommender(stores: Stores, encoder: TextEncoder, fusions: Fusions) -> Recommender:
    """The real service; keep tests apart with ``user_id``."""
    return Recommender(stores, encoder, RecommenderSettings(), fusions=fusions.encoders)


@pytest.fixture
def user_id() -> str:
    """A user nobody has seen before."""
    return f"user-{uuid.uuid4()}"


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where tests leave pictures for people to look at."""
    folder = Path("test-artifacts")
    folder.mkdir(exist_ok=True)
    return folder
