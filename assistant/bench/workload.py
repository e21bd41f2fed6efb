"""What the people of a bench do: requests of each kind, none of them twice unless it is meant."""

import base64
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from itertools import cycle, islice, product
from typing import Any, NamedTuple

from assistant.bench.client import Request
from recommender.models import Item

SEARCH, CACHED, SWIPE = "search, not cached", "search, cached", "swipe"
SURVEY, EXPLAIN = "survey start", "explain"
LIKES = DISLIKES = 10
PEOPLE = 10
K = 20
ENDINGS = ("", " with a twist", " for tonight", " but funny", " from the 90s", ", nothing violent")


class Kind(NamedTuple):
    """Requests of a kind, and how many a second are to arrive."""

    name: str
    rate: float
    requests: list[Request]


class Taste(NamedTuple):
    """What somebody likes and dislikes."""

    user_id: str
    likes: Sequence[Item]
    dislikes: Sequence[Item]


def varied_queries(films: Sequence[Item], seed: int = 0) -> Iterator[str]:
    """Different wishes, put together from the films' own tags and genres, until none is left."""
    rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
    told = [film for film in films if film.tags and film.genres]
    seen: set[str] = set()
    while len(seen) < 3 * len(told):
        film = rng.choice(told)
        query = f"{rng.choice(film.tags)} {rng.choice(film.genres)}{rng.choice(ENDINGS)}"
        if query not in seen:
            seen.add(query)
            yield query


def batches(films: Sequence[Item], number: int, size: int) -> list[list[str]]:
    """So many lists of ``size`` different wishes."""
    queries = varied_queries(films)
    return [list(islice(queries, size)) for _ in range(number)]


def people(films: Sequence[Item], name: str = "bench", seed: int = 0) -> list[Taste]:
    """People with ten likes and ten dislikes each."""
    rng = random.Random(seed)  # noqa: S311 - variety, not secrecy
    swiped = [rng.sample(films, LIKES + DISLIKES) for _ in range(PEOPLE)]
    return [Taste(f"{name}-{n}", f[:LIKES], f[LIKES:]) for n, f in enumerate(swiped)]


class Workload:
    """Requests to Reelwise by people with ten likes and ten dislikes, and by newcomers."""

    def __init__(self, films: Sequence[Item]) -> None:
        """``films`` are known to the server, and real ones: words and swipes are taken of them."""
        self._name, self._films = f"bench-{uuid.uuid4()}", films
        self.people = people(films, self._name)
        self._newcomers = 0
        self._searches, self._swipes = self._searched(), self._swiped()
        self._surveys, self._explained = self._surveyed(), self._asked_why()

    def before(self) -> Iterator[Request]:
        """What gives the people their swipes."""
        return (history(taste) for taste in self.people)

    def after(self) -> Iterator[Request]:
        """What leaves nobody behind."""
        gone = [*(p.user_id for p in self.people), *map(self._newcomer, range(self._newcomers))]
        return (Request(f"/user/{user_id}", method="DELETE") for user_id in gone)

    def round(self, size: int) -> list[Kind]:
        """``size`` new requests of each kind; only those that are to be cached come again."""
        searches = list(islice(self._searches, size))
        return [
            Kind(SEARCH, 5.0, searches),
            Kind(CACHED, 25.0, searches),
            Kind(SWIPE, 15.0, list(islice(self._swipes, size))),
            Kind(SURVEY, 5.0, list(islice(self._surveys, size))),
            Kind(EXPLAIN, 5.0, list(islice(self._explained, size))),
        ]

    def _newcomer(self, number: int) -> str:
        return f"{self._name}-new-{number}"

    def _next_newcomer(self) -> str:
        self._newcomers += 1
        return self._newcomer(self._newcomers - 1)

    def _searched(self) -> Iterator[Request]:
        for taste, query in zip(cycle(self.people), varied_queries(self._films)):
            yield Request("/search", {"user_id": taste.user_id, "query": query, "k": K})

    def _swiped(self) -> Iterator[Request]:
        """Newcomers swipe twenty films each."""
        while True:
            user_id = self._next_newcomer()
            for place, film in enumerate(self._films[: LIKES + DISLIKES]):
                direction = "dislike" if place % 2 else "like"
                body = {"user_id": user_id, "item_id": film.item_id, "direction": direction}
                yield Request("/swipe", {**body, "session_id": None})

    def _surveyed(self) -> Iterator[Request]:
        while True:
            yield Request("/survey/start", {"user_id": self._next_newcomer()})

    def _asked_why(self) -> Iterator[Request]:
        for film, taste in product(self._films, self.people):
            if film not in (*taste.likes, *taste.dislikes):
                yield Request("/explain", {"user_id": taste.user_id, "item_id": film.item_id})


def history(taste: Taste) -> Request:
    """All swipes of somebody's in one request, as an export of Trakt's."""
    stars = [*((film, 10) for film in taste.likes), *((film, 1) for film in taste.dislikes)]
    rated = [{"rating": rating, "movie": _movie(film)} for film, rating in stars]
    content = base64.b64encode(json.dumps(rated).encode()).decode()
    body = {"site": "trakt", "name": "ratings-movies.json", "content": content, "confirm": True}
    return Request(f"/user/{taste.user_id}/history", body)


def _movie(film: Item) -> dict[str, object]:
    """A film as Trakt names it; by an id it is found at once."""
    ids = {"imdb": film.imdb_id, "tmdb": film.tmdb_id}
    return {"title": film.title, "year": film.year, "ids": ids}


class BaselineWorkload:
    """The same searches to the baseline, which is told the taste with each."""

    def __init__(self, films: Sequence[Item]) -> None:
        asked = zip(cycle(people(films)), varied_queries(films))
        self._requests = (Request("/search", told(taste, query)) for taste, query in asked)

    def round(self, size: int) -> list[Kind]:
        """``size`` new searches."""
        return [Kind(SEARCH, 5.0, list(islice(self._requests, size)))]


def told(taste: Taste, query: str) -> dict[str, Any]:
    """What the baseline is asked."""
    likes, dislikes = ([film.item_id for film in films] for films in taste[1:])
    return {"query": query, "likes": likes, "dislikes": dislikes, "k": K}
