"""What the people of a bench do."""

import base64
from itertools import islice

from assistant.bench.client import Request
from assistant.bench.workload import (
    CACHED,
    SEARCH,
    Taste,
    Workload,
    batches,
    history,
    people,
    varied_queries,
)
from recommender.history.exports import read_export
from recommender.models import Direction, Item


def test_only_searches_that_are_to_be_cached_come_twice(starter_items: list[Item]) -> None:
    workload = Workload(starter_items)
    rounds = [workload.round(30) for _ in range(3)]
    for kinds in rounds:
        by_name = {kind.name: kind.requests for kind in kinds}
        assert by_name.pop(CACHED) == by_name[SEARCH]
        assert all(len(requests) == 30 for requests in by_name.values())
    sent = [
        (request.path, str(request.body))
        for kinds in rounds
        for kind in kinds
        if kind.name != CACHED
        for request in kind.requests
    ]
    assert len(set(sent)) == len(sent)


def test_whoever_asked_is_forgotten_afterwards(starter_items: list[Item]) -> None:
    workload = Workload(starter_items)
    sent = [request for kind in workload.round(25) for request in kind.requests]
    known = [request.path.split("/")[2] for request in workload.before()]
    asked = {request.body["user_id"] for request in sent if request.body}
    gone = [request.path.split("/")[2] for request in workload.after()]
    assert {*asked, *known} <= {*gone}
    assert len(set(gone)) == len(gone)


def test_nobody_is_told_why_of_a_film_they_swiped(starter_items: list[Item]) -> None:
    workload = Workload(starter_items)
    swiped = {
        person.user_id: {film.item_id for film in (*person.likes, *person.dislikes)}
        for person in workload.people
    }
    explained = next(kind for kind in workload.round(200) if kind.name == "explain")
    for request in explained.requests:
        assert request.body is not None
        assert request.body["item_id"] not in swiped[request.body["user_id"]]


def test_people_have_ten_likes_and_ten_dislikes_and_are_always_the_same(
    starter_items: list[Item],
) -> None:
    for person in people(starter_items):
        ids = {film.item_id for film in (*person.likes, *person.dislikes)}
        assert (len(person.likes), len(person.dislikes), len(ids)) == (10, 10, 20)
    assert people(starter_items) == people(starter_items)


def test_queries_differ_until_none_is_left(starter_items: list[Item]) -> None:
    queries = list(varied_queries(starter_items[:40]))
    assert len(set(queries)) == len(queries) == 3 * 40
    one, other = batches(starter_items, 2, 50)
    assert [*one, *other] == list(islice(varied_queries(starter_items), 100))


def test_a_history_reads_as_likes_and_dislikes(starter_items: list[Item]) -> None:
    likes, dislikes = starter_items[:3], starter_items[3:5]
    request: Request = history(Taste("ada", likes, dislikes))
    assert request.path == "/user/ada/history"
    assert request.body is not None
    read = read_export("trakt", request.body["name"], base64.b64decode(request.body["content"]))
    assert [(film.title, film.direction) for film in read] == [
        *((film.title, Direction.LIKE) for film in likes),
        *((film.title, Direction.DISLIKE) for film in dislikes),
    ]
