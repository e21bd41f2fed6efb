"""The dependency audit fails for what is vulnerable, and says what it could not find out."""

import json
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer

from tests import dependency_audit

SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}
BROKEN = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": []}],
}
SKIPPED = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


def answering(monkeypatch: pytest.MonkeyPatch, folder: Path, packages: list[object] | None) -> None:
    """Have pip-audit say this; None: it cannot reach PyPI."""
    said = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    program = folder / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\necho no network >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("sys.executable", str(folder / "python"))


@pytest.mark.parametrize(
    ("packages", "strict", "fails"),
    [
        ([SOUND], True, False),
        ([SOUND, BROKEN], False, True),
        ([SOUND, SKIPPED], False, False),
        ([SOUND, SKIPPED], True, True),
        (None, False, False),
        (None, True, True),
    ],
)
def test_whether_it_fails(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    packages: list[object] | None,
    strict: bool,
    fails: bool,
) -> None:
    answering(monkeypatch, tmp_path, packages)
    with pytest.raises(typer.Exit) if fails else nullcontext():
        dependency_audit.main(strict=strict)


def test_what_mends_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, tmp_path, [BROKEN, SKIPPED])
    with pytest.raises(typer.Exit):
        dependency_audit.main()
    said = capsys.readouterr().out
    assert "jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2" in said
    assert "PyPI told nothing of 1 of 2 packages: ours" in said
