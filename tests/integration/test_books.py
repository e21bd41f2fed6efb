"""Nothing in the recommender is about films: a small catalogue of books, the same service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.composition import Fusions
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.importing.mapped import read_mapped, read_mapping
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.indexer import sync_index
from recommender.models import Direction, Filters, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.postgres import Database, postgres_stores
from tests.conftest import new_database

BOOKS = Path(__file__).parents[1] / "fixtures" / "books"


@pytest.fixture(scope="module")
def books() -> list[Item]:
    report = Report()
    with Source(BOOKS / "books.jsonl") as source:
        items = read_mapped(source, read_mapping(BOOKS / "books.toml"), report)
    assert not report.faults
    return items


@pytest.fixture(scope="module")
def library(
    postgres_url: str, books: list[Item], encoder: TextEncoder, fusions: Fusions
) -> Iterator[Recommender]:
    """The real service over books alone."""
    with new_database(postgres_url) as url:
        database = Database(url)
        database.migrate()
        stores = postgres_stores(database, max_cache_entries=1000)
        sync_index(books, stores.items, encoder, lambda *_: None, {}, fusions.space)
        yield Recommender(stores, encoder, RecommenderSettings(), fusions=fusions.encoders)
        database.close()


def titles(library: Recommender, request: SearchRequest) -> list[str]:
    return [item.title for item in library.search(request).items]


def test_the_catalogue_is_the_books(books: list[Item]) -> None:
    assert len(books) >= 60
    persuasion = next(book for book in books if book.title == "Persuasion")
    assert persuasion.director == ("Jane Austen",)
    assert (persuasion.year, persuasion.genres) == (1817, ("Romance", "Classic"))
    assert persuasion.rating_mean == 4.2


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("vampire in an old castle", "Dracula"),
        ("detective on a train in the snow", "Murder on the Orient Express"),
        ("The Hobbit", "The Hobbit"),
        ("stranded on mars", "The Martian"),
    ],
)
def test_words_find_books(library: Recommender, user_id: str, query: str, first: str) -> None:
    assert titles(library, SearchRequest(user_id=user_id, query=query, k=3))[0] == first


def test_an_author_finds_their_books(library: Recommender, user_id: str) -> None:
    found = titles(library, SearchRequest(user_id=user_id, query="by jane austen", k=4))
    assert set(found) == {"Pride and Prejudice", "Sense and Sensibility", "Emma", "Persuasion"}


def test_a_book_is_written_by_its_author(library: Recommender, user_id: str) -> None:
    [first, *_] = library.search(SearchRequest(user_id=user_id, query="by jane austen")).items
    assert first.credit == "Written by"
    assert "Written by Jane Austen, as you asked" in first.reason
    persuasion, emma = (
        next(book.item_id for book in library.films() if book.title == title)
        for title in ("Persuasion", "Emma")
    )
    for number in range(3):
        library.record_swipe(f"{user_id}-{number}", persuasion, Direction.LIKE)
    request = SearchRequest(user_id=user_id, query="", similar_to=(persuasion,), k=20)
    reasons = next(i for i in library.search(request).items if i.item_id == emma).reason
    assert any("written by Jane Austen" in reason for reason in reasons)
    said = library.explain(user_id, emma, "by jane austen").explanation
    assert "Written by Jane Austen" in said
    assert "irected" not in " ".join((*reasons, said))


def test_years_before_cinema_can_be_asked_for(library: Recommender, user_id: str) -> None:
    filters = Filters(year_from=1811, year_to=1818)
    request = SearchRequest(user_id=user_id, query="", k=5, filters=filters)
    assert set(titles(library, request)) == {
        "Pride and Prejudice",
        "Sense and Sensibility",
        "Emma",
        "Persuasion",
        "Frankenstein",
    }
    answer = library.search(SearchRequest(user_id=user_id, query="books from the 1810s", k=5))
    assert (answer.understood.filters.year_from, answer.understood.filters.year_to) == (1810, 1819)
    assert all(1810 <= (item.year or 0) <= 1819 for item in answer.items)


def test_genres_that_no_film_has_can_be_asked_for(library: Recommender, user_id: str) -> None:
    filters = Filters(include_genres=("Gothic",), exclude_genres=("Horror",))
    request = SearchRequest(user_id=user_id, query="", k=20, filters=filters)
    found = library.search(request).items
    assert found
    assert all("Gothic" in b.genres and "Horror" not in b.genres for b in found)
    understood = library.search(SearchRequest(user_id=user_id, query="gothic", k=5)).understood
    assert understood.filters.include_genres == ("Gothic",)
    refused = SearchRequest(user_id=user_id, query="science fiction, no classics", k=5)
    understood = library.search(refused).understood
    assert understood.filters.include_genres == ("Science Fiction",)
    assert understood.filters.exclude_genres == ("Classic",)


def test_a_survey_learns_a_taste_that_searches_and_explanations_rest_on(
    library: Recommender, books: list[Item], user_id: str
) -> None:
    by_id = {book.item_id: book for book in books}
    survey = library.start_survey(user_id, 20, seed=3)
    assert len(survey.movies) == 20
    for _ in range(20):
        step = library.next_card(user_id, survey.session_id)
        if step.movie is None:
            break
        liked = "Science Fiction" in by_id[step.movie.item_id].genres
        direction = Direction.LIKE if liked else Direction.DISLIKE
        library.record_swipe(user_id, step.movie.item_id, direction, session_id=survey.session_id)
    profile = library.profile(user_id)
    assert profile.swipe_count >= 8
    assert profile.top_genres[0].name == "Science Fiction"
    answer = library.search(SearchRequest(user_id=user_id, query="", k=5))
    assert not {item.item_id for item in answer.items} & library.reactions(user_id).keys()
    share = sum("Science Fiction" in item.genres for item in answer.items) / 5
    usual = sum("Science Fiction" in book.genres for book in books) / len(books)
    assert share > usual
    explained = library.explain(user_id, answer.items[0].item_id)
    assert explained.title == answer.items[0].title
    assert any("Science Fiction" in evidence.text for evidence in explained.evidence)


def test_undoing_and_forgetting_work_as_for_films(
    library: Recommender, books: list[Item], user_id: str
) -> None:
    library.record_swipe(user_id, books[0].item_id, Direction.LIKE)
    assert library.undo_swipe(user_id).swipe_count == 0
    library.forget_user(user_id)
    assert library.profile(user_id).swipe_count == 0
