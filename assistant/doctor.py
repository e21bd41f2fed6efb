"""What ``reelwise doctor`` looks at: each check is a function that says what is there, or raises
with what to do. Nothing is changed, but that the embedded database runs for as long as they take.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import ParamSpec

from pydantic import ValidationError

from assistant.api.identity import identity
from assistant.api.settings import ApiSettings
from assistant.composition import (
    Fusions,
    load_encoder,
    load_fusions,
    open_database,
    text_encoder,
)
from assistant.films import load_films
from assistant.refusal import first_problem
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.errors import FusionError
from recommender.errors import InvalidRequest, ReelwiseError
from recommender.indexer import models_of, wanted_fingerprints
from recommender.settings import RecommenderSettings
from recommender.stores.ports import version_of
from recommender.stores.postgres import Database
from recommender.stores.postgres.items import PostgresItemStore
from recommender.stores.postgres.migration import current_revision, known_revisions
from recommender.stores.postgres.versions import FORMER, IndexVersions

P = ParamSpec("P")
Models = tuple[TextEncoder, Fusions]
NEEDED_BYTES = 500_000_000
"""PostgreSQL's files, its log of changes (which comes and goes), and room to grow."""


@dataclass(frozen=True)
class Finding:
    """What one check found: ``says`` is what is there, or what to do."""

    part: str
    well: bool
    says: str


def examine() -> Iterator[Finding]:
    """Every check in turn; one whose ground is not well is left out."""
    found = check("settings", contradictions)
    yield found
    if not found.well:
        return
    here, models = Settings(), list[Models]()
    yield check("data folder", writable, here.reelwise_home)
    yield check("disk space", room, here.reelwise_home)
    yield check("models", whole_models, here, models)
    with ExitStack() as stack:
        opened = list[Database]()
        yield check("database", answering, here, stack, opened)
        for database in opened:
            yield check("schema", known_schema, database)
            for encoder, fusions in models:
                texts = text_encoder(here, encoder)
                yield check("index", current_index, here, database, texts, fusions)


def check(part: str, look: Callable[P, str], *args: P.args, **named: P.kwargs) -> Finding:
    """What a check says, or the sentence that it raised."""
    try:
        return Finding(part, True, look(*args, **named))
    except ValidationError as error:
        return Finding(part, False, first_problem(error))
    except (ReelwiseError, FusionError) as error:
        return Finding(part, False, str(error))


def contradictions() -> str:
    """Settings that are not acceptable, or not together."""
    domain, here, api = RecommenderSettings(), Settings(), ApiSettings()
    asks = identity(api) is not None
    if domain.full_personalization_swipes < domain.min_swipes_for_personalization:
        raise InvalidRequest(
            "FULL_PERSONALIZATION_SWIPES is below MIN_SWIPES_FOR_PERSONALIZATION: taste cannot "
            "count fully before it counts at all. Raise the first or lower the second."
        )
    if here.swipes_live_days is not None and here.user_store != "dynamodb":
        raise InvalidRequest(
            "SWIPES_LIVE_DAYS forgets swipes in DynamoDB only. Set USER_STORE=dynamodb or unset it."
        )
    if not asks and not api.private:
        raise InvalidRequest(
            f"HOST={api.host} lets others reach REST, which asks nobody who they are. Set "
            "API_KEYS_FILE or JWT_JWKS_URL, or HOST=127.0.0.1."
        )
    return "they agree"


def writable(home: Path) -> str:
    """Whether the data folder, or the folder that it will be made in, takes a file."""
    there = _nearest(home)
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InvalidRequest(
            f"{there} takes no files: {error.strerror}. Make it writable for whoever runs "
            "Reelwise, or set REELWISE_HOME to another folder."
        ) from error
    return f"{home.absolute()} can be written"


def room(home: Path) -> str:
    """Whether the data folder's disk has room."""
    free = shutil.disk_usage(_nearest(home)).free
    if free < NEEDED_BYTES:
        raise InvalidRequest(
            f"{free / 1e6:.0f} MB are free where {home} is, {NEEDED_BYTES / 1e6:.0f} MB are "
            "needed: swipes cannot be recorded on a full disk. Free some, or move the folder and "
            "set REELWISE_HOME."
        )
    return f"{free / 1e9:.1f} GB free"


def whole_models(here: Settings, loaded: list[Models]) -> str:
    """Whether the models' files are there and what their cards' hashes say."""
    encoder, fusions = load_encoder(here), load_fusions(here, RecommenderSettings())
    loaded.append((encoder, fusions))
    versions = [encoder.model_version, *(f.model_version for f in fusions.encoders.values())]
    return f"whole: {', '.join(versions)}"


def answering(here: Settings, stack: ExitStack, opened: list[Database]) -> str:
    """Whether the database answers; the embedded one is started unless it runs."""
    if not here.database_url and not (here.reelwise_home / "postgres").exists():
        return "not made yet; the first start makes it"
    database = stack.enter_context(open_database(here))
    opened.append(database)
    return "answers"


def known_schema(database: Database) -> str:
    """Whether this release can serve the schema."""
    current, known = _revision(database), known_revisions()
    if current is not None and current not in known:
        raise InvalidRequest(
            f"The schema is at revision {current}, of a later release than this one, which ends at "
            f"{known[0]}. Install that release, or restore a backup of this one."
        )
    if current != known[0]:
        return f"at revision {current or 'none'}; the next start brings it to {known[0]}"
    return f"at the newest revision, {current}"


def current_index(
    here: Settings, database: Database, encoder: TextEncoder, fusions: Fusions
) -> str:
    """Whether the index holds the catalogue's films as these models place them."""
    if _revision(database) != known_revisions()[0]:
        return "not looked at before the schema is the newest"
    films = load_films(here, encoder).items
    wanted = wanted_fingerprints(films, encoder, fusions.space)
    versions = IndexVersions(PostgresItemStore(database))
    if instead := versions.instead_of(version_of(wanted), models_of(encoder, fusions.space)):
        return f"index {instead.name}, as the newer was withdrawn; to take that: reelwise index"
    stored = versions.serving().fingerprints()
    old = sum(stored.get(film) != fingerprint for film, fingerprint in wanted.items())
    gone = len(stored.keys() - wanted.keys())
    if old or gone:
        raise InvalidRequest(
            f"{old} films are missing or of an older catalogue or model, and {gone} are of none. "
            "Bring the index up to date with: reelwise index"
        )
    former = versions.find(FORMER)
    kept = f"; the one before, {former.name}, is kept" if former else ""
    return f"{len(stored)} films, of these models and this catalogue{kept}"


def _revision(database: Database) -> str | None:
    with database.connect() as connection:
        return current_revision(connection)


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
