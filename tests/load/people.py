"""People who use REST: each swipes, searches, asks why and looks at the profile."""

import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any

from aiohttp import ClientResponse, ClientSession

from assistant.bench.workload import varied_queries
from recommender.indexer import STARTER, read_items
from tests.load.samples import Failed, Refused

Action = tuple[str, Callable[[], Awaitable[None]]]
Json = dict[str, Any]

SWIPES_BEFORE = (0, 2, 6, 10, 18, 30)
"""How often people have swiped when the run begins: new, known a little, known well."""
MIX = {"swipe": 50, "search": 30, "explain": 15, "profile": 5}
"""How often each action is taken, of a hundred."""
DIRECTIONS = {"like": 5, "dislike": 3, "skip": 2}
WISHES = 2000
K = 10


def wishes() -> list[str]:
    """What people ask for; some ask for nothing in particular."""
    return [*islice(varied_queries(read_items(STARTER)), WISHES), *[""] * (WISHES // 10)]


def turned_away(response: ClientResponse) -> bool:
    """Whether it says when to come back."""
    return response.status in (429, 503) and "Retry-After" in response.headers


async def answer(response: ClientResponse) -> Json:
    """The JSON of a success. Raises Refused or Failed."""
    if turned_away(response):
        await response.read()
        raise Refused(f"{response.status}")
    if response.status != 200:
        raise Failed(f"{response.status}: {(await response.text())[:150]}")
    body: Json = await response.json()
    return body


class Person:
    """Somebody with a taste and a last answer, on a connection shared with the others."""

    def __init__(
        self, http: ClientSession, name: str, films: Sequence[str], wishes: Sequence[str]
    ) -> None:
        self._http = http
        self.name = name
        self._wishes = wishes
        self._rng = random.Random(name)
        self._films = self._rng.sample(films, len(films))
        self._shown: list[str] = []
        self._query = ""

    def next_action(self) -> Action:
        """What they do next: its kind, and how."""
        (kind,) = self._rng.choices(list(MIX), list(MIX.values()))
        return kind, getattr(self, kind)

    async def swipe(self) -> None:
        """Say what they think of a film, of those they were shown or any other."""
        film = self._shown.pop() if self._shown else self._films.pop()
        self._films.insert(0, film)
        (direction,) = self._rng.choices(list(DIRECTIONS), list(DIRECTIONS.values()))
        await self._ask("/swipe", {"item_id": film, "direction": direction})

    async def search(self) -> None:
        """Ask in words."""
        self._query = self._rng.choice(self._wishes)
        found = await self._ask("/search", {"query": self._query, "k": K})
        self._shown = [film["item_id"] for film in found["items"]]

    async def explain(self) -> None:
        """Ask why a film is there."""
        film = self._rng.choice(self._shown or self._films)
        await self._ask("/explain", {"item_id": film, "query": self._query})

    async def profile(self) -> None:
        """Look at what is believed of them."""
        async with self._http.get(f"/user/{self.name}/profile") as response:
            await answer(response)

    async def _ask(self, path: str, body: Json) -> Json:
        async with self._http.post(path, json={"user_id": self.name, **body}) as response:
            return await answer(response)
