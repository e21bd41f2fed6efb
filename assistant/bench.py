"""Timing a running server from outside, one request after the other."""

import random
import statistics
import uuid
from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

import httpx

from recommender.models import Item

ENDINGS = ("", " with a twist", " for tonight", " but funny", " from the 90s", ", nothing violent")


def varied_queries(films: Sequence[Item], count: int, seed: int = 0) -> list[str]:
    """Different wishes, put together from the films' own tags and genres."""
    rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
    queries: dict[str, None] = {}
    while len(queries) < count:
        film = rng.choice(films)
        queries[f"{rng.choice(film.tags)} {rng.choice(film.genres)}{rng.choice(ENDINGS)}"] = None
    return list(queries)


def measure(url: str, films: Sequence[Item], count: int) -> dict[str, list[float]]:
    """Milliseconds per request by kind, for a fresh user who swipes twenty films first.

    Raises httpx.HTTPError when the server does not answer, or answers with an error.
    """
    with httpx.Client(base_url=url, timeout=30) as client:
        user_id = f"bench-{uuid.uuid4()}"
        queries = varied_queries(films, count)
        swipes = [{"item_id": film.item_id, "direction": "like"} for film in films[:200:10]]
        times = {
            "swipe": list(_times(client, "/swipe", user_id, swipes)),
            "search, not cached": list(
                _times(client, "/search", user_id, ({"query": query} for query in queries))
            ),
            "search, cached": list(
                _times(client, "/search", user_id, ({"query": query} for query in queries))
            ),
            "explain": list(
                _times(client, "/explain", user_id, ({"item_id": f.item_id} for f in films[:100]))
            ),
        }
        client.delete(f"/user/{user_id}").raise_for_status()
    return times


def table(times: dict[str, list[float]]) -> Iterator[str]:
    """A line of p50, p95 and p99 for each kind of request."""
    yield f"{'milliseconds':<20}{'n':>6}{'p50':>9}{'p95':>9}{'p99':>9}"
    for kind, values in times.items():
        cuts = statistics.quantiles(values, n=100, method="inclusive")
        yield f"{kind:<20}{len(values):>6}{cuts[49]:>9.1f}{cuts[94]:>9.1f}{cuts[98]:>9.1f}"


def _times(
    client: httpx.Client, path: str, user_id: str, bodies: Iterable[dict[str, str]]
) -> Iterator[float]:
    for body in bodies:
        start = perf_counter()
        client.post(path, json={"user_id": user_id, **body}).raise_for_status()
        yield 1000 * (perf_counter() - start)
