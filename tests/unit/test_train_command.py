"""``reelwise train`` and ``reelwise export-swipes`` as far as they go without torch."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import refusal
from assistant.cli import app
from assistant.commands import train as train_command
from recommender.stores.memory import memory_stores
from recommender.stores.ports import Stores
from tests.unit.evaluate_world import people, write_folder
from tests.unit.test_swipe_log import log


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All packages look as if they were there; what is wrong is told before any is needed."""
    monkeypatch.setattr(refusal, "find_spec", lambda _name: find_spec("json"))
    monkeypatch.setattr(train_command, "_plan", lambda *_options: None)


def train(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["train", *options])
    return result.exit_code, result.output


def test_missing_packages_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        refusal, "find_spec", lambda name: None if name == "torch" else find_spec("json")
    )
    code, said = train("--data", f"{tmp_path}")
    assert code == 2
    assert "Packages are missing: torch. Install them with: pip install -e '.[train]'" in said


@pytest.mark.usefixtures("installed")
class TestBadInput:
    def test_no_data_is_named(self) -> None:
        assert train() == (
            2,
            "reelwise: Name an unpacked MovieLens folder or a file of swipes with --data.\n",
        )

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        code, said = train("--data", f"{tmp_path / 'nowhere'}")
        assert code == 2
        assert "nowhere is not there" in said

    def test_a_missing_catalogue_is_named(self, tmp_path: Path) -> None:
        folder, _ = write_folder(tmp_path, people(30))
        code, said = train("--data", f"{folder}", "--catalogue", f"{tmp_path / 'no.jsonl'}")
        assert code == 2
        assert "no.jsonl cannot be read" in said

    def test_a_folder_without_ratings_is_named(self, tmp_path: Path) -> None:
        code, said = train("--data", f"{tmp_path}")
        assert code == 2
        assert "ratings.csv cannot be read" in said

    @pytest.mark.parametrize(
        ("ratings", "named"),
        [
            ("userId,movieId\n1,2\n", "lacks the columns rating, timestamp"),
            ("userId,movieId,rating,timestamp\n", "has 15 ratings"),
        ],
    )
    def test_unusable_ratings_are_named(self, tmp_path: Path, ratings: str, named: str) -> None:
        (tmp_path / "ratings.csv").write_text(ratings, encoding="utf-8")
        code, said = train("--data", f"{tmp_path}")
        assert code == 2
        assert named in said

    def test_too_few_people_are_counted(self, tmp_path: Path) -> None:
        folder, catalogue = write_folder(tmp_path, people(24))
        code, said = train("--data", f"{folder}", "--catalogue", f"{catalogue}")
        assert code == 2
        assert "24 people" in said

    def test_a_malformed_swipe_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "swipes.jsonl").write_text("nonsense\n", encoding="utf-8")
        code, said = train("--data", f"{tmp_path / 'swipes.jsonl'}")
        assert code == 2
        assert "line 1 is no swipe" in said

    def test_a_folder_may_hold_the_swipes(self, tmp_path: Path) -> None:
        (tmp_path / "swipes.jsonl").write_text("nonsense\n", encoding="utf-8")
        assert "line 1 is no swipe" in train("--data", f"{tmp_path}")[1]

    def test_sagemakers_channel_is_the_default(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SM_CHANNEL_TRAIN", f"{tmp_path / 'channel'}")
        assert "channel is not there" in train()[1]

    @pytest.mark.parametrize("option", [("--steps", "0"), ("--only", "both"), ("--seed", "x")])
    def test_other_options_are_refused(self, option: tuple[str, str]) -> None:
        assert train(*option)[0] == 2


def test_generated_ratings_take_the_place_of_the_real_ones(tmp_path: Path) -> None:
    folder, catalogue = write_folder(tmp_path, people(60))
    material = train_command._material(folder, catalogue, hold_out=False, generated=2500)
    groups = (material.people.learned_from, material.people.strangers)
    rated = [ratings for group in groups for ratings in group.by_user.values()]
    assert sum(map(len, rated)) == 2500
    assert len(rated) > 60
    assert material.about.data == "Ratings drawn from a model of: MovieLens"


def test_sagemakers_variables_are_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def trained(*options: object) -> dict[str, object]:
        seen.extend(options)
        return {}

    monkeypatch.setattr(train_command, "need", lambda *_modules: None)
    monkeypatch.setattr(train_command, "_plan", lambda *options: seen.extend(options))
    monkeypatch.setattr(train_command, "_material", lambda *options: seen.extend(options))
    monkeypatch.setattr(train_command, "_trained", trained)
    channel = tmp_path / "train"
    channel.mkdir()
    for name, value in {
        "SM_CHANNEL_TRAIN": channel,
        "SM_MODEL_DIR": tmp_path / "model",
        "SM_HP_STEPS": 7,
        "SM_HP_SEED": 3,
        "SM_HP_ONLY": "token",
        "SM_HP_HOLD_OUT": "true",
    }.items():
        monkeypatch.setenv(name, f"{value}")
    assert train()[0] == 0
    assert seen[:3] == [7, 3, None]
    assert (seen[3], seen[5:7]) == (channel, [True, None])
    assert seen[9:] == [tmp_path / "model", Path("/opt/ml/checkpoints"), None, "token"]


def test_checkpoints_lie_beside_the_models_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SM_MODEL_DIR", raising=False)
    assert train_command._default_checkpoints() is None


def test_swipes_are_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = replace(memory_stores(), swipes=log(("ann", "3", "like"), ("bob", "4", "skip")))

    @contextmanager
    def opened(*_settings: object) -> Iterator[Stores]:
        yield stores

    monkeypatch.setattr(train_command, "open_stores", opened)
    path = tmp_path / "swipes.jsonl"
    result = CliRunner().invoke(app, ["export-swipes", "--out", f"{path}"])
    assert result.exit_code == 0
    assert "Wrote 2 swipes" in result.output
    assert len(path.read_text().splitlines()) == 2


def test_the_command_line_starts_without_the_training() -> None:
    code = "import sys, assistant.cli; print([m for m in ('torch', 'fusion.training.loop', "
    code += "'fusion.evaluate.data') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "[]"
