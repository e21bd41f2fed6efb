"""Files of MovieLens' shape with numbers that are drawn, and what reading them costs.

``python -m tests.movielens_shape --ratings 8000000`` prints rows per second and peak memory.
"""

import argparse
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from recommender.importing.movielens import read_movielens
from recommender.importing.report import Report
from recommender.importing.source import Source

FILMS_OF_32M = 87_585
TAGS_PER_RATING = 1 / 16
SCORES_PER_RATING = 0.6
"""As many genome scores as 25M has to its ratings."""


def write_movielens(folder: Path, films: int, ratings: int, scores: int = 0, seed: int = 0) -> Path:
    """Write movies, links, ratings, tags and, if asked for, a genome; returns the folder."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    ids = np.arange(1, films + 1)
    pl.DataFrame(
        {
            "movieId": ids,
            "title": [f"Film Number {n}, The ({1920 + n % 100})" for n in ids],
            "genres": ["Comedy|Drama" if n % 2 else "(no genres listed)" for n in ids],
        }
    ).write_csv(folder / "movies.csv")
    pl.DataFrame({"movieId": ids, "imdbId": ids + 100_000, "tmdbId": ids + 500}).write_csv(
        folder / "links.csv"
    )
    pl.DataFrame(
        {
            "userId": np.sort(rng.integers(1, max(ratings // 160, 2), ratings)),
            "movieId": _films(rng, films, ratings),
            "rating": rng.integers(1, 11, ratings) / 2,
            "timestamp": rng.integers(789_652_009, 1_700_000_000, ratings),
        }
    ).write_csv(folder / "ratings.csv")
    tags = int(ratings * TAGS_PER_RATING)
    words = np.array([f"tag number {n}" for n in range(150_000)])
    pl.DataFrame(
        {
            "userId": rng.integers(1, 100_000, tags),
            "movieId": _films(rng, films, tags),
            "tag": words[np.minimum(rng.zipf(1.3, tags), len(words)) - 1],
            "timestamp": rng.integers(1_100_000_000, 1_700_000_000, tags),
        }
    ).write_csv(folder / "tags.csv")
    if scores:
        _write_genome(folder, scores, rng)
    return folder


def _films(rng: np.random.Generator, films: int, count: int) -> np.ndarray:
    """Few films get most: popularity falls as in MovieLens, and every film gets something."""
    return (films * rng.random(count) ** 3).astype(np.int64) + 1


def _write_genome(folder: Path, scores: int, rng: np.random.Generator) -> None:
    tags = 1128
    pl.DataFrame(
        {"tagId": np.arange(1, tags + 1), "tag": [f"genome {n}" for n in range(tags)]}
    ).write_csv(folder / "genome-tags.csv")
    pl.DataFrame(
        {
            "movieId": np.arange(scores) // tags + 1,
            "tagId": np.arange(scores) % tags + 1,
            "relevance": rng.beta(0.6, 4, scores).round(5),
        }
    ).write_csv(folder / "genome-scores.csv")


def main() -> None:
    """Measure, in a folder that goes again."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--films", type=int, default=FILMS_OF_32M)
    asked.add_argument("--ratings", type=int, default=4_000_000)
    asked.add_argument("--zip", action="store_true")
    asked.add_argument("--folder", type=Path, help="written before; it is only read")
    given = asked.parse_args()
    with TemporaryDirectory() as home:
        folder = given.folder
        if folder is None:
            scores = int(given.ratings * SCORES_PER_RATING)
            folder = write_movielens(Path(home) / "ml", given.films, given.ratings, scores)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, worked = time.perf_counter(), time.process_time()
        report = Report()
        with Source(folder) as source:
            items = read_movielens(source, report, {})
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(items):,} films in {seconds:.1f} s ({cpu:.1f} s of one core)")
    print(f"peak memory {peak / 1024:,.0f} MB (before: {before / 1024:,.0f} MB)")


if __name__ == "__main__":
    main()
