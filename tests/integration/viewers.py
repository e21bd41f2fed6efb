"""Simulated viewers for tests."""

from collections.abc import Mapping, Sequence

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.models import Direction, Item, SearchRequest, SearchResult

SCI_FI, ROMANCE = "Sci-Fi", "Romance"


def opinions(catalogue: Catalogue, loved: str, loathed: str, count: int = 20) -> dict[str, str]:
    """What a lover of one genre says of well-known films: two likes, then a dislike, and so on."""
    lovely = _of(catalogue, loved, loathed)
    awful = _of(catalogue, loathed, loved)
    return {
        (awful if number % 3 == 2 else lovely).pop(0).item_id: (
            "dislike" if number % 3 == 2 else "like"
        )
        for number in range(count)
    }


def _of(catalogue: Catalogue, genre: str, other: str) -> list[Item]:
    """The best known films that are mostly of this genre, and not of the other."""
    films = [item for item in catalogue.items if genre in item.genres and len(item.genres) <= 3]
    return [item for item in films if other not in item.genres]


def tell(recommender: Recommender, user_id: str, said: Mapping[str, str]) -> None:
    for item_id, direction in said.items():
        recommender.record_swipe(user_id, item_id, Direction(direction))


def look(recommender: Recommender, user_id: str, query: str = "", **asked: object) -> SearchResult:
    request = SearchRequest.model_validate({"user_id": user_id, "query": query} | asked)
    return recommender.search(request)


def ids(result: SearchResult) -> list[str]:
    return [item.item_id for item in result.items]


def films(recommender: Recommender, result: SearchResult) -> list[Item]:
    return [recommender.item(item.item_id) for item in result.items]


def ranking(result: SearchResult) -> list[tuple[str, float]]:
    return [(item.item_id, item.score) for item in result.items]


def share(items: Sequence[Item], genre: str) -> float:
    return sum(genre in item.genres for item in items) / len(items)
