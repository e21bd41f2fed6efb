"""What outlives the process that made it of the films: word indexes, arrays, what JSON can say."""

from collections.abc import Callable
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from recommender.kept import ARRAYS, DIGESTS, JSON, UNKEPT, Kept
from recommender.lexical import LexicalIndex
from recommender.models import Item
from recommender.text import FIELDS, index_terms

QUERIES = [["space"], ["heist", "twist"], ["robot", "love", "war"], ["nosuchword"], []]


@pytest.fixture
def films(starter_items: list[Item]) -> list[Item]:
    return starter_items[:200]


def uncounted(_item: Item) -> list[str]:
    raise AssertionError("words were counted again")


def assert_same(one: LexicalIndex, other: LexicalIndex) -> None:
    for query in QUERIES:
        assert np.array_equal(one.scores(query), other.scores(query))
        assert np.array_equal(one.holding(query), other.holding(query))


def the_folder(folder: Path) -> Path:
    (kept,) = folder.iterdir()
    return kept


def test_a_kept_index_answers_as_the_counted_one(films: list[Item], tmp_path: Path) -> None:
    counted = LexicalIndex(films)
    first = LexicalIndex(films, kept=Kept(tmp_path / "words", "films"))
    again = LexicalIndex(films, uncounted, Kept(tmp_path / "words", "films"))
    assert_same(counted, first)
    assert_same(counted, again)


def test_indexes_of_other_names_are_apart(films: list[Item], tmp_path: Path) -> None:
    kept = Kept(tmp_path, "films")
    whole = LexicalIndex(films, kept=kept)
    titles = LexicalIndex(films, FIELDS["title"], kept, "title")
    assert_same(titles, LexicalIndex(films, uncounted, kept, "title"))
    assert_same(whole, LexicalIndex(films, uncounted, kept))


def test_other_films_are_counted_and_take_the_place(films: list[Item], tmp_path: Path) -> None:
    LexicalIndex(films, kept=Kept(tmp_path, "films"))
    former = the_folder(tmp_path)
    fewer = LexicalIndex(films[:50], kept=Kept(tmp_path, "fewer films"))
    assert_same(fewer, LexicalIndex(films[:50]))
    assert the_folder(tmp_path) != former


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-8])


def change(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, change, Path.unlink])
def test_a_damaged_index_is_counted_anew(
    films: list[Item], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    counted = LexicalIndex(films, kept=Kept(tmp_path, "films"))
    names = sorted(file.name for file in the_folder(tmp_path).iterdir())
    assert len(names) == 6  # three arrays, words, parameters, digests
    for name in names:
        damage(the_folder(tmp_path) / name)
        asked = list[Item]()

        def terms(item: Item, asked: list[Item] = asked) -> list[str]:
            asked.append(item)
            return index_terms(item)

        assert_same(counted, LexicalIndex(films, terms, Kept(tmp_path, "films")))
        assert asked == films
        assert_same(counted, LexicalIndex(films, uncounted, Kept(tmp_path, "films")))


@pytest.mark.parametrize("content", ["[]", "{}", "5", '{"params.index.json": 1}'])
def test_an_index_that_does_not_say_what_it_holds_is_not_used(
    films: list[Item], tmp_path: Path, content: str
) -> None:
    counted = LexicalIndex(films, kept=Kept(tmp_path, "films"))
    (the_folder(tmp_path) / DIGESTS).write_text(content)
    assert_same(counted, LexicalIndex(films, kept=Kept(tmp_path, "films")))


def test_what_was_broken_off_is_cleared_away(films: list[Item], tmp_path: Path) -> None:
    (tmp_path / "whole-broken-off").mkdir()
    LexicalIndex(films, kept=Kept(tmp_path, "films"))
    assert the_folder(tmp_path).name != "whole-broken-off"


def test_where_nothing_can_be_written_words_are_counted(
    films: list[Item], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "words").write_text("a file, so no folder can be made")
    kept = Kept(tmp_path / "words", "films")
    assert_same(LexicalIndex(films), LexicalIndex(films, kept=kept))
    assert "made anew at each start" in caplog.text


def test_no_words_are_not_kept(tmp_path: Path) -> None:
    index = LexicalIndex([Item(item_id="1", title="It")], lambda _: [], Kept(tmp_path, "it"))
    assert not index.scores(["it"]).any()
    assert not list(tmp_path.iterdir())


def never() -> Never:
    raise AssertionError("it was made again")


def test_what_json_can_say_comes_back(tmp_path: Path) -> None:
    made = {"full": {"agnesvarda": 0, "Amélie": 1}, "parts": {"varda": [0]}, "none": []}
    assert Kept(tmp_path, "films").get("people", lambda: made, JSON) == made
    assert Kept(tmp_path, "films").get("people", never, JSON) == made


@pytest.mark.parametrize("first", [True, False])
def test_arrays_are_mapped_from_their_files(tmp_path: Path, first: bool) -> None:
    """Also by the one that made them, whose memory is free again."""
    made = {"text": np.eye(3, dtype=np.float32), "fused": np.zeros((0, 0), dtype=np.float32)}
    kept = Kept(tmp_path, "films").get("vectors", lambda: made, ARRAYS)
    if not first:
        kept = Kept(tmp_path, "films").get("vectors", never, ARRAYS)
    assert kept.keys() == made.keys()
    for name, array in made.items():
        assert np.array_equal(kept[name], array)
        assert kept[name].dtype == array.dtype
    assert not kept["text"].flags.writeable
    assert type(kept["text"]) is np.ndarray


@pytest.mark.parametrize("damage", [truncate, change, Path.unlink])
def test_damaged_arrays_are_made_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    made = {"text": np.arange(6, dtype=np.float32)}
    Kept(tmp_path, "films").get("vectors", lambda: made, ARRAYS)
    damage(the_folder(tmp_path) / "text.npy")
    again = Kept(tmp_path, "films").get("vectors", lambda: made, ARRAYS)
    assert np.array_equal(again["text"], range(6))
    assert np.array_equal(Kept(tmp_path, "films").get("vectors", never, ARRAYS)["text"], range(6))


def test_what_other_code_made_is_not_used(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "maker.py").write_text("LETTERS = 3\n")
    Kept(tmp_path / "cache", "films", code).get("words", lambda: ["one"], JSON)
    assert Kept(tmp_path / "cache", "films", code).get("words", never, JSON) == ["one"]
    (code / "maker.py").write_text("LETTERS = 4\n")
    assert Kept(tmp_path / "cache", "films", code).get("words", lambda: ["four"], JSON) == ["four"]


def test_a_server_that_was_quicker_is_not_disturbed(tmp_path: Path) -> None:
    def made_twice() -> list[str]:
        Kept(tmp_path, "films").get("words", lambda: ["quicker"], JSON)
        return ["slower"]

    assert Kept(tmp_path, "films").get("words", made_twice, JSON) == ["quicker"]
    assert Kept(tmp_path, "films").get("words", never, JSON) == ["quicker"]
    the_folder(tmp_path)  # and nothing beside it


def test_without_a_folder_nothing_is_kept() -> None:
    counted = iter(range(2))
    assert [UNKEPT.get("number", lambda: next(counted), JSON) for _ in range(2)] == [0, 1]
