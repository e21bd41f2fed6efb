"""A little tower learns the vectors of a bigger one, and is served beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fusion.export import add_short, write_model
from fusion.network import QueryTower, SharedTower
from fusion.onnx_encoder import SHORT_GRAPH, OnnxTextEncoder
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
ABOUT = {"version": "1", "source": "here", "licence": "none", "dim": 384, "max_tokens": 64}


def tower(source: Path) -> QueryTower:
    whole: QueryTower = QueryTower(load_transformer(source)[1]).eval()
    return whole


@pytest.fixture
def folders(source: Path, tmp_path: Path) -> list[Path]:
    """Two models of one tokenizer that make different vectors."""
    tokenizer, _ = load_transformer(source)
    first, second = tower(source), tower(source)
    with torch.no_grad():
        second.transformer.encoder.layer[-1].output.dense.bias += torch.linspace(-1, 1, 384)
    written = []
    for name, model in ("first", first), ("second", second):
        write_model(model, tokenizer, tmp_path / name, name=name, **ABOUT)
        written.append(tmp_path / name)
    return written


def test_half_the_layers_learn_the_vectors_of_two_models(source: Path) -> None:
    tokenizer, _ = load_transformer(source)
    teacher = tower(source)
    student = SharedTower(shortened(load_transformer(source)[1], 2), 2).eval()
    assert len(student.transformer.encoder.layer) == 2

    def wanted(some: Sequence[str]) -> list[Tensor]:
        with torch.no_grad():
            vectors = teacher(*tokenised(tokenizer, some, SHORT_TOKENS))
        return [vectors, vectors.flip(1)]  # the second model's are its, the other way round

    def learned(steps: int) -> float:
        made = lambda some: student(*tokenised(tokenizer, some, SHORT_TOKENS))  # noqa: E731
        return distil(wanted, made, student, TEXTS, Pace(steps=steps, batch=8, rate=1e-3))

    before = learned(1)
    assert learned(60) > before + (1 - before) / 2


def test_folders_get_a_tower_that_they_share(
    source: Path, folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = tmp_path / "films.jsonl"
    catalogue.write_text("\n".join(film.model_dump_json() for film in films()))
    main(folders, [catalogue], source, steps=3, threads=1)
    printed = capsys.readouterr().out
    for folder in folders:
        card = (folder / "short.md").read_text(encoding="utf-8")
        assert "Learned in 3 steps" in card
        assert card in printed
        both = OnnxTextEncoder(folder)
        whole = both.with_all_layers()
        long, short = "a heist in a bank vault " * 6, "a heist"
        np.testing.assert_array_equal(both.encode([long]), whole.encode([long]))
        assert not np.array_equal(both.encode([short]), whole.encode([short]))
    first, second = ((folder / SHORT_GRAPH).read_bytes() for folder in folders)
    assert first == second


def test_models_of_one_name_share_no_tower(source: Path, folders: list[Path]) -> None:
    tokenizer, _ = load_transformer(source)
    shared = SharedTower(shortened(load_transformer(source)[1], 2), 2).eval()
    with pytest.raises(ValueError, match="their own names"):
        add_short(shared, tokenizer, [folders[0], folders[0]], SHORT_TOKENS)
