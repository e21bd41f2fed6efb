"""``reelwise import``: other catalogues, from the files of MovieLens and TMDB or any table."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from tqdm import tqdm

from assistant.composition import load_encoder, open_recommender, text_encoder
from assistant.films import local
from assistant.refusal import mendable, need, refuse
from assistant.settings import Settings
from recommender.errors import InvalidRequest
from recommender.indexer import STARTER, Progress, read_items
from recommender.models import Item

if TYPE_CHECKING:
    from recommender.importing.report import Report
    from recommender.importing.source import Source

app = typer.Typer(no_args_is_help=True, help="Bring another catalogue: MovieLens, TMDB, a table.")

Place = Annotated[str, typer.Argument(help="A file or a folder, here or s3://….")]
Out = Annotated[
    str | None,
    typer.Option(help="A folder, here or s3://…; default: catalogue in REELWISE_HOME."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be taken and what not, and why.")
]
SkipFaulty = Annotated[
    bool, typer.Option("--skip-faulty", help="Leave faulty lines out instead of refusing all.")
]
NoLoad = Annotated[
    bool, typer.Option("--no-load", help="Write the files, and leave the index as it is.")
]


class TmdbSettings(BaseSettings):
    """How TMDB's API is asked."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    tmdb_api_key: SecretStr | None = Field(default=None, description="a key or a read access token")
    tmdb_url: str = "https://api.themoviedb.org/3"


@app.command()
def movielens(
    source: Place,
    out: Out = None,
    min_ratings: Annotated[
        int, typer.Option(min=0, help="Leave films with fewer ratings out.")
    ] = 0,
    dry_run: DryRun = False,
    skip_faulty: SkipFaulty = False,
    no_load: NoLoad = False,
) -> None:
    """Import MovieLens small, 25M or 32M, zipped or unpacked."""
    with _importing():
        from recommender.importing.movielens import read_movielens

        known = {item.item_id: item for item in read_items(STARTER)}
        _run(
            source,
            lambda files, report: read_movielens(files, report, known, min_ratings),
            _Wish(out, dry_run, skip_faulty, no_load),
        )


@app.command()
def tmdb(
    source: Annotated[
        str | None, typer.Argument(help="Films or ids as exported; default: the most voted films.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Ask the API about the ids that the file holds.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many films to ask the API for.")] = 1000,
    out: Out = None,
    min_votes: Annotated[int, typer.Option(min=0, help="Leave films with fewer votes out.")] = 10,
    dry_run: DryRun = False,
    skip_faulty: SkipFaulty = False,
    no_load: NoLoad = False,
) -> None:
    """Import from TMDB: exported JSON lines or CSV, or its API, with TMDB_API_KEY set."""
    with _importing():
        from recommender.importing.tmdb import read_tmdb

        known = {item.imdb_id: item for item in read_items(STARTER) if item.imdb_id}
        path = source if source and not fetch else str(_fetched(source, limit))
        _run(
            path,
            lambda files, report: read_tmdb(files, report, known, min_votes),
            _Wish(out, dry_run, skip_faulty, no_load),
        )


@app.command()
def file(
    source: Place,
    mapping: Annotated[Path, typer.Option(help="Which column is what, as TOML or JSON.")],
    out: Out = None,
    dry_run: DryRun = False,
    skip_faulty: SkipFaulty = False,
    no_load: NoLoad = False,
) -> None:
    """Import a table of one's own: CSV, JSON lines or Parquet, with a mapping file."""
    with _importing():
        from recommender.importing.mapped import read_mapped, read_mapping

        fields = read_mapping(mapping)
        _run(
            source,
            lambda files, report: read_mapped(files, fields, report),
            _Wish(out, dry_run, skip_faulty, no_load),
        )


class _Wish:
    """What is to become of the films."""

    def __init__(self, out: str | None, dry_run: bool, skip_faulty: bool, no_load: bool) -> None:
        self.settings = Settings()
        self.out = (out or str(self.settings.reelwise_home / "catalogue")).rstrip("/")
        self.dry_run = dry_run
        self.skip_faulty = skip_faulty
        self.load = not no_load


@contextmanager
def _importing() -> Iterator[None]:
    # Polars and pyarrow are an extra, and large: serving needs neither.
    need("import", "polars", "pyarrow")
    with mendable():
        yield


def _run(url: str, read: Callable[["Source", "Report"], list[Item]], wish: _Wish) -> None:
    """Read everything first: what is refused leaves files and index as they were."""
    from recommender.importing.report import Report
    from recommender.importing.source import Source

    path = local(url, wish.settings)
    assert path is not None  # noqa: S101 - a URL was given
    report = Report()
    with (
        tqdm(desc="Reading", unit="B", unit_scale=True, disable=None, leave=False) as bar,
        Source(path, bar.update) as source,
    ):
        items = read(source, report)
        for line in report.lines(len(items)):
            typer.echo(line, err=not wish.dry_run)
        if wish.dry_run:
            return
        if not wish.skip_faulty:
            report.require_faultless()
        if not items:
            raise InvalidRequest(f"{url} holds no film that can be taken.")
        _write(items, source, wish)
    if wish.load:
        _load(wish)
    typer.echo(f"Imported {len(items):,} films. Serve them with: CATALOGUE={wish.out}")


def _write(items: list[Item], source: "Source", wish: _Wish) -> None:
    from recommender.importing.layout import write_catalogue

    encoder = text_encoder(wish.settings, load_encoder(wish.settings))
    with _bar("Embedding") as progress:
        write_catalogue(wish.out, items, source, encoder, wish.settings.reelwise_home, progress)


def _load(wish: _Wish) -> None:
    settings = wish.settings.model_copy(update={"catalogue": wish.out})
    with open_recommender(settings, load_encoder(settings)):
        pass


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    with tqdm(desc=what, unit="film", disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _fetched(ids: str | None, limit: int) -> Path:
    """A file of what the API says of films: of those in a file of ids, or of the most voted."""
    from recommender.importing.report import Report
    from recommender.importing.source import Source
    from recommender.importing.tmdb import popular_ids
    from recommender.importing.tmdb_api import TmdbApi, fetch

    settings, asked = Settings(), TmdbSettings()
    if asked.tmdb_api_key is None:
        refuse(
            "TMDB's API wants a key: set TMDB_API_KEY, from https://www.themoviedb.org/settings/api"
        )
    folder = settings.reelwise_home / "tmdb"
    with (
        TmdbApi(asked.tmdb_api_key, folder / "cache", asked.tmdb_url) as api,
        tqdm(desc="Asking TMDB", unit="film", total=limit, disable=None, leave=False) as bar,
    ):
        path = local(ids, settings)
        if path is None:
            wanted = list(api.most_voted(limit))
        else:
            with Source(path) as source:
                wanted = popular_ids(source, Report(), limit)
        gone = fetch(api, wanted, folder / "films.jsonl", bar.update)
    if gone:
        typer.echo(f"{gone:,} left out: gone from TMDB", err=True)
    return folder / "films.jsonl"
