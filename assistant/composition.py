"""The one place where parts are chosen and wired together."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from subprocess import SubprocessError
from typing import TYPE_CHECKING

from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from tqdm import tqdm

from assistant.films import load_films, local
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.fusion_encoder import FusionEncoder
from fusion.item_space import FILE as ITEM_SPACE
from fusion.item_space import ItemSpace, load_item_space
from fusion.onnx_encoder import OnnxTextEncoder
from fusion.onnx_fusion import MODELS, SPACE_FOLDER, load_fusion
from recommender import Recommender
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.experiments.variants import Variant
from recommender.explanation import ExplanationWriter
from recommender.indexer import models_of, sync_index, wanted_fingerprints
from recommender.kept import JSON, Kept
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.behind import caches_behind
from recommender.stores.held import HeldItems
from recommender.stores.ports import ItemStore, Stores
from recommender.stores.postgres import (
    SCAN,
    Access,
    Database,
    Hnsw,
    embedded_server,
    postgres_stores,
)
from recommender.stores.postgres.items import PostgresItemStore
from recommender.stores.postgres.schema import FUSED_DIM
from recommender.stores.postgres.versions import IndexVersions

if TYPE_CHECKING:
    from recommender.stores.opensearch import OpenSearchItemStore


def load_encoder(settings: Settings) -> TextEncoder:
    """The text encoder that runs here: the planner reads with it, and the fused space's films are
    placed by it, whatever TEXT_ENCODER says.

    Raises EncoderUnavailable, or InvalidRequest where VECTOR_DIM asks it for another length.
    """
    folder = local(settings.encoder_dir, settings)
    encoder = OnnxTextEncoder(folder, threads=settings.encoder_threads)
    if settings.text_encoder == "embedded" and encoder.dim != settings.vector_dim:
        raise InvalidRequest(
            f"The model makes vectors of {encoder.dim} numbers, VECTOR_DIM asks for "
            f"{settings.vector_dim}. Set VECTOR_DIM={encoder.dim} or take another model."
        )
    return encoder


def text_encoder(settings: Settings, embedded: TextEncoder) -> TextEncoder:
    """What films and queries are embedded by: ``embedded`` itself, or Bedrock.

    Raises InvalidRequest when VECTOR_DIM is none of Bedrock's lengths or a package is not there,
    EncoderUnavailable when AWS's configuration does not do.
    """
    if settings.text_encoder == "embedded":
        return embedded
    try:
        # As with SageMaker: boto3 is an extra, and slow to import.
        from fusion.bedrock_encoder import BedrockTextEncoder
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"TEXT_ENCODER=bedrock needs {error.name}: pip install 'reelwise[aws]'"
        ) from error
    try:
        return BedrockTextEncoder(settings.vector_dim, settings.bedrock_embedding_timeout)
    except ValueError as error:
        raise InvalidRequest(f"{error}. Set VECTOR_DIM to one of these.") from error


@dataclass(frozen=True)
class Fusions:
    """The fusion encoders by search variant, and the space that films have their place in."""

    space: ItemSpace
    encoders: Mapping[Variant, FusionEncoder]


def load_fusions(settings: Settings, domain: RecommenderSettings) -> Fusions:
    """The encoders of the variants that searches may take.

    Raises EncoderUnavailable when one cannot be set up, InvalidRequest for lacking settings or
    vectors of another length.
    """
    folder = local(settings.fusion_dir, settings) or MODELS
    space = load_item_space(folder / SPACE_FOLDER.name / ITEM_SPACE)
    if space.dim != FUSED_DIM:
        raise InvalidRequest(
            f"{folder} is of films with {space.dim} numbers, and the index has room for "
            f"{FUSED_DIM}. Train the model anew."
        )
    wanted = {domain.search_variant, *domain.variant_weights}
    fused = wanted & {"embedding_fusion", "token_fusion"}
    encoders = {variant: _fusion(variant, settings, folder) for variant in sorted(fused)}
    return Fusions(space, encoders)


def _fusion(variant: Variant, settings: Settings, folder: Path) -> FusionEncoder:
    if settings.fusion_encoder == "sagemaker":
        if variant in settings.fusion_model_versions:
            version = settings.fusion_model_versions[variant]
            return _sagemaker_encoder(settings, version, production_variant(variant))
        if variant == "embedding_fusion":
            return _sagemaker_encoder(settings, settings.fusion_model_version)
    return load_fusion(folder / production_variant(variant), settings.encoder_threads)


def production_variant(variant: Variant) -> str:
    """What a fusion's folder is called, and the endpoint's production variant of it."""
    return variant.replace("_", "-")


def _sagemaker_encoder(
    settings: Settings, version: str | None, target: str | None = None
) -> FusionEncoder:
    endpoint = settings.sagemaker_endpoint_name
    if not endpoint or not version:
        raise InvalidRequest(
            "FUSION_ENCODER=sagemaker needs SAGEMAKER_ENDPOINT_NAME, and FUSION_MODEL_VERSION: "
            "the version of the model that the endpoint serves."
        )
    try:
        # boto3 is an extra, and slow to import: other installations need neither have nor await it.
        from fusion.sagemaker_encoder import SageMakerFusionEncoder
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"FUSION_ENCODER=sagemaker needs {error.name}: pip install 'reelwise[aws]'"
        ) from error
    return SageMakerFusionEncoder(
        endpoint,
        version,
        dim=FUSED_DIM,
        url=settings.sagemaker_runtime_url,
        timeout=settings.sagemaker_timeout,
        target_variant=target,
    )


@contextmanager
def open_stores(settings: Settings, domain: RecommenderSettings) -> Iterator[Stores]:
    """All storage, its schema up to date; closed on exit."""
    with open_database(settings) as database, ExitStack() as stack:
        if settings.migrate_on_start:
            database.migrate()
        else:
            database.require_newest_schema()
        replica = _replica(settings)
        if replica is not None:
            stack.callback(replica.close)
        stores = postgres_stores(database, domain.max_cache_entries, replica, hnsw_index(settings))
        if settings.item_store == "chroma":
            stores = replace(stores, items=stack.enter_context(_chroma(settings)))
        elif settings.item_store == "opensearch":
            cluster = _opensearch(settings)
            stores = replace(stores, items=cluster, words=cluster)
        if settings.user_store == "dynamodb":
            stores = _in_dynamodb(stores, settings, domain)
        yield stores


def hnsw_index(settings: Settings) -> Hnsw | None:
    """What PostgreSQL searches films by; None: it looks at every one.

    Raises InvalidRequest when something is to be made smaller that is not there.
    """
    if settings.item_index == "hnsw":
        return Hnsw(settings.item_quantisation)
    if settings.item_quantisation != "none":
        raise InvalidRequest(
            f"ITEM_QUANTISATION={settings.item_quantisation} makes a graph's vectors smaller: set "
            "ITEM_INDEX=hnsw to have one."
        )
    return None


def _chroma(settings: Settings) -> AbstractContextManager[ItemStore]:
    """Raises InvalidRequest when its package is not there or, entered, its folder will not do."""
    try:
        # Chroma is an extra, and takes seconds to import.
        from recommender.stores.chroma import open_chroma
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"ITEM_STORE=chroma needs {error.name}: pip install 'reelwise[chroma]'"
        ) from error
    return open_chroma(settings.reelwise_home / "chroma")


def _opensearch(settings: Settings) -> "OpenSearchItemStore":
    """Raises InvalidRequest when a package or the cluster is not there."""
    try:
        from recommender.stores.opensearch import connect

        return connect(
            settings.opensearch_url,
            settings.opensearch_index,
            settings.vector_dim,
            FUSED_DIM,
            settings.opensearch_timeout,
            settings.opensearch_aws_region,
        )
    except ModuleNotFoundError as error:
        extra = "aws" if error.name == "boto3" else "opensearch"
        raise InvalidRequest(
            f"ITEM_STORE=opensearch needs {error.name}: pip install 'reelwise[{extra}]'"
        ) from error


def _in_dynamodb(stores: Stores, settings: Settings, domain: RecommenderSettings) -> Stores:
    """Raises InvalidRequest when a table, AWS's region or a package is not there."""
    try:
        # As with SageMaker: boto3 is an extra, and slow to import.
        from recommender.stores.dynamodb import connect, in_dynamodb
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"USER_STORE=dynamodb needs {error.name}: pip install 'reelwise[aws]'"
        ) from error
    names = {
        "user_swipes": settings.ddb_swipes_table,
        "user_preferences": settings.ddb_preferences_table,
        "enhanced_embeddings_cache": settings.ddb_embeddings_cache_table,
        "search_cache": settings.ddb_search_cache_table,
    }
    days = settings.swipes_live_days
    try:
        tables = connect(names, settings.dynamodb_url)
    except StoreUnavailable as error:
        raise InvalidRequest(error.detail) from error
    live = None if days is None else timedelta(days=days)
    return in_dynamodb(stores, tables, domain.max_cache_entries, live)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database, which answers; closed on exit.

    Raises InvalidRequest when the folder or the server that was named cannot be used.
    """
    home = settings.reelwise_home
    with ExitStack() as stack:
        try:
            url = settings.database_url or stack.enter_context(embedded_server(home / "postgres"))
            database = _connected(url, "DATABASE_URL", settings)
            stack.callback(database.close)
            with database.connect():
                pass
        except OSError as error:
            raise InvalidRequest(
                f"REELWISE_HOME={home} cannot hold the data: {error.strerror}."
            ) from error
        except SubprocessError as error:
            raise InvalidRequest(
                f"The database of REELWISE_HOME={home} does not start; {home / 'postgres' / 'log'} "
                "says why. `reelwise doctor` looks at what it needs: a folder to write in, and "
                "space."
            ) from error
        except StoreUnavailable as error:
            raise InvalidRequest(
                "The database does not answer. Check that it runs, DATABASE_URL, and who may "
                f"connect. It was: {error.detail}"
            ) from error
        yield database


def _replica(settings: Settings) -> Database | None:
    if settings.database_read_url is None:
        return None
    return _connected(settings.database_read_url, "DATABASE_READ_URL", settings, writable=False)


def _connected(url: str, name: str, settings: Settings, writable: bool = True) -> Database:
    access = Access(settings.database_ca_bundle, settings.database_iam_auth)
    options = SCAN if hnsw_index(settings) else None
    try:
        return Database(url, settings.database_pool_size, access, writable, options)
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidRequest(
            f"{name} is not an address: write it as postgresql+psycopg://user@host/database."
        ) from error


def load_writer(settings: Settings) -> ExplanationWriter | None:
    """The chat model that puts explanations into words; None: templates do.

    Raises ChatModelUnavailable when EXPLANATION_MODEL names a model that cannot be had.
    """
    if settings.explanation_model is None:
        return None
    # LangChain takes a second to import, which no other command needs.
    from assistant.explanations import ChatModelWriter
    from assistant.models import BEDROCK, TEMPLATES, HostedOptions, chat_model, hosted

    bedrock = settings.explanation_model.startswith(BEDROCK)
    options = hosted(settings) if bedrock else HostedOptions()
    model = chat_model(settings.explanation_model, options, TEMPLATES)
    return ChatModelWriter(model, settings.explanation_model, settings.explanation_timeout)


@contextmanager
def open_recommender(
    settings: Settings,
    embedded: TextEncoder,
    anew: bool = False,
    asked: bool = False,
    behind: bool = False,
) -> Iterator[Recommender]:
    """A recommender over the catalogue, which is indexed on first use with a progress bar.

    ``embedded`` is the encoder that runs here; ``anew`` indexes every film again. An index that was
    withdrawn serves again when ``asked``. With ``behind`` caches store after the answer, which is
    for processes that run on after it.
    """
    domain = RecommenderSettings()
    if anew:  # what is kept is of films with the same fingerprints
        shutil.rmtree(settings.cache, ignore_errors=True)
    with ExitStack() as stack:
        with ThreadPoolExecutor(1) as beside:  # PostgreSQL starts while files are read
            opened = beside.submit(stack.enter_context, open_stores(settings, domain))
            fusions, writer = load_fusions(settings, domain), load_writer(settings)
            encoder = text_encoder(settings, embedded)
            films = load_films(settings, encoder)
        stores = opened.result()
        with tqdm(desc="Indexing films", unit="film", disable=None, leave=False) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            def fill(store: ItemStore) -> None:
                sync_index(
                    films.items, store, encoder, progress, films.vectors, fusions.space, embedded
                )

            if isinstance(stores.items, PostgresItemStore):
                models = models_of(encoder, fusions.space)
                wanted = Kept(settings.cache, f"{films.digest} {models}").get(
                    "fingerprints",
                    lambda: wanted_fingerprints(films.items, encoder, fusions.space),
                    JSON,
                )
                versions = IndexVersions(stores.items)
                served = versions.bring_up(wanted, models, encoder.dim, fill, anew, asked)
                stores = replace(stores, items=_held(settings, served, films.items, wanted))
            else:
                if anew:
                    stores.items.remove(list(stores.items.fingerprints()))
                fill(stores.items)
        films = replace(films, vectors={})  # all are in the store now
        if behind:
            stores = stack.enter_context(caches_behind(stores))
        yield Recommender(
            stores,
            encoder,
            domain,
            fusions=fusions.encoders,
            writer=writer,
            survey_cards=films.survey,
            cache_folder=settings.cache,
            patience=settings.encoder_timeout,
        )


def _held(
    settings: Settings, served: ItemStore, films: Sequence[Item], wanted: Mapping[str, str]
) -> ItemStore:
    """The films that serve as ITEM_INDEX says; with those at hand, if it is these that serve."""
    if settings.item_index != "memory":
        return served
    return HeldItems(served, wanted, films, settings.cache)


def roll_back_index(settings: Settings) -> str:
    """Have the films' former index serve again, and say which it is.

    Raises InvalidRequest when there is none; StoreUnavailable.
    """
    if settings.item_store != "postgres":
        raise InvalidRequest(
            f"ITEM_STORE={settings.item_store} holds one index, which is changed in place. Go back "
            "to the former CATALOGUE and models, then: reelwise index"
        )
    with open_database(settings) as database:
        database.require_newest_schema()
        return IndexVersions(PostgresItemStore(database)).roll_back().name
