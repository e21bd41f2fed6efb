"""How films and queries become words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.models import Item
from recommender.text import STOP_WORDS, embedding_text, fold, index_terms, index_text, terms

FILM = Item(
    item_id="1",
    title="Cléo from 5 to 7",
    year=1962,
    genres=("Drama",),
    director=("Agnès Varda",),
    cast=("A", "B", "C", "D", "Fifth Actor"),
    tags=("real time", "paris"),
    overview="A singer waits for a result.",
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "amelie"),
        ("WALL·E", "wall·e"),
        ("ＦＵＬＬ", "full"),
        ("Ночной", "ночнои"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_fold_twice_is_fold_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_terms_are_stemmed_content_words_with_repeats() -> None:
    assert terms("The robots, a ROBOT and robot's!") == ["robot", "robot", "robot"]
    assert terms("Amélie") == terms("amelie")
    assert terms("snake_case") == terms("snake case")
    assert terms("🎬 ... !?") == []


@given(st.text())
def test_terms_of_anything_are_words(text: str) -> None:
    assert all(term and " " not in term and "'" not in term for term in terms(text))


def test_stop_words_are_written_as_they_are_looked_up() -> None:
    assert all(fold(word) == word for word in STOP_WORDS)


def test_a_tag_of_stop_words_is_no_word() -> None:
    film = Item(item_id="1", title="Cube", tags=("over there", "locked room"))
    assert "" not in index_terms(film)
    assert "lock_room" in index_terms(film)


def test_embedding_text_tells_all_facts() -> None:
    text = embedding_text(FILM)
    assert text.startswith("Cléo from 5 to 7 (1962). Drama. real time, paris. A singer waits")
    assert "Directed by Agnès Varda." in text
    assert text.endswith("With A, B, C, D")
    assert ".." not in text


def test_texts_of_a_film_without_facts() -> None:
    bare = Item(item_id="1", title="Untitled")
    assert embedding_text(bare) == "Untitled"
    assert terms(index_text(bare)) == index_terms(bare) == ["untitl", "untitl"]


def test_a_film_is_found_by_every_field() -> None:
    words = set(terms(index_text(FILM)))
    for query in ("cleo", "varda", "fifth actor", "paris", "drama", "1962", "1960s", "singer"):
        assert set(terms(query)) <= words
