"""Own swipes as what is learned from: the log's lines out, ratings in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.data import DataUnusable
from fusion.evaluate.protocol import Rating
from fusion.training.people import MIN_PEOPLE, divide
from fusion.training.swipe_log import LoggedSwipe, read_swipe_log, write_swipe_log
from recommender.stores.memory import MemorySwipeLog
from recommender.stores.ports import NewSwipe
from recommender.swipe_export import everyones_swipes
from tests.unit.evaluate_world import people, write_folder

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def log(*said: tuple[str, str, str]) -> MemorySwipeLog:
    """User, film and action, a minute apart."""
    swipes = MemorySwipeLog()
    for minute, (user, film, action) in enumerate(said):
        moment = NOON + timedelta(minutes=minute)
        swipes.append(NewSwipe(user, film, action, None, moment))
    return swipes


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """Forty films whose ids are 0 to 39, in that order."""
    return write_folder(tmp_path, people(1))[1]


def written(tmp_path: Path, swipes: Iterator[LoggedSwipe]) -> Path:
    path = tmp_path / "swipes.jsonl"
    write_swipe_log(path, swipes)
    return path


def test_what_is_exported_reads_as_ratings(tmp_path: Path, catalogue: Path) -> None:
    swipes = log(
        ("ann", "3", "like"),
        ("bob", "4", "dislike"),
        ("ann", "5", "skip"),
        ("ann", "1", "dislike"),
        ("ann", "6", "like"),
        ("ann", "6", "undo"),
        ("bob", "4", "like"),
        ("bob", "no longer there", "like"),
    )
    read = read_swipe_log(written(tmp_path, everyones_swipes(swipes)), catalogue).everyone
    start = int(NOON.timestamp())
    assert read.n_items == 40
    assert sorted(read.by_user.values(), key=len, reverse=True) == [
        [Rating(3, 5.0, start), Rating(1, 1.0, start + 180)],
        [Rating(4, 5.0, start + 360)],
    ]


def test_an_export_names_nobody_and_joins_with_no_other(tmp_path: Path) -> None:
    swipes = log(("ann", "3", "like"), ("ann", "4", "like"), ("bob", "3", "dislike"))
    first, second = ([s.person for s in everyones_swipes(swipes)] for _ in range(2))
    assert first[0] == first[1] != first[2]
    assert not {*first, "ann", "bob"} & {*second}
    assert "ann" not in written(tmp_path, everyones_swipes(swipes)).read_text()


def test_the_count_of_lines_is_given(tmp_path: Path) -> None:
    swipes = log(("ann", "3", "like"), ("ann", "4", "skip"))
    assert write_swipe_log(tmp_path / "swipes.jsonl", everyones_swipes(swipes)) == 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match=r"nowhere/swipes\.jsonl cannot be written"):
        write_swipe_log(tmp_path / "nowhere" / "swipes.jsonl", everyones_swipes(log()))


GOOD = {"person": "a", "item_id": "3", "direction": "like", "swiped_at": "2026-11-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ("", "Expecting value"),
        ("[]", "dictionary"),
        (json.dumps({**GOOD, "direction": "love"}), "direction: Input should be"),
        (json.dumps({**GOOD, "swiped_at": "2026-11-01T12:00:00"}), "swiped_at: .*timezone"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "item_id"}), "item_id: Field required"),
        (json.dumps({**GOOD, "rating": 5}), "rating: Extra inputs"),
    ],
)
def test_a_malformed_line_is_named_with_the_mend(
    tmp_path: Path, catalogue: Path, line: str, problem: str
) -> None:
    path = tmp_path / "swipes.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{line}\n", encoding="utf-8")
    with pytest.raises(DataUnusable, match=f"line 2 is no swipe: .*{problem}.*export-swipes"):
        read_swipe_log(path, catalogue)


def test_a_file_of_another_encoding_is_named(tmp_path: Path, catalogue: Path) -> None:
    path = tmp_path / "swipes.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataUnusable, match="cannot be read"):
        read_swipe_log(path, catalogue)


def test_nothing_but_skips_is_nothing_to_learn_from(tmp_path: Path, catalogue: Path) -> None:
    path = written(tmp_path, everyones_swipes(log(("ann", "3", "skip"))))
    with pytest.raises(DataUnusable, match="no like and no dislike"):
        read_swipe_log(path, catalogue)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=30))
def test_every_opinion_stands_once(said: list[tuple[str, str]]) -> None:
    swipes = log(*((user, film, "like") for user, film in said))
    exported = [(swipe.person, swipe.item_id) for swipe in everyones_swipes(swipes)]
    assert len(exported) == len(set(exported)) == len(set(said))


def test_strangers_are_a_tenth_but_five_at_least() -> None:
    for count, strangers in [(MIN_PEOPLE, 5), (80, 8), (1000, 60)]:
        found = divide(people(count))
        assert len(found.strangers.by_user) == strangers
        assert len(found.learned_from.by_user) == count - strangers
        assert not set(found.strangers.by_user) & set(found.learned_from.by_user)


def test_those_the_evaluation_tests_on_can_be_left_out() -> None:
    everyone = people(600)
    kept, all_of_them = divide(everyone, hold_out=True), divide(everyone)
    assert kept.strangers == all_of_them.strangers
    assert len(kept.learned_from.by_user) == 600 - 60 - 130


def test_too_few_people_are_refused() -> None:
    with pytest.raises(DataUnusable, match=r"24 people .* 25 at least"):
        divide(people(24))
