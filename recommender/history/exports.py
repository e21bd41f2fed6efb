"""Exports as Letterboxd, IMDb and Trakt give them to their users, zipped or not."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from recommender.errors import InvalidRequest
from recommender.importing.films import Unusable, number, plain, whole, year
from recommender.importing.source import Source, csv_rows, text_lines
from recommender.models import Direction, HistorySite

MAX_BYTES = 64 * 2**20
"""Bytes that an export may unfold to; one of 10,000 films has 2 MB."""
MAX_ENTRIES = 50_000
LIKE, DISLIKE = 4.0, 2.5
"""Stars, out of five, from which up a rating is a like and from which down a dislike."""
EARLIEST = 1970

_TELLTALE: Mapping[HistorySite, str] = {"letterboxd": "Letterboxd URI", "imdb": "Const"}
"""Columns that only their tables have."""
_TRAKT_FILE = re.compile(r"(ratings|watched)-movies(-\d+)?\.json")
_SERIES = re.compile(r"series|episode|game|podcast", re.IGNORECASE)


@dataclass(frozen=True)
class Watched:
    """A film somebody watched, as a site tells of it; ``stars`` are out of five."""

    title: str
    year: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    stars: float | None = None
    liked: bool = False
    watched_at: datetime | None = None

    @property
    def direction(self) -> Direction | None:
        """What it says of their taste; None where it says nothing."""
        if self.stars is not None and self.stars <= DISLIKE:
            return Direction.DISLIKE
        if self.liked or (self.stars is not None and self.stars >= LIKE):
            return Direction.LIKE
        return None


def read_export(site: HistorySite, name: str, content: bytes) -> list[Watched]:
    """The films of an export, called ``name``. Raises InvalidRequest naming file and line."""
    with _opened(name, content) as source:
        entries = list(_READERS[site](source))
    if len(entries) > MAX_ENTRIES:
        raise InvalidRequest(f"{name} holds more than {MAX_ENTRIES:,} films. Split it.")
    return entries


def site_of(name: str, content: bytes) -> HistorySite:
    """Whose export a file called ``name`` is, by what it holds. Raises InvalidRequest."""
    with _opened(name, content) as source:
        if any(each.endswith(".json") for each in source.names):
            return "trakt"
        for table in (each for each in source.names if each.endswith(".csv")):
            with source.open(table) as stream:
                header = next(text_lines(stream, table), "")
            for site, column in _TELLTALE.items():
                if column in header:
                    return site
    raise InvalidRequest(
        f"{name} is no export that I know. Take the .zip of Letterboxd or Trakt, or IMDb's .csv."
    )


def _opened(name: str, content: bytes) -> Source:
    return Source(Path(PurePosixPath(name).name), content=content, limit=MAX_BYTES)


def _letterboxd(source: Source) -> Iterator[Watched]:
    """``ratings.csv``, ``likes/films.csv`` and ``watched.csv``, or one of them alone."""
    found: dict[tuple[str, int | None], Watched] = {}
    for name in _letterboxd_files(source):
        liked = name.endswith("likes/films.csv")
        for entry in _rows(source, name, ("Name", "Year"), _letterboxd_entry):
            key = (entry.title, entry.year)
            before = found.get(key, entry)
            rated = entry if entry.stars is not None else before
            found[key] = replace(rated, liked=before.liked or liked)
    yield from found.values()


def _letterboxd_files(source: Source) -> list[str]:
    if source.names == [source.path.name]:
        return source.names
    wanted = ("watched.csv", "ratings.csv", "likes/films.csv")
    found = [name for each in wanted if (name := source.find(each))]
    kept = [name for name in found if not {"deleted", "orphaned"} & set(name.split("/"))]
    if not kept:
        raise InvalidRequest(f"{source.path.name} holds none of {', '.join(wanted)}.")
    return kept


def _letterboxd_entry(row: Mapping[str, str]) -> Watched | None:
    return Watched(
        title=_title(row["Name"]),
        year=year(row["Year"]),
        stars=_stars(row.get("Rating"), "Rating", 0.5, 5.0),
        watched_at=_moment(row.get("Watched Date") or row.get("Date")),
    )


def _imdb(source: Source) -> Iterator[Watched]:
    """Every table of titles: the ratings, or a list with "Your Rating"."""
    tables = [name for name in source.names if name.lower().endswith(".csv")]
    if not tables:
        raise InvalidRequest(f"{source.path.name} holds no .csv. Take IMDb's export of ratings.")
    for name in tables:
        yield from _rows(source, name, ("Const", "Title", "Your Rating"), _imdb_entry)


def _imdb_entry(row: Mapping[str, str]) -> Watched | None:
    imdb_id = plain(row["Const"])
    if not re.fullmatch(r"tt\d{1,10}", imdb_id):
        raise Unusable(f"Const {imdb_id[:40]!r} is no id of a title")
    if _SERIES.search(row.get("Title Type", "")):
        return None
    stars = _stars(row["Your Rating"], "Your Rating", 1, 10)
    return Watched(
        title=_title(row["Title"]),
        year=year(row.get("Year")),
        imdb_id=imdb_id,
        stars=None if stars is None else stars / 2,
        watched_at=_moment(row.get("Date Rated")),
    )


def _trakt(source: Source) -> Iterator[Watched]:
    """``ratings-movies.json`` and ``watched-movies.json``, in folders or not, or one file."""
    alone = source.names == [source.path.name]
    files = [n for n in source.names if alone or _TRAKT_FILE.fullmatch(PurePosixPath(n).name)]
    if not files:
        raise InvalidRequest(
            f"{source.path.name} holds no ratings-movies.json or watched-movies.json. "
            "Take the archive that Trakt's settings export."
        )
    found: dict[object, Watched] = {}
    for name in sorted(files, reverse=True):  # what was watched, then what was said of it
        for entry in _objects(source, name):
            key = entry.tmdb_id or entry.imdb_id or (entry.title, entry.year)
            if entry.stars is not None or key not in found:
                found[key] = entry
    yield from found.values()


def _objects(source: Source, name: str) -> Iterator[Watched]:
    with source.open(name) as stream:
        try:
            told: object = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"{name} is no JSON: {error}.") from error
    if not isinstance(told, list):
        raise InvalidRequest(f"{name} is no list. Take the archive that Trakt exports.")
    for place, row in enumerate(told, 1):
        try:
            entry = _trakt_entry(row)
        except Unusable as error:
            raise InvalidRequest(f"{name}, entry {place}: {error}.") from error
        if entry:
            yield entry


def _trakt_entry(row: object) -> Watched | None:
    if not isinstance(row, dict):
        raise Unusable("it is no JSON object")
    film = row.get("movie")
    if film is None:
        return None
    ids = film.get("ids") if isinstance(film, dict) else None
    if not isinstance(film, dict) or not isinstance(ids, dict):
        raise Unusable("it is no film with its ids")
    stars = _stars(row.get("rating"), "rating", 1, 10)
    return Watched(
        title=_title(film.get("title")),
        year=year(film.get("year")),
        imdb_id=plain(ids.get("imdb")) or None,
        tmdb_id=whole(ids.get("tmdb"), "tmdb"),
        stars=None if stars is None else stars / 2,
        watched_at=_moment(row.get("rated_at") or row.get("last_watched_at")),
    )


def _rows(
    source: Source,
    name: str,
    needed: tuple[str, ...],
    read: Callable[[Mapping[str, str]], Watched | None],
) -> Iterator[Watched]:
    with source.open(name) as stream:
        for line, row in csv_rows(text_lines(stream, name), name, needed):
            try:
                entry = read(row)
            except Unusable as error:
                raise InvalidRequest(f"{name}, line {line}: {error}.") from error
            if entry:
                yield entry


def _title(value: object) -> str:
    title = plain(value)
    if not 0 < len(title) <= 500:
        raise Unusable("it has no title of 1 to 500 characters")
    return title


def _stars(value: object, column: str, low: float, high: float) -> float | None:
    found = number(value, column)
    if found is not None and not low <= found <= high:
        raise Unusable(f"{column} {found:g} is not between {low:g} and {high:g}")
    return found


def _moment(value: object) -> datetime | None:
    text = plain(value)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Unusable(f"{text[:40]!r} is no date") from None
    if moment.year < EARLIEST:
        raise Unusable(f"{text[:40]!r} is before {EARLIEST}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READERS: Mapping[HistorySite, Callable[[Source], Iterable[Watched]]] = {
    "letterboxd": _letterboxd,
    "imdb": _imdb,
    "trakt": _trakt,
}
