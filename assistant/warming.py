"""Filling the embedding cache ahead of the searches that people are likely to make."""

from collections import Counter
from pathlib import Path

from tqdm import tqdm

from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.indexer import STARTER
from recommender.models import MAX_QUERY_CHARS
from recommender.search import Warmth

POPULAR = STARTER.with_name("popular_queries.txt")


def read_queries(path: Path) -> list[str]:
    """The queries of a file, one a line; empty lines and those that begin with # are none.

    Raises InvalidRequest when there are none, or one is too long.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_QUERY_CHARS:
            raise InvalidRequest(f"{path}, line {number} has more than {MAX_QUERY_CHARS} letters.")
    queries = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not queries:
        raise InvalidRequest(f"{path} holds no query. Write one a line.")
    return queries


def warm_up(
    recommender: Recommender, queries: list[str], users: int, limit: int | None
) -> Counter[Warmth]:
    """Warm queries for whoever is new, and then for those who swiped last.

    What is remembered already costs next to nothing, so an interrupted run goes on where it
    stopped; after ``limit`` queries were made it ends.
    """
    people = [None, *recommender.recent_users(users)]
    counts: Counter[Warmth] = Counter()
    with tqdm(
        desc="Warming", total=len(people) * len(queries), unit="query", disable=None, leave=False
    ) as bar:
        for person in people:
            for outcome in recommender.warm(person, queries):
                counts[outcome] += 1
                bar.update()
                if limit is not None and counts["made"] >= limit:
                    return counts
    return counts
