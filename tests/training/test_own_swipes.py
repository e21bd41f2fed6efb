"""``reelwise train`` as a program, on swipes of two tastes: stopped, gone on with, and served."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from fusion.evaluate.data import read_films
from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.item_space import FILE, load_item_space
from fusion.onnx_encoder import OnnxTextEncoder
from fusion.onnx_fusion import SPACE_FOLDER, load_fusion
from tests.unit.evaluate_world import people, write_folder


def write_swipes(folder: Path) -> tuple[Path, Path]:
    """40 people: those of one camp like films of even numbers, those of the other odd ones."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "person": f"p{person}",
            "item_id": f"{film}",
            "direction": "like" if film % 2 == person % 2 else "dislike",
            "swiped_at": f"2026-11-01T12:{minute:02}:00Z",
        }
        for person in range(40)
        for minute, film in enumerate(rng.permutation(40)[:25].tolist())
    ]
    path = folder / "swipes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path, write_folder(folder, people(1))[1]


def test_a_stopped_training_goes_on_and_serves_either_camp(source: Path, tmp_path: Path) -> None:
    swipes, catalogue = write_swipes(tmp_path)
    options = {"--data": swipes, "--catalogue": catalogue, "--out": tmp_path / "models"}
    options |= {"--source": source, "--only": Path("embedding"), "--steps": Path("30")}
    words = [f"{word}" for option in options.items() for word in option]
    command = [sys.executable, "-m", "assistant.cli", "train", *words, "--threads", "1"]
    said = stopped(command)
    assert "run the same command to go on" in said
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # 1: random weights may not survive int8
    assert "Learning from 35 people, calibrating on 5 others" in done.stderr
    assert "step 0 of 30" not in done.stderr
    assert "Swipes of this installation" in (
        tmp_path / "models" / "embedding-fusion" / "README.md"
    ).read_text(encoding="utf-8")
    for camp in (0, 1):
        assert {film % 2 for film in first_ten(tmp_path / "models", catalogue, camp)} == {camp}


def stopped(command: list[str]) -> str:
    """Start, ask to stop at the first step, and give what was said."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "step 0 of 30" in line:
                process.send_signal(signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM, said
    return said


def first_ten(models: Path, catalogue: Path, camp: int) -> list[int]:
    """What somebody who liked three films of a camp, and disliked one of the other, sees first."""
    films = read_films(catalogue)
    texts = OnnxTextEncoder().encode([film.text for film in films])
    items = load_item_space(models / SPACE_FOLDER.name / FILE).place(films, texts)
    swiped = [(camp, True), (camp + 2, True), (camp + 4, True), (1 - camp, False)]
    asked = FusionInput(
        swipes=tuple(SwipedFilm(f"{k}", films[k].title, items[k], liked) for k, liked in swiped)
    )
    scores = items @ load_fusion(models / "embedding-fusion").fuse(asked).vector
    scores[[k for k, _ in swiped]] = -np.inf
    best: list[int] = np.argsort(-scores)[:10].tolist()
    return best
