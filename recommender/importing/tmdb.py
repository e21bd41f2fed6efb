"""TMDB: details of films as its API gives them, or tables made of these, such as Kaggle's."""

import json
from collections.abc import Iterable, Mapping
from functools import partial

from recommender.errors import InvalidRequest
from recommender.importing import films
from recommender.importing.films import Collector, Unusable
from recommender.importing.report import Report
from recommender.importing.rows import Row, kind, rows
from recommender.importing.source import Source
from recommender.models import Item

POSTERS = "https://image.tmdb.org/t/p/w342"
"""Where TMDB's posters are, 342 pixels wide."""
MAX_CAST = 5
MAX_KEYWORDS = 15
GENRES = {"Science Fiction": "Sci-Fi", "Family": "Children"}
"""TMDB's names of genres that are called otherwise here."""
IDS_ONLY = "holds ids only, as TMDB's daily exports do. Fetch the films with: --fetch"


def read_tmdb(
    source: Source, report: Report, known: Mapping[str, Item], min_votes: int = 10
) -> list[Item]:
    """The films of all tables of a source, except adult ones and those not yet released.

    ``known`` films, by IMDb id, lend their own id, title and year, so that swipes and what was
    learned of them hold. Raises InvalidRequest for what is not TMDB's.
    """
    tables = [name for name in source.names if kind(name)]
    credits = {name for name in tables if "credits" in name.rsplit("/", 1)[-1]}
    people = dict(_credits(source, credits, report))
    found = Collector(report)
    read = 0
    for name in (each for each in tables if each not in credits):
        for line, row in rows(source, name, report, ("id", "title")):
            read += 1
            if "title" not in row and "original_title" in row:
                raise InvalidRequest(f"{name} {IDS_ONLY}")
            if reason := _unwanted(row, min_votes):
                report.left_out[reason] += 1
            else:
                found.add(name, line, partial(_facts, row, people, known))
    if not read and not report.faults:
        raise InvalidRequest(f"{source.path.name} holds no table of films (CSV, JSON, Parquet).")
    return found.items


def popular_ids(source: Source, report: Report, limit: int) -> list[int]:
    """The ids of a daily export, the most popular first. Raises InvalidRequest for another file."""
    ids: list[tuple[float, int]] = []
    for name in (each for each in source.names if kind(each)):
        for line, row in rows(source, name, report, ("id", "popularity")):
            try:
                tmdb_id = films.whole(row.get("id"), "id")
                popularity = films.number(row.get("popularity"), "popularity")
                if not tmdb_id or tmdb_id < 1:
                    raise Unusable("it has no id")
            except Unusable as error:
                report.fault(name, line, str(error))
                continue
            if row.get("adult"):
                report.left_out["adult"] += 1
            else:
                ids.append((-(popularity or 0.0), tmdb_id))
    if not ids:
        raise InvalidRequest(f"{source.path.name} holds no ids of films.")
    return [tmdb_id for _, tmdb_id in sorted(ids)[:limit]]


def _unwanted(row: Row, min_votes: int) -> str | None:
    if row.get("adult") in (True, "True", "true", "1"):
        return "adult"
    if row.get("status") not in (None, "", "Released"):
        return "not released"
    if not str(row.get("title") or "").strip():
        return "without a title"
    votes = row.get("vote_count")
    try:
        few = float(str(votes or 0)) < min_votes
    except ValueError:
        return None  # a fault, which is named where it is read
    return f"fewer than {min_votes} votes" if few else None


def _facts(row: Row, people: Mapping[int, Row], known: Mapping[str, Item]) -> Mapping[str, object]:
    tmdb_id = films.whole(row.get("id"), "id")
    if tmdb_id is None or tmdb_id < 1:
        raise Unusable("it has no id")
    cast, directors = _people(row.get("credits") or people.get(tmdb_id) or {})
    imdb_id = films.plain(row.get("imdb_id")) or None
    facts: dict[str, object] = {
        "item_id": f"tmdb-{tmdb_id}",
        "title": films.plain(row.get("title")),
        "year": films.year(row.get("release_date")),
        "genres": films.names(GENRES.get(g, g) for g in _names(row.get("genres"))),
        "director": films.names(directors),
        "cast": films.names(cast, MAX_CAST),
        "tags": _names(row.get("keywords"), MAX_KEYWORDS),
        "overview": films.plain(row.get("overview")),
        "poster": _poster(films.plain(row.get("poster_path"))),
        "imdb_id": imdb_id,
        "tmdb_id": tmdb_id,
        "rating_count": films.whole(row.get("vote_count"), "vote_count") or 0,
        "rating_mean": films.mean(films.number(row.get("vote_average"), "vote_average"), 10),
    }
    if not facts["rating_count"]:
        facts["rating_mean"] = None
    own = known.get(imdb_id or "")
    return facts | (own.model_dump(include={"item_id", "title", "year"}) if own else {})


def _poster(path: str) -> str | None:
    if path and not path.startswith("/"):
        raise Unusable(f"poster_path {path[:40]!r} does not begin with a slash")
    return f"{POSTERS}{path}" if path else None


def _credits(source: Source, names: Iterable[str], report: Report) -> Iterable[tuple[int, Row]]:
    for name in sorted(names):
        for line, row in rows(source, name, report, ("movie_id", "cast", "crew")):
            try:
                tmdb_id = films.whole(row.get("movie_id"), "movie_id")
                if tmdb_id:
                    yield tmdb_id, {"cast": _parsed(row["cast"]), "crew": _parsed(row["crew"])}
            except Unusable as error:
                report.fault(name, line, str(error))


def _people(credits: object) -> tuple[list[object], list[object]]:
    """The cast in TMDB's order, and who directed."""
    if not isinstance(credits, dict):
        raise Unusable("credits is no JSON object")
    cast = [person.get("name") for person in _objects(credits.get("cast"))]
    crew = _objects(credits.get("crew"))
    return cast, [person.get("name") for person in crew if person.get("job") == "Director"]


def _names(value: object, limit: int = films.MAX_NAMES) -> tuple[str, ...]:
    """Names of objects, of the API's ``{"keywords": [...]}``, or of a text with commas."""
    if isinstance(value, dict):
        value = value.get("keywords")
    parsed = _parsed(value)
    if isinstance(parsed, str):
        return films.names(parsed.split(","), limit)
    return films.names((each.get("name") for each in _objects(parsed)), limit)


def _parsed(value: object) -> object:
    """What a CSV's field holds as JSON, and any other value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{value[:40]!r} is no JSON ({error})") from error
    return parsed


def _objects(value: object) -> list[dict[str, object]]:
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Unusable(f"{str(value)[:40]!r} is no list of JSON objects")
    return value
