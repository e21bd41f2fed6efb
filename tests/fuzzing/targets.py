"""What is fuzzed: each target takes any bytes, and raises nothing that it does not say."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import get_args
from zipfile import ZipFile

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from assistant.api import schemas
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.history.exports import read_export
from recommender.importing.mapped import FieldMapping, read_mapped
from recommender.importing.movielens import read_movielens
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.importing.tmdb import read_tmdb
from recommender.indexer import STARTER, read_items
from recommender.models import HistorySite, Item
from recommender.query import QueryReader

Target = Callable[[bytes], None]

SITES = get_args(HistorySite)
EXPORTS = ("ratings.csv", "export.zip", "ratings-movies.json")
TABLES = ("films.csv", "films.jsonl", "films.csv.gz", "films.zip")
MOVIELENS = ("movies.csv", "ratings.csv", "links.csv", "tags.csv", "genome-tags.csv")
MOST_UNPACKED = 2**24
MAPPING = FieldMapping(
    fields={"item_id": "id", "title": "title", "year": "year", "genres": "genres"},
    split={"genres": "|"},
)
PAYLOADS: tuple[type[BaseModel], ...] = (
    schemas.SearchIn,
    schemas.SwipeIn,
    schemas.UndoIn,
    schemas.ExplainIn,
    schemas.SurveyStart,
    schemas.HistoryIn,
)


@cache
def films() -> list[Item]:
    """The starter catalogue."""
    return read_items(STARTER)


@cache
def reader() -> QueryReader:
    """What reads queries over it."""
    return QueryReader(Catalogue(films()))


def query(data: bytes) -> None:
    """A query in words: anything is understood somehow."""
    reader().read(data.decode("utf-8", "ignore"))


def history(data: bytes) -> None:
    """An export of another site; the first byte says which, and as what file."""
    if data:
        site, name = SITES[data[0] % len(SITES)], EXPORTS[data[0] // 16 % len(EXPORTS)]
        _refusing(lambda: read_export(site, name, data[1:]))


def table(data: bytes) -> None:
    """A table of films, anybody's and TMDB's; the first byte says as what file."""
    if data:
        name = TABLES[data[0] % len(TABLES)]
        _reading(name, data[1:], lambda source: read_mapped(source, MAPPING, Report()))
        _reading(name, data[1:], lambda source: read_tmdb(source, Report(), {}))


def movielens(data: bytes) -> None:
    """MovieLens' files, with a zero byte between them."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, content in zip(MOVIELENS, data.split(b"\0"), strict=False):
            archive.writestr(name, content)
    _reading("ml.zip", packed.getvalue(), lambda source: read_movielens(source, Report(), {}))


def payload(data: bytes) -> None:
    """The body of a request; the first byte says of which."""
    if data:
        model = PAYLOADS[data[0] % len(PAYLOADS)]
        try:
            body = model.model_validate_json(data[1:])
            if isinstance(body, schemas.SearchIn):
                body.request()
            elif isinstance(body, schemas.HistoryIn):
                body.file()
        except (ValidationError, RequestValidationError):
            return


def _reading(name: str, content: bytes, read: Callable[[Source], object]) -> None:
    def parse() -> None:
        with Source(Path(name), content=content, limit=MOST_UNPACKED) as source:
            read(source)

    _refusing(parse)


def _refusing(parse: Callable[[], object]) -> None:
    try:
        parse()
    except InvalidRequest:
        return


TARGETS: dict[str, Target] = {
    target.__name__: target for target in (query, history, table, movielens, payload)
}
