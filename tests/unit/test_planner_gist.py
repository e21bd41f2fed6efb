"""Whole conversations read as one search, over a few films."""

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from assistant.planner.gist import GistReader
from recommender.catalogue import Catalogue
from recommender.models import Direction, Item, SearchRequest

FILMS = [
    Item(item_id="alien", title="Alien", year=1979, genres=("Horror",), rating_count=9),
    Item(item_id="heat", title="Heat", year=1995, genres=("Crime",), rating_count=8),
    Item(item_id="it", title="It", year=2017, genres=("Horror",), rating_count=8),
    Item(item_id="cats", title="Cats", year=2019, genres=("Musical",), rating_count=7),
    Item(item_id="alice", title="Alice in Wonderland", year=1951, rating_count=6),
    Item(item_id="alice-10", title="Alice in Wonderland", year=2010, rating_count=5),
]
READER = GistReader(Catalogue(FILMS))
LIKE, DISLIKE = Direction.LIKE, Direction.DISLIKE


def request(*said: str) -> SearchRequest:
    """The request for what two say in turn, the person last."""
    mine = len(said) % 2
    messages: list[BaseMessage] = [
        HumanMessage(text) if n % 2 != mine else AIMessage(text) for n, text in enumerate(said)
    ]
    return READER.request(messages, "somebody", 10)


@pytest.mark.parametrize(
    ("said", "films"),
    [
        (["I loved Alien and hated Cats."], {"alien": LIKE, "cats": DISLIKE}),
        (["The last film I saw was Heat."], {"heat": LIKE}),
        (["Have you seen Heat?", "Yes, I loved it."], {"heat": LIKE}),
        (["Have you seen Heat?", "I hated it."], {"heat": DISLIKE}),
        (["Have you seen Heat?", "No. What is it about?"], {}),
        (["I have never seen Heat."], {}),
        (["I loved Heat.", "Really?", "No, I hated Heat."], {"heat": DISLIKE}),
        (["i liked alice in wonderland (2010)"], {"alice-10": LIKE}),
        (["i watched alice in wonderland (1951) last week"], {"alice": LIKE}),
        (["Saw Heat last night. It was good."], {"heat": LIKE}),
        (["The scariest of all was It."], {"it": LIKE}),
        (["Hello!", "Hello!"], {}),
    ],
)
def test_named_films_are_likes_unless_the_person_says_otherwise(
    said: list[str], films: dict[str, Direction]
) -> None:
    if len(said) % 2 == 0:
        said = ["Hi.", *said]
    assert request(*said).mentions == films


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        (["I want a horror film.", "Sure.", "Okay, thanks."], "I want a horror film."),
        (["A horror film?", "Alien.", "Or a musical?"], "Or a musical?"),
        (["Alien", "It is good.", "Hello?"], ""),
        (["Alien", "A musical is better.", "No."], ""),
    ],
)
def test_the_latest_wish_of_the_person_stands(said: list[str], wish: str) -> None:
    assert request(*said).query == wish
