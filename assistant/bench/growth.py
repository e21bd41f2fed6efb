"""How cost grows with a person's swipes."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from assistant.bench.client import Client, Request
from assistant.bench.data import Home, real
from assistant.bench.figures import People, Person, timing
from assistant.bench.load import SystemClock, closed_loop
from assistant.bench.processes import Server
from assistant.bench.workload import EXPLAIN, SEARCH, SWIPE, K, Taste, history, varied_queries
from recommender.features import FEATURES, ITEMS
from recommender.models import Item
from recommender.tables import read_items_table

SWIPES = (10, 100, 1_000, 5_000)
PROFILE = "profile"
WARM_UP = 5


def people_fit(sizes: Sequence[int]) -> int:
    """The fewest films of which nobody swipes more than half; else the most."""
    return min((size for size in sizes if size >= 2 * SWIPES[-1]), default=max(sizes))


def measure_people(server: Server, home: Home, count: int, say: Callable[[str], None]) -> People:
    """One person after the other, each request after the one before."""
    films = read_items_table(home.catalogue / FEATURES / ITEMS)
    measured = []
    with Client(server.url) as client:
        for swipes in SWIPES:
            if 2 * swipes <= len(films):
                say(f"{home.films:,} films: somebody with {swipes:,} swipes")
                measured.append(_person(client, server, films, swipes, count))
    return People(films=home.films, people=tuple(measured))


def _person(
    client: Client, server: Server, films: Sequence[Item], swipes: int, count: int
) -> Person:
    user_id = f"bench-{uuid.uuid4()}"
    liked, disliked, unseen = films[:swipes:2], films[1:swipes:2], films[swipes:]
    client.send(history(Taste(user_id, liked, disliked)))
    timings = []
    for name, requests in _kinds(user_id, unseen).items():
        for request in islice(requests, WARM_UP):
            client.send(request)
        times = closed_loop(list(islice(requests, count)), client.send, SystemClock())
        timings.append(timing(name, [times]))
    resident = server.weight.now
    client.send(Request(f"/user/{user_id}", method="DELETE"))
    return Person(swipes=swipes, timings=tuple(timings), resident=resident)


def _kinds(user_id: str, unseen: Sequence[Item]) -> dict[str, Iterator[Request]]:
    """What is asked; swipes last, as they change the person."""
    them = {"user_id": user_id}
    searches = ({**them, "query": query, "k": K} for query in varied_queries(real()))
    swipes = (
        {**them, "item_id": film.item_id, "direction": "like", "session_id": None}
        for film in unseen
    )
    return {
        SEARCH: (Request("/search", body) for body in searches),
        EXPLAIN: (Request("/explain", {**them, "item_id": film.item_id}) for film in unseen),
        PROFILE: (Request(f"/user/{user_id}/profile", method="GET") for _ in unseen),
        SWIPE: (Request("/swipe", body) for body in swipes),
    }
