"""MovieLens (small, 25M, 32M), from its zip archive or unpacked. Needs polars (``[import]``).

Ratings, tags and the tag genome are read block by block; what is kept of them is one row a film
(or a film and tag), so memory grows with the number of films, not of ratings.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial

import polars as pl

from recommender.importing.films import Collector, Unusable, checked, mean, names, whole
from recommender.importing.report import Report
from recommender.importing.source import Source, csv_rows, text_lines
from recommender.importing.tables import Limits, blocks
from recommender.models import Item
from recommender.text import fold

LARGEST_ID = 2**31 - 1
NO_GENRE = {"(no genres listed)", "IMAX"}
MAX_TAGS = 15
LONGEST_TAG = 40
RELEVANT = 0.7
"""Of a genome tag, 0..1, from which on it tells something of the film."""
GENOME_TAGS = 10
"""At most as many of a film."""

_DATED = re.compile(r"(?P<title>.+?)\s*\((?P<year>\d{4})(?:[-–]\d{0,4})?\)\s*")
_ALSO = re.compile(r"(?P<title>.+?) \((?:a\.?k\.?a\.? )?(?P<other>[^()]+)\)")
_ARTICLES = (
    "The|A|An|Le|La|Les|L'|Un|Une|Il|Lo|I|Gli|El|Los|Las|Der|Die|Das|Ein|Eine|O|Os|De|Het|Den|Det|"
    "En|Et"
)
_TURNED = re.compile(rf"(?P<title>.+), (?P<article>{_ARTICLES})")

_RATINGS = {"userId": pl.Int64, "movieId": pl.Int64, "rating": pl.Float64, "timestamp": pl.Int64}
_TAGS = {"userId": pl.Int64, "movieId": pl.Int64, "tag": pl.String, "timestamp": pl.Int64}
_SCORES = {"movieId": pl.Int64, "tagId": pl.Int64, "relevance": pl.Float64}
_LIMITS: Limits = {"movieId": (1, LARGEST_ID)}


def read_movielens(
    source: Source, report: Report, known: Mapping[str, Item], min_ratings: int = 0
) -> list[Item]:
    """The films of a MovieLens, in its order.

    ``known`` films, by id, lend their texts, people and spelling where they are the same by IMDb's
    id. Raises InvalidRequest for what is no MovieLens.
    """
    movies, ratings = source.need("movies.csv"), source.need("ratings.csv")
    links = dict(_links(source, report))
    counts = _rating_counts(source, ratings, report)
    tags = _tags_by_film(source, report)
    films = Collector(report)
    for line, row in _rows(source, movies, ("movieId", "title", "genres")):
        films.add(movies, line, partial(_facts, row, links, counts, tags))
    wanted = [item for item in films.items if item.rating_count >= min_ratings]
    if few := len(films.items) - len(wanted):
        report.left_out[f"fewer than {min_ratings} ratings"] += few
    if strangers := counts.keys() - {item.item_id for item in films.items}:
        report.left_out["rated, but not in movies.csv"] += len(strangers)
    return [_with_texts(item, known.get(item.item_id)) for item in wanted]


def named(title: str) -> tuple[str, str | None, int | None]:
    """A title as MovieLens writes it, in natural order, with another title and the year, if any."""
    found = _DATED.fullmatch(title)
    rest, year = (found["title"], int(found["year"])) if found else (title.strip(), None)
    also = _ALSO.fullmatch(rest)
    if also:
        return _natural(also["title"]), _natural(also["other"]), year
    return _natural(rest), None, year


def _natural(title: str) -> str:
    found = _TURNED.fullmatch(title.strip())
    if not found:
        return title.strip()
    blank = "" if found["article"].endswith("'") else " "
    return f"{found['article']}{blank}{found['title']}"


def _facts(
    row: Mapping[str, str],
    links: Mapping[str, tuple[str | None, int | None]],
    counts: Mapping[str, tuple[int, float]],
    tags: Mapping[str, list[str]],
) -> dict[str, object]:
    item_id = _film_id(row["movieId"])
    title, other, year = named(row["title"])
    count, total = counts.get(item_id, (0, 0.0))
    imdb_id, tmdb_id = links.get(item_id, (None, None))
    genres = [genre for genre in row["genres"].split("|") if genre not in NO_GENRE]
    return {
        "item_id": item_id,
        "title": title,
        "year": year,
        "genres": names(genres),
        "tags": _telling(tags.get(item_id, []), genres),
        "overview": f"Also known as {other}." if other else "",
        "imdb_id": imdb_id,
        "tmdb_id": tmdb_id,
        "rating_count": count,
        "rating_mean": mean(total / count, 5) if count else None,
    }


def _film_id(text: str) -> str:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LARGEST_ID:
        raise Unusable(f"movieId {text[:40]!r} is no positive number")
    return str(int(text))


def _telling(tags: list[str], genres: list[str]) -> tuple[str, ...]:
    spoken = {fold(genre) for genre in genres}
    return names((tag for tag in tags if tag not in spoken), MAX_TAGS)


def _with_texts(item: Item, known: Item | None) -> Item:
    if known is None or known.imdb_id is None or known.imdb_id != item.imdb_id:
        return item
    own = {name: getattr(known, name) for name in ("title", "year", "director", "cast", "overview")}
    tags = names((*known.tags, *item.tags), MAX_TAGS)
    genres = known.genres or item.genres
    return checked(item.model_dump() | own | {"tags": tags, "genres": genres})


def _rows(
    source: Source, name: str, needed: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    with source.open(name) as stream:
        yield from csv_rows(text_lines(stream, name), name, needed)


def _links(source: Source, report: Report) -> Iterator[tuple[str, tuple[str | None, int | None]]]:
    name = source.find("links.csv")
    if name is None:
        return
    for line, row in _rows(source, name, ("movieId", "imdbId", "tmdbId")):
        try:
            imdb = whole(row["imdbId"], "imdbId")
            tmdb = whole(row["tmdbId"], "tmdbId")
            yield _film_id(row["movieId"]), (None if imdb is None else f"tt{imdb:07d}", tmdb)
        except Unusable as error:
            report.fault(name, line, str(error))


def _rating_counts(source: Source, name: str, report: Report) -> dict[str, tuple[int, float]]:
    """How many ratings each film has, and their sum."""
    limits = {**_LIMITS, "rating": (0.5, 5.0)}
    totals = pl.DataFrame(schema={"movieId": pl.Int64, "count": pl.Int64, "total": pl.Float64})
    for block in blocks(source, name, _RATINGS, limits, report):
        of_block = block.group_by("movieId").agg(
            pl.len().cast(pl.Int64).alias("count"), pl.col("rating").sum().alias("total")
        )
        totals = pl.concat([totals, of_block]).group_by("movieId").sum()
    return {str(film): (count, total) for film, count, total in totals.iter_rows()}


def _tags_by_film(source: Source, report: Report) -> dict[str, list[str]]:
    """The tags of films, those of most people first, then those of the genome."""
    found: dict[str, list[str]] = {}
    for film, tag in (*_peoples_tags(source, report), *_genome_tags(source, report)):
        found.setdefault(str(film), []).append(fold(tag))
    return found


def _peoples_tags(source: Source, report: Report) -> Iterator[tuple[int, str]]:
    """Tags that two people or more used of any film: others are often notes to oneself."""
    name = source.find("tags.csv")
    if name is None:
        return
    used = pl.DataFrame(schema={"movieId": pl.Int64, "tag": pl.String, "count": pl.Int64})
    users = pl.DataFrame(schema={"tag": pl.String, "first": pl.Int64, "last": pl.Int64})
    tag = pl.col("tag").str.strip_chars().str.to_lowercase()
    for block in blocks(source, name, _TAGS, _LIMITS, report):
        block = block.with_columns(tag).filter(
            pl.col("tag").str.len_chars().is_between(2, LONGEST_TAG)
        )
        of_block = block.group_by("movieId", "tag").agg(pl.len().cast(pl.Int64).alias("count"))
        used = pl.concat([used, of_block]).group_by("movieId", "tag").sum()
        by_tag = block.group_by("tag").agg(
            pl.col("userId").min().alias("first"), pl.col("userId").max().alias("last")
        )
        users = (
            pl.concat([users, by_tag])
            .group_by("tag")
            .agg(pl.col("first").min(), pl.col("last").max())
        )
    shared = users.filter(pl.col("first") != pl.col("last")).select("tag")
    ordered = used.join(shared, on="tag", how="semi").sort(
        ["movieId", "count", "tag"], descending=[False, True, False]
    )
    yield from (
        ordered.group_by("movieId", maintain_order=True)
        .head(MAX_TAGS)
        .select("movieId", "tag")
        .iter_rows()
    )


def _genome_tags(source: Source, report: Report) -> Iterator[tuple[int, str]]:
    """The most telling genome tags of each film: relevant, and more so than of most films."""
    scores, meanings = source.find("genome-scores.csv"), source.find("genome-tags.csv")
    if scores is None or meanings is None:
        return
    words = {int(row["tagId"]): row["tag"] for _, row in _rows(source, meanings, ("tagId", "tag"))}
    relevant = pl.DataFrame(schema=_SCORES)
    usual = pl.DataFrame(schema={"tagId": pl.Int64, "count": pl.Int64, "total": pl.Float64})
    limits = {**_LIMITS, "relevance": (0.0, 1.0)}
    for block in blocks(source, scores, _SCORES, limits, report):
        relevant.extend(block.filter(pl.col("relevance") >= RELEVANT))
        of_block = block.group_by("tagId").agg(
            pl.len().cast(pl.Int64).alias("count"), pl.col("relevance").sum().alias("total")
        )
        usual = pl.concat([usual, of_block]).group_by("tagId").sum()
    lift = pl.col("relevance") - pl.col("total") / pl.col("count")
    ordered = (
        relevant.join(usual, on="tagId")
        .with_columns(lift.alias("lift"))
        .sort(["movieId", "lift"], descending=[False, True])
    )
    best = ordered.group_by("movieId", maintain_order=True).head(GENOME_TAGS)
    for film, tag in best.select("movieId", "tagId").iter_rows():
        if tag in words:
            yield film, words[tag]
