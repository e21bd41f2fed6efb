"""The evaluation of explanations, in a small world: it finds what is true, and what is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.commands.explanations import measure_explanations
from fusion.evaluate.data import load
from fusion.evaluate.harness import Harness, Plan
from fusion.evaluate.protocol import Interactions, Rating
from fusion.fake import HashingEncoder
from recommender import counterfactual, evidence
from recommender.evaluation.bench import Bench, prepare
from recommender.evaluation.faithfulness import LikedTogether, Told, gained, measure_faithfulness
from recommender.indexer import STARTER
from tests.unit.evaluate_world import people, write_folder

PLAN = Plan(validation_people=6, test_people=8, min_swipes=20, worded_at=20, draws=1)
LABELLED = Path(__file__).parents[1] / "explanations"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    world = write_folder(tmp_path_factory.mktemp("world"), people(40))
    harness = Harness(load(*world, min_ratings=1), PLAN)
    made = prepare(harness, world[1], HashingEncoder())
    return replace(made, tasks=[task for task in made.tasks if task.n_swipes == 20])


def shares(rows: list[list[str]]) -> dict[str, str]:
    """The share of true sentences by kind of evidence."""
    return {row[0]: row[3] for row in rows[1:]}


def test_what_templates_say_is_found_true(bench: Bench) -> None:
    told, _, misled = measure_faithfulness(bench)
    assert {"liked_film", "genre", "query", "counterfactual"} <= set(shares(told))
    assert set(shares(told).values()) == {"100.00%"}
    said, _, let_through, false = (int(cell.replace(",", "")) for cell in misled[1])
    assert 0 < let_through < said
    assert false == 0


def test_a_wrong_place_is_found_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def lying(title: str, place: int, other: int | None) -> str:
        return f"Without {title} among your likes it would be {other}th instead of {place + 1}th"

    monkeypatch.setattr(counterfactual, "_sentence", lying)
    assert shares(next(measure_faithfulness(bench)))["counterfactual"] == "0.00%"


def test_a_wrong_feeling_is_found_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    made = evidence._swiped_fact

    def lying(*about: object) -> evidence.Fact:
        fact = made(*about)  # type: ignore[arg-type]
        return fact._replace(text=fact.text.replace("which you liked", "which you disliked"))

    monkeypatch.setattr(evidence, "_swiped_fact", lying)
    assert shares(next(measure_faithfulness(bench)))["liked_film"] == "0.00%"


def test_the_checker_is_measured_on_labelled_sentences() -> None:
    page = measure_explanations(sorted(LABELLED.glob("*.txt")), None, STARTER, final=False)
    assert "| development | 33 | 33 | 59 | 0 | 100.0% | 100.0% |" in page
    assert "| held_out | 40 |" in page


def test_people_liked_two_films_together() -> None:
    """Of films a, b and c: who likes a likes b; c is liked by whoever likes everything."""
    likes = {1: "ab", 2: "ab", 3: "c", 4: "", 5: "", 6: "abc"}
    by_user = {
        user: [Rating("abc".index(film), 5.0, 0) for film in films] for user, films in likes.items()
    }
    together = LikedTogether(Interactions(3, by_user), ["a", "b", "c"])
    assert together("a", "b")
    assert not together("a", "c")


def test_what_co_likes_add_is_counted() -> None:
    def told(*kinds: str) -> list[Told]:
        return [Told(kind, True, kind) for kind in kinds]

    counted = gained([told("co_liked"), told("co_liked", "liked_film"), told("genre"), told()])
    assert counted[1] == ["4", "2", "1", "1"]
