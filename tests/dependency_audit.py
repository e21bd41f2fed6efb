"""``python -m tests.dependency_audit``: whether what is pinned has known vulnerabilities.

pip-audit asks PyPI. Exit code 1: some has, or, with ``--strict``, PyPI could not be asked of all.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

PINNED = Path(__file__).parents[1] / "constraints.txt"


def main(strict: bool = False, pinned: Path = PINNED) -> None:
    """Audit a file of pinned packages."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("pip-audit"),
            "--format=json",
            "--progress-spinner=off",
            "--disable-pip",
            "--no-deps",
            f"--requirement={pinned}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        typer.echo(f"PyPI could not be asked about {pinned.name}:\n{done.stderr.strip()}", err=True)
        if strict:
            raise typer.Exit(1)
        return
    packages = json.loads(done.stdout)["dependencies"]
    for line in (*vulnerable(packages), *unknown(packages)):
        typer.echo(line)
    if any(vulnerable(packages)) or (strict and any(unknown(packages))):
        raise typer.Exit(1)


def vulnerable(packages: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each vulnerability, with the versions that mend it."""
    for package in packages:
        for found in package.get("vulns", ()):
            mended = ", ".join(found["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {found['id']}, mended in {mended}"


def unknown(packages: list[dict[str, Any]]) -> Iterator[str]:
    """A line if there are packages that PyPI did not tell of."""
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        some = f"{', '.join(skipped[:3])}{' …' if skipped[3:] else ''}"
        yield f"PyPI told nothing of {len(skipped)} of {len(packages)} packages: {some}"


if __name__ == "__main__":
    typer.run(main)
