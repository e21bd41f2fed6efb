"""Runs on disk: one JSON file a peer, in `out`/validation and `out`/test."""

import re
from pathlib import Path

from pydantic import ValidationError

from fusion.evaluate.data import DataUnusable
from fusion.evaluate.harness import Run


def path_of(peer: str, measured_on: str, out: Path) -> Path:
    """Where the run of a peer is stored: `out`/`measured_on`/`peer`.json."""
    slug = re.sub(r"[^a-z0-9]+", "-", peer.lower()).strip("-")
    return out / measured_on / f"{slug}.json"


def store(run: Run, out: Path) -> Path:
    """Write a run over an earlier one of the peer; a stopped program leaves the earlier one."""
    path = path_of(run.peer, run.measured_on, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(run.model_dump_json() + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def read_run(path: Path) -> Run:
    """Read one stored run.

    Raises:
        DataUnusable: the file is no run, or one of an earlier form.
    """
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise DataUnusable(f"{path} is no run of this version; delete it. {error}") from error


def read_runs(folder: Path) -> list[Run]:
    """Read the stored runs of a folder, `out`/test or `out`/validation; none if it is not there.

    Raises:
        DataUnusable: a file is no run.
    """
    return [read_run(path) for path in sorted(folder.glob("*.json"))]
