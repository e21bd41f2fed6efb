"""What fuzzing begins with: for each target, inputs as they should be, and those that broke it."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from assistant.api import examples

QUERIES = Path(__file__).parents[1] / "fixtures" / "queries.jsonl"
LETTERBOXD = b"Date,Name,Year,Letterboxd URI,Rating\n2025-06-01,Arrival,2016,https://boxd.it/a,5\n"
IMDB = (
    b"Const,Your Rating,Date Rated,Title,Title Type,Year\ntt0113277,9,2025-06-01,Heat,Movie,1995\n"
)
TRAKT = json.dumps(
    [
        {
            "rating": 9,
            "rated_at": "2025-06-01T00:00:00.000Z",
            "type": "movie",
            "movie": {"title": "Heat", "year": 1995, "ids": {"imdb": "tt0113277", "tmdb": 949}},
        }
    ]
).encode()
CSV = b"id,title,year,genres,vote_count,release_date\n1,Heat,1995,Crime|Drama,99,1995-12-15\n"
LINES = b'{"id": 1, "title": "Heat", "year": 1995, "genres": ["Crime"], "vote_count": 99}\n'
MOVIES = b"\0".join(
    (
        b"movieId,title,genres\n6,Heat (1995),Crime|Drama\n",
        b"userId,movieId,rating,timestamp\n1,6,4.5,964982703\n",
        b"movieId,imdbId,tmdbId\n6,0113277,949\n",
        b"userId,movieId,tag,timestamp\n1,6,heist,964982703\n2,6,heist,964982703\n",
    )
)
BODIES = (  # in the order of the target's PAYLOADS
    examples.SEARCH,
    examples.SWIPE,
    examples.UNDO,
    examples.EXPLAIN,
    examples.SURVEY_START,
    examples.HISTORY,
)


def seeds(target: str) -> Iterator[bytes]:
    """The inputs of one target."""
    yield from SEEDS[target]()


def _queries() -> Iterator[bytes]:
    for line in QUERIES.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["query"].encode()


def _exports() -> Iterator[bytes]:
    for export in (LETTERBOXD, IMDB, TRAKT):
        for first in range(48):
            yield bytes([first]) + export


def _bodies() -> Iterator[bytes]:
    for place, body in enumerate(BODIES):
        yield bytes([place]) + json.dumps(body).encode()


SEEDS: dict[str, Callable[[], Iterable[bytes]]] = {
    "query": _queries,
    "history": _exports,
    "table": lambda: (b"\0" + CSV, b"\1" + LINES),
    "movielens": lambda: (MOVIES,),
    "payload": _bodies,
}
