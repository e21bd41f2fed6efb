import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import refusal
from assistant.cli import app
from fusion.evaluate.report import BEGIN, END
from tests.unit.evaluate_world import SMALL_PLAN, people, write_folder


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options that name a small MovieLens and an empty folder of runs."""
    monkeypatch.setattr("fusion.evaluate.harness.Plan", lambda: SMALL_PLAN)
    folder, catalogue = write_folder(tmp_path, people(40))
    return ["--data", f"{folder}", "--catalogue", f"{catalogue}", "--out", f"{tmp_path / 'runs'}"]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a package look as if it were not installed, and all others as if they were."""

    def hide(package: str) -> None:
        def found(name: str) -> object:
            return None if name == package else find_spec("json")

        monkeypatch.setattr(refusal, "find_spec", found)

    return hide


def evaluate(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["evaluate", *options])
    return result.exit_code, result.output


@pytest.mark.parametrize("package", ["matplotlib", "implicit"])
def test_a_missing_package_is_named_with_the_mend(
    world: list[str], without: Callable[[str], None], package: str
) -> None:
    without(package)
    code, said = evaluate(*world, "--only", "iALS")
    assert code == 2
    assert f"Packages are missing: {package}" in said
    assert "pip install -e '.[evaluate]'" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name an unpacked MovieLens folder"),
        (["--data", "nowhere"], "cannot be read"),
        (["--report-only"], "No run is stored"),
    ],
)
def test_what_can_be_mended_ends_in_one_line(
    tmp_path: Path, without: Callable[[str], None], options: list[str], message: str
) -> None:
    without("nothing")
    code, said = evaluate("--out", str(tmp_path), *options)
    assert code == 2
    assert message in said
    assert "Traceback" not in said


def test_an_unknown_peer_is_named(world: list[str], without: Callable[[str], None]) -> None:
    without("nothing")
    code, said = evaluate(*world, "--only", "oracle")
    assert code == 2
    assert "No peer is called oracle" in said


def test_peers_are_measured_and_reported(world: list[str], tmp_path: Path) -> None:
    pytest.importorskip("adjustText")
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    chosen = ["--only", "popularity", "--only", "EASE", "--only", "linear fusion"]
    code, said = evaluate(*world, *chosen, "--final", "--readme", str(readme))
    assert code == 0, said
    report = (tmp_path / "runs" / "report.md").read_text(encoding="utf-8")
    assert report.index("## Test strangers") < report.index("## Validation strangers")
    assert "**linear fusion**" in readme.read_text(encoding="utf-8")


def test_the_command_line_starts_without_the_evaluation() -> None:
    code = "import sys, assistant.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    assert "assistant.commands.evaluate" in modules
    assert not {m for m in modules if m.startswith(("fusion.evaluate", "matplotlib", "sklearn"))}
