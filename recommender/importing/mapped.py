"""Anybody's table as a catalogue, by a mapping file that says which column is what."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from recommender.errors import InvalidRequest
from recommender.importing import films
from recommender.importing.films import Collector, Unusable
from recommender.importing.report import Report
from recommender.importing.rows import Row, kind, rows
from recommender.importing.source import Source
from recommender.models import DIRECTED, Credit, Item

Name = Literal[
    "item_id", "title", "year", "genres", "director", "cast", "tags", "overview",
    "poster", "imdb_id", "tmdb_id", "rating_count", "rating_mean",
]  # fmt: skip
LISTS = ("genres", "director", "cast", "tags")


class FieldMapping(BaseModel):
    """``fields`` names the column of each fact, ``split`` what separates several in one text.

    ``credit`` is what those mapped as ``director`` did: "Written by" for books.
    ``rating_scale`` is the best rating that ``rating_mean`` could be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: dict[Name, str]
    split: dict[Name, str] = {}
    credit: Credit = DIRECTED
    rating_scale: float = Field(default=5.0, gt=0)

    @field_validator("fields")
    @classmethod
    def _names_films(cls, fields: dict[Name, str]) -> dict[Name, str]:
        if lacking := {"item_id", "title"} - fields.keys():
            raise ValueError(f"say which column is {' and which is '.join(sorted(lacking))}")
        return fields

    @field_validator("split")
    @classmethod
    def _splits_lists(cls, split: dict[Name, str]) -> dict[Name, str]:
        for name, separator in split.items():
            if name not in LISTS or not separator:
                raise ValueError(f"{name!r} cannot be split so; {', '.join(LISTS)} can be")
        return split


def read_mapping(path: Path) -> FieldMapping:
    """Read a mapping file (TOML, or JSON by its name). Raises InvalidRequest naming its fault."""
    try:
        text = path.read_text(encoding="utf-8")
        told = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return FieldMapping.model_validate(told)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "mapping"
        raise InvalidRequest(f"{path}, {where}: {first['msg']}.") from error
    except ValueError as error:  # not UTF-8, TOML or JSON
        raise InvalidRequest(f"{path} is no mapping: {error}.") from error


def read_mapped(source: Source, mapping: FieldMapping, report: Report) -> list[Item]:
    """The films of a table. Raises InvalidRequest when columns that are mapped are not there."""
    tables = [name for name in source.names if kind(name)]
    if len(tables) != 1:
        raise InvalidRequest(
            f"{source.path.name} holds {len(tables)} tables (CSV, JSON lines, Parquet); "
            "name one file."
        )
    found = Collector(report)
    met: set[str] = set()
    for line, row in rows(source, tables[0], report, list(mapping.fields.values())):
        met.update(row)
        found.add(tables[0], line, partial(_facts, row, mapping))
    if unmet := [column for column in mapping.fields.values() if column not in met]:
        raise InvalidRequest(
            f"{tables[0]} has nothing called {', '.join(unmet)}; it has: {', '.join(sorted(met))}."
        )
    return found.items


def _facts(row: Row, mapping: FieldMapping) -> Mapping[str, object]:
    told = {name: row.get(column) for name, column in mapping.fields.items()}
    facts: dict[str, object] = {
        name: _names(told[name], mapping.split.get(name)) for name in LISTS if name in told
    }
    for name in ("item_id", "title", "overview"):
        facts[name] = films.plain(told.get(name))
    facts["credit"] = mapping.credit
    facts["poster"] = films.plain(told.get("poster")) or None
    facts["imdb_id"] = films.plain(told.get("imdb_id")) or None
    facts["tmdb_id"] = films.whole(told.get("tmdb_id"), "tmdb_id")
    facts["year"] = films.year(told.get("year"))
    facts["rating_count"] = films.whole(told.get("rating_count"), "rating_count") or 0
    rating = films.number(told.get("rating_mean"), "rating_mean")
    facts["rating_mean"] = films.mean(rating, mapping.rating_scale)
    for name in ("item_id", "title"):
        if not facts[name]:
            raise Unusable(f"it has no {name}")
    return facts


def _names(value: object, separator: str | None) -> tuple[str, ...]:
    if isinstance(value, str):
        return films.names(value.split(separator) if separator else [value])
    if value is None:
        return ()
    if not isinstance(value, Sequence):
        raise Unusable(f"{str(value)[:40]!r} is no list of names")
    return films.names(each.get("name") if isinstance(each, dict) else each for each in value)
