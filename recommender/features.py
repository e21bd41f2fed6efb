"""A catalogue as files: ``features/items.parquet``, ``item_embeddings.parquet`` and
``survey_movies.json`` under a folder, here or in S3.

What is in tables needs pyarrow (extra ``[features]``), which takes 30 MB: who finds the films kept
does without.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from fsspec import AbstractFileSystem
from pydantic import BaseModel, TypeAdapter, ValidationError

from fusion.encoder import TextEncoder
from fusion.item_space import digest
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest
from recommender.indexer import embedded
from recommender.kept import Form, Kept
from recommender.models import Item, SurveyMovie
from recommender.remote_files import writing
from recommender.stores.ports import Vector
from recommender.survey import curate

FEATURES = "features"
ITEMS = "items.parquet"
EMBEDDINGS = "item_embeddings.parquet"
SURVEY = "survey_movies.json"
SURVEY_SIZE = 600
"""As many films as the survey weighs against each other."""
ANEW = "Write the features anew with: reelwise features --out URL"

_FILMS = TypeAdapter(list[Item])
_KEPT_FILMS = Form[list[Item]](
    save=lambda films, folder: (folder / "films.json").write_bytes(_FILMS.dump_json(films)),
    load=lambda folder: _FILMS.validate_json((folder / "films.json").read_bytes()),
)


@dataclass(frozen=True)
class Features:
    """The films, and the SHA-256 of their table; their texts' vectors by fingerprint; the films
    that surveys ask about first.

    The vectors are read when one is asked for, which may raise InvalidRequest then.
    """

    items: Sequence[Item]
    digest: str
    vectors: Mapping[str, Vector]
    survey: Sequence[str]


class _Unread(Mapping[str, Vector]):
    """Vectors that stay in their file until one is asked for: who has indexed all asks for none."""

    def __init__(self, read: Callable[[], Mapping[str, Vector]]) -> None:
        self._read = read

    @cached_property
    def _vectors(self) -> Mapping[str, Vector]:
        return self._read()

    def __getitem__(self, fingerprint: str) -> Vector:
        return self._vectors[fingerprint]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)


class _SurveySet(BaseModel):
    movies: tuple[SurveyMovie, ...]


def write_features(
    url: str,
    items: Sequence[Item],
    encoder: TextEncoder,
    known: Mapping[str, Vector],
    survey_size: int = SURVEY_SIZE,
    seed: int = 0,
) -> None:
    """Write all three files below ``url``; only films that are not ``known`` are embedded.

    Raises InvalidRequest when it may not be written.
    """
    from recommender.tables import write_embeddings, write_items

    vectors = np.array(embedded(items, encoder, known), dtype=np.float32)
    with writing(url) as (files, root):
        write_items(files, f"{root}/{FEATURES}/{ITEMS}", items)
        write_embeddings(files, f"{root}/{FEATURES}/{EMBEDDINGS}", items, vectors, encoder)
        write_survey(files, f"{root}/{FEATURES}/{SURVEY}", items, survey_size, seed)


def write_survey(
    files: AbstractFileSystem, path: str, items: Sequence[Item], size: int, seed: int
) -> None:
    """Write a spread of well known films over genres and eras, the same for the same seed."""
    catalogue = Catalogue(items)
    chosen = catalogue.select(curate(catalogue, (), min(size, len(catalogue)), seed))
    movies = tuple(SurveyMovie(**SurveyMovie.facts(item)) for item in chosen)
    with files.open(path, "w", encoding="utf-8") as out:
        out.write(_SurveySet(movies=movies).model_dump_json(indent=1))


def read_features(folder: Path, encoder: TextEncoder, cache: Path | None = None) -> Features:
    """Read what `write_features` wrote; the films from the folder ``cache`` where they are kept
    there already.

    Raises InvalidRequest for what cannot be used.
    """
    try:
        made_of = digest(folder / ITEMS)
    except FileNotFoundError as error:
        raise InvalidRequest(f"{folder / ITEMS} is missing. {ANEW}") from error
    items = Kept(cache, made_of).get("films", lambda: _read_films(folder / ITEMS), _KEPT_FILMS)
    return Features(
        items,
        made_of,
        _Unread(lambda: _read_vectors(folder / EMBEDDINGS, encoder)),
        _read_survey(folder / SURVEY, {item.item_id for item in items}),
    )


def _read_films(path: Path) -> list[Item]:
    from recommender.tables import read_items_table

    return read_items_table(path)


def _read_vectors(path: Path, encoder: TextEncoder) -> Mapping[str, Vector]:
    from recommender.tables import read_embeddings

    return read_embeddings(path, encoder)


def _read_survey(path: Path, known: set[str]) -> list[str]:
    try:
        survey = _SurveySet.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InvalidRequest(f"{path} is missing. {ANEW}") from error
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        raise InvalidRequest(f"{path} is not a set of survey movies: {reason}. {ANEW}") from error
    ids = [movie.item_id for movie in survey.movies]
    if strangers := sorted(set(ids) - known):
        raise InvalidRequest(f"{path} names {strangers[0]!r}, which {ITEMS} does not hold. {ANEW}")
    return ids
