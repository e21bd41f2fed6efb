"""The written dialogues that may be tuned on, held by the real planner over the real service."""

from pathlib import Path

import pytest

from assistant.dialogues import (
    Outcome,
    Turn,
    accuracies,
    hold,
    misunderstood,
    read_dialogues,
    report,
)
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest

FOLDER = Path(__file__).parents[1] / "dialogues"
LEAST = {"intents": 523 / 531, "references": 111 / 118, "slots": 247 / 257}
"""What was measured; the planner is deterministic."""


@pytest.fixture(scope="module")
def outcomes(recommender: Recommender, encoder: TextEncoder) -> list[Outcome]:
    return list(hold(read_dialogues(FOLDER / "development.txt"), recommender, encoder))


@pytest.mark.parametrize("what", sorted(LEAST))
def test_dialogues_are_understood(outcomes: list[Outcome], what: str) -> None:
    right, count = accuracies(outcomes)[what]
    assert right / count >= LEAST[what], "\n".join(misunderstood(outcomes))


def test_there_are_at_least_150_dialogues_and_no_two_alike() -> None:
    files = [read_dialogues(FOLDER / f"{name}.txt") for name in ("development", "held_out")]
    said = [tuple(turn.said for turn in d.turns) for file in files for d in file]
    assert len(said) == len(set(said)) >= 150
    assert sum(len(turns) > 1 for turns in said) >= len(said) / 3


def test_the_report_counts_what_went_wrong() -> None:
    right = Outcome(Turn("hi", "greet", {}), "talk", "greet")
    wrong = Outcome(Turn("1st?", "explain", {"place": "1"}), "talk", "search", {"place": False})
    assert accuracies([right, wrong]) == {
        "intents": (1, 2),
        "references": (0, 1),
        "turns: talk": (1, 2),
    }
    assert "| explain | search | 1 |" in report([right, wrong])
    assert list(misunderstood([right, wrong])) == ["'1st?': explain, found search ['place']"]


@pytest.mark.parametrize("text", ["hi => greet", "[a]\nhi greet", "[a]\n=> greet"])
def test_a_line_that_is_no_turn_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "d.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest, match="is no turn"):
        read_dialogues(path)
