"""A little tower learns the vectors of a bigger one, and is served beside it."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fusion.export import write_model
from fusion.network import QueryTower
from fusion.onnx_encoder import OnnxTextEncoder
from fusion.training.learners import load_transformer, tokenised
from fusion.training.loop import Pace
from fusion.training.short_texts import ShortTexts
from fusion.training.short_tower import SHORT_TOKENS, distil, main, shortened
from tests.unit.evaluate_world import films

# What PyTorch's exporter warns of is its own: what it uses, and a name that it gives twice.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LeafSpec:FutureWarning", "ignore:.*axis name:UserWarning"
)
TEXTS = ShortTexts([film.model_dump() for film in films()])


def tower(source: Path) -> QueryTower:
    whole: QueryTower = QueryTower(load_transformer(source)[1]).eval()
    return whole


def test_half_the_layers_learn_the_vectors_of_all(source: Path) -> None:
    tokenizer, _ = load_transformer(source)
    read = partial(tokenised, tokenizer, limit=SHORT_TOKENS)
    teacher, student = tower(source), shortened(tower(source), 2)
    assert len(student.transformer.encoder.layer) == 2

    def learned(steps: int) -> float:
        pace = Pace(steps=steps, batch=8, rate=1e-3)
        wanted = torch.no_grad()(lambda some: teacher(*read(some)))
        return distil(wanted, lambda some: student(*read(some)), student, TEXTS, pace)

    before = learned(1)
    assert learned(60) > before + (1 - before) / 2


def test_a_folder_gets_a_tower_that_is_served(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, catalogue = tmp_path / "model", tmp_path / "films.jsonl"
    tokenizer, _ = load_transformer(source)
    about = {"name": "little", "version": "1", "source": "here", "licence": "none"}
    write_model(tower(source), tokenizer, folder, dim=384, max_tokens=64, **about)
    catalogue.write_text("\n".join(film.model_dump_json() for film in films()))
    main(folder, [catalogue], source, steps=3, threads=1)
    card = (folder / "short.md").read_text(encoding="utf-8")
    assert "Learned in 3 steps" in card
    assert card in capsys.readouterr().out
    both = OnnxTextEncoder(folder)
    whole = both.with_all_layers()
    long, short = "a heist in a bank vault " * 6, "a heist"
    np.testing.assert_array_equal(both.encode([long]), whole.encode([long]))
    assert not np.array_equal(both.encode([short]), whole.encode([short]))
