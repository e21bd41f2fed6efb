"""Files of MovieLens' shape with numbers that are drawn, and what reading them costs.

``python -m tests.movielens_shape --ratings 8000000`` prints what time and memory it takes to read
such a zip; ``--out ml.zip`` keeps it, for ``reelwise import movielens ml.zip``. It is written a
block at a time, as it is read.
"""

import argparse
import resource
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import numpy as np
import polars as pl

from recommender.importing.movielens import read_movielens
from recommender.importing.report import Report
from recommender.importing.source import Source

FILMS_OF_32M = 87_585
RATINGS_PER_USER = 160
TAGS_PER_RATING = 1 / 16
SCORES_PER_RATING = 0.6
"""As many genome scores as 25M has to its ratings."""
GENOME_TAGS = 1128
WORDS = 150_000
BLOCK = 1_000_000
Opened = Callable[[str], AbstractContextManager[IO[bytes]]]


def write_movielens(path: Path, films: int, ratings: int, scores: int = 0, seed: int = 0) -> Path:
    """Write movies, links, ratings, tags and, if asked for, a genome; returns the path.

    It is a folder, or a zip archive if it ends with that.
    """
    rng = np.random.default_rng(seed)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:

            def packed(name: str) -> IO[bytes]:
                return archive.open(f"ml/{name}", "w", force_zip64=True)

            _write(packed, films, ratings, scores, rng)
    else:
        path.mkdir(parents=True, exist_ok=True)
        _write(lambda name: (path / name).open("wb"), films, ratings, scores, rng)
    return path


def _write(opened: Opened, films: int, ratings: int, scores: int, rng: np.random.Generator) -> None:
    ids = np.arange(1, films + 1)
    movies = {
        "movieId": ids,
        "title": [f"Film Number {n}, The ({1920 + n % 100})" for n in ids],
        "genres": ["Comedy|Drama" if n % 2 else "(no genres listed)" for n in ids],
    }
    links = {"movieId": ids, "imdbId": ids + 100_000, "tmdbId": ids + 500}
    _table(opened, "movies.csv", [pl.DataFrame(movies)])
    _table(opened, "links.csv", [pl.DataFrame(links)])
    _table(opened, "ratings.csv", _ratings(films, ratings, rng))
    _table(opened, "tags.csv", _tags(films, int(ratings * TAGS_PER_RATING), rng))
    if scores:
        tags = np.arange(1, GENOME_TAGS + 1)
        genome = {"tagId": tags, "tag": [f"genome {n - 1}" for n in tags]}
        _table(opened, "genome-tags.csv", [pl.DataFrame(genome)])
        _table(opened, "genome-scores.csv", _scores(scores, rng))


def _table(opened: Opened, name: str, frames: Iterable[pl.DataFrame]) -> None:
    with opened(name) as file:
        for number, frame in enumerate(frames):
            frame.write_csv(file, include_header=number == 0)


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    """Where each begins, and how many rows it has."""
    return ((start, min(BLOCK, count - start)) for start in range(0, max(count, 1), BLOCK))


def _ratings(films: int, ratings: int, rng: np.random.Generator) -> Iterator[pl.DataFrame]:
    """In the order of people, as MovieLens has them."""
    for start, count in _blocks(ratings):
        first = 1 + start // RATINGS_PER_USER
        yield pl.DataFrame(
            {
                "userId": np.sort(
                    rng.integers(first, first + max(count // RATINGS_PER_USER, 1), count)
                ),
                "movieId": _films(rng, films, count),
                "rating": rng.integers(1, 11, count) / 2,
                "timestamp": rng.integers(789_652_009, 1_700_000_000, count),
            }
        )


def _tags(films: int, tags: int, rng: np.random.Generator) -> Iterator[pl.DataFrame]:
    words = np.array([f"tag number {n}" for n in range(WORDS)])
    for _, count in _blocks(tags):
        yield pl.DataFrame(
            {
                "userId": rng.integers(1, 100_000, count),
                "movieId": _films(rng, films, count),
                "tag": words[np.minimum(rng.zipf(1.3, count), WORDS) - 1],
                "timestamp": rng.integers(1_100_000_000, 1_700_000_000, count),
            }
        )


def _scores(scores: int, rng: np.random.Generator) -> Iterator[pl.DataFrame]:
    for start, count in _blocks(scores):
        places = np.arange(start, start + count)
        yield pl.DataFrame(
            {
                "movieId": places // GENOME_TAGS + 1,
                "tagId": places % GENOME_TAGS + 1,
                "relevance": rng.beta(0.6, 4, count).round(5),
            }
        )


def _films(rng: np.random.Generator, films: int, count: int) -> np.ndarray:
    """Few films get most: popularity falls as in MovieLens, and every film gets something."""
    return (films * rng.random(count) ** 3).astype(np.int64) + 1


def main() -> None:
    """Measure, on a file that goes again unless it is to be kept."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--films", type=int, default=FILMS_OF_32M)
    asked.add_argument("--ratings", type=int, default=4_000_000)
    asked.add_argument("--out", type=Path, help="a zip that is kept; read only if it is there")
    given = asked.parse_args()
    with TemporaryDirectory() as home:
        path = given.out or Path(home) / "ml.zip"
        if not path.exists():
            scores = int(given.ratings * SCORES_PER_RATING)
            write_movielens(path, given.films, given.ratings, scores)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, worked = time.perf_counter(), time.process_time()
        report = Report()
        with Source(path) as source:
            items = read_movielens(source, report, {})
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(items):,} films in {seconds:.1f} s ({cpu:.1f} s of one core)")
    print(f"peak memory {peak / 1024:,.0f} MB (before: {before / 1024:,.0f} MB)")


if __name__ == "__main__":
    main()
