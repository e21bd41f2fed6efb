"""``reelwise evaluate --system`` and ``reelwise tune`` in a small world, and what they refuse."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.cli import app
from fusion.evaluate.harness import Plan
from tests.unit.evaluate_world import people, write_folder


class SmallPlan(Plan):
    validation_people: int = 4
    test_people: int = 4
    min_swipes: int = 20
    draws: int = 1
    tuned_at: tuple[int, ...] = (5,)
    worded_at: int = 5


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options that name forty films and the people who rated them."""
    monkeypatch.setattr("fusion.evaluate.harness.Plan", SmallPlan)
    folder, catalogue = write_folder(tmp_path, people(40))
    return ["--data", str(folder), "--catalogue", str(catalogue)]


def reelwise(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_the_system_is_measured_and_the_figures_stored(world: list[str], tmp_path: Path) -> None:
    out = tmp_path / "runs"
    options = ["--system", "--only", "generic", "--out", str(out)]
    done = reelwise("evaluate", *world, *options)
    assert done.exit_code == 0, done.output
    page = (out / "system-validation.md").read_text()
    assert page.count("| preference vector |") == page.count("| generic |") == 4
    stored = json.loads((out / "system-validation.json").read_text())
    assert stored["plan"]["draws"] == 1
    assert {result["scorer"] for result in stored["results"]} == {"preference vector", "generic"}


def test_tuning_prints_each_step_and_marks_those_taken(world: list[str]) -> None:
    done = reelwise("tune", *world, "--only", "ranking.prior_alone", "--sweeps", "1")
    assert done.exit_code == 0, done.output
    first, *rest = done.stdout.splitlines()
    assert first.startswith("* ")
    tried = [json.loads(line.partition(": ")[2])["ranking"]["prior_alone"] for line in rest]
    assert tried == [0.3, 0.6, 2.0, 3.0]


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["evaluate", "--system"], "--data"),
        (["evaluate", "--system", "--data", "nowhere", "--only", "magic"], "field weights"),
        (["evaluate", "--system", "--data", "nowhere"], "ratings.csv"),
        (["tune", "--data", "nowhere"], "ratings.csv"),
        (["tune", "--data", "nowhere", "--only", "magic"], "magic"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_the_mend(words: list[str], mend: str) -> None:
    done = reelwise(*words)
    assert done.exit_code == 2
    assert mend in done.stderr
