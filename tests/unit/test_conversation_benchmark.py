"""The benchmark's files and rules, on dialogues that are nobody's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from fusion.evaluate.data import DataUnusable
from recommender.catalogue import Catalogue
from recommender.evaluation.conversations import Turn, Utterance, read_turns
from recommender.evaluation.recall import (
    NOT_FOUND,
    popular,
    rank_films,
    ranked_by_words,
    recall_tables,
)
from recommender.models import Item
from tests.unit.evaluate_world import people, write_folder

NAMES = {
    "<http://dbpedia.org/resource/Heat_(1995_film)>": 7,
    "<http://dbpedia.org/resource/The_Insider_(film)>": 8,
    "<https://www.imdb.com/title/Alien>": 9,
    "<http://dbpedia.org/resource/Film_4>": 4,
}
ASKED = {
    "context": ["", "Hello!", "I loved Heat (1995)", "Me too.", "What else is there?"],
    "resp": "The Insider (1999), or Alien.",
    "rec": [8, 9],
    "entity": [8, 9, 50],
    "prev_entity": [7, 9, 51],
    "dialog_id": "one",
    "turn_id": "one_4",
    "is_user": 0,
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the turns of a benchmark beside the films' names."""

    def turns(*lines: dict[str, Any] | str, names: dict[str, int] | None = NAMES) -> Path:
        path = tmp_path / "test.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        if names is not None:
            (tmp_path / "entity2id.json").write_text(json.dumps(names), encoding="utf-8")
        return path

    return turns


def test_what_was_named_before_is_seen_and_no_recommendation(write: Write) -> None:
    assert read_turns(write(ASKED)) == [
        Turn(
            "one",
            (
                Utterance(by_seeker=False, text="Hello!"),
                Utterance(by_seeker=True, text="I loved Heat (1995)"),
                Utterance(by_seeker=False, text="Me too."),
                Utterance(by_seeker=True, text="What else is there?"),
            ),
            films=("insider",),
            seen=frozenset({"heat", "alien"}),
        )
    ]


def test_only_the_recommender_recommends(write: Write) -> None:
    later = ASKED | {"dialog_id": "two"}
    assert [turn.dialogue for turn in read_turns(write(ASKED | {"is_user": 1}, later))] == ["two"]


def test_a_turn_that_names_nothing_new_is_none(write: Write) -> None:
    with pytest.raises(DataUnusable, match="no turn in which a film is recommended"):
        read_turns(write(ASKED | {"rec": [9]}))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "line 1 is no turn of the benchmark"),
        ({"context": ["Hi"]}, "line 1 is no turn of the benchmark"),
        (ASKED | {"rec": [1000]}, "entity2id.json has no name for 1000"),
    ],
)
def test_what_is_no_turn_is_named(write: Write, line: Any, says: str) -> None:  # noqa: ANN401
    with pytest.raises(DataUnusable, match=says):
        read_turns(write(line))


def test_turns_without_names_are_refused(write: Write) -> None:
    with pytest.raises(DataUnusable, match="names are published beside the turns"):
        read_turns(write(ASKED, names=None))


def item(title: str, rating_count: int = 0, **facts: Any) -> Item:  # noqa: ANN401
    return Item(item_id=title, title=title, rating_count=rating_count, **facts)


CATALOGUE = Catalogue(
    [item("Alien", 9), item("Heat", 8, tags=("heist",)), item("The Insider", 7), item("Cats", 6)]
)


def turn(dialogue: str, *films: str, seen: frozenset[str] = frozenset(), words: str = "") -> Turn:
    return Turn(dialogue, (Utterance(by_seeker=True, text=words),), films, seen)


def test_seen_films_leave_their_places_to_the_others() -> None:
    turns = [turn("a", "insider", "up", seen=frozenset({"alien"})), turn("b", "alien")]
    ranks = rank_films(turns, popular(CATALOGUE), CATALOGUE)
    assert ranks.ranks.tolist() == [2, NOT_FOUND, 1]
    assert ranks.known.tolist() == [True, False, True]
    assert ranks.dialogues.tolist() == [0, 0, 1]


def test_films_that_the_catalogue_lacks_are_misses_and_the_share_is_stated() -> None:
    turns = [turn("a", "alien"), turn("b", "up")]
    everything, covered = recall_tables(turns, {"famous": popular(CATALOGUE)}, CATALOGUE)
    assert everything[0][0] == "all 2 films"
    assert covered[0][0] == "1 of 2 films (50%) are in the catalogue"
    assert [row[1][:5] for row in (everything[1], covered[1])] == ["0.500", "1.000"]


def test_recall_counts_places_and_mrr_their_inverse() -> None:
    turns = [turn("a", "insider"), turn("b", "cats")]
    row = rank_films(turns, popular(CATALOGUE), CATALOGUE).row(covered=False)
    assert [cell[:5] for cell in row] == ["0.000", "1.000", "1.000", f"{(1 / 3 + 1 / 4) / 2:.3f}"]


def test_intervals_are_over_dialogues_and_not_over_films() -> None:
    one = [turn("a", "alien"), turn("b", "cats"), *[turn("c", "alien")] * 8]
    ten = [turn(f"{n}", "cats" if n == 1 else "alien") for n in range(10)]
    widths = []
    for turns in (one, ten):
        found = rank_films(turns, popular(CATALOGUE), CATALOGUE).row(covered=False)[0]
        low, high = found.partition("[")[2].rstrip("]").split(", ")
        assert found.startswith("0.900")
        widths.append(float(high) - float(low))
    assert widths[0] > 2 * widths[1]


def test_bm25_reads_the_seeker_and_answers_with_what_shares_a_word() -> None:
    found = ranked_by_words(CATALOGUE)(turn("a", "heat", words="a heist, please"))
    assert [film.title for film in found] == ["Heat"]


def test_the_command_measures_the_product_against_the_simple_ways(
    write: Write, tmp_path: Path
) -> None:
    _, catalogue = write_folder(tmp_path, people(2))
    said = {"context": ["", "Hi", "I loved Film 8. A drama?"], "rec": [4], "prev_entity": []}
    path = write(ASKED | said)
    options = ["--conversations", str(path), "--catalogue", str(catalogue)]
    done = CliRunner().invoke(app, ["evaluate", *options])
    assert done.exit_code == 0, done.output
    rows = [line.split(" | ") for line in done.output.splitlines() if line.startswith("| ")]
    ways = [row[0].removeprefix("| ") for row in rows]
    assert ways.count("**Reelwise**") == ways.count("popularity") == 2
    ours = rows[ways.index("**Reelwise**")]
    assert ours[3].startswith("1.000"), "one of ten dramas is among the first fifty"


def test_a_file_that_is_not_there_is_named() -> None:
    done = CliRunner().invoke(app, ["evaluate", "--conversations", "nowhere.jsonl"])
    assert done.exit_code == 2
    assert "cannot be read" in done.output
