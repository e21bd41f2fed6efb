"""The shipped model against the fp32 original it was made from, and damaged model folders."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fusion.errors import EncoderUnavailable, FusionError, ModelFilesCorrupt, ModelFilesMissing
from fusion.onnx_encoder import CARD, DEFAULT_MODEL, GRAPH, TOKENIZER, OnnxTextEncoder

REFERENCE = Path(__file__).parents[1] / "fixtures" / "minilm_fp32.npz"


@pytest.fixture(scope="module")
def encoder() -> OnnxTextEncoder:
    return OnnxTextEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_MODEL, tmp_path / "model"))


def test_int8_stays_near_fp32(encoder: OnnxTextEncoder) -> None:
    with np.load(REFERENCE) as reference:
        texts, expected = reference["texts"].tolist(), reference["vectors"].astype(np.float32)
    cosines = np.sum(encoder.encode(texts) * expected, axis=1)
    worst = texts[int(cosines.argmin())]
    assert cosines.min() >= 0.98, worst
    assert cosines.mean() >= 0.995


def test_only_the_first_256_tokens_count(encoder: OnnxTextEncoder) -> None:
    at_limit, past_it = encoder.encode(["film " * 254, "film " * 254 + "murder mystery"])
    below = encoder.encode(["film " * 100 + "murder mystery"])[0]
    np.testing.assert_array_equal(at_limit, past_it)
    assert not np.array_equal(at_limit, below)


def test_thread_count_does_not_change_the_vectors(encoder: OnnxTextEncoder) -> None:
    texts = ["a slow western about revenge", "space " * 60]
    np.testing.assert_allclose(
        OnnxTextEncoder(threads=2).encode(texts), encoder.encode(texts), atol=1e-6
    )


@pytest.mark.parametrize(
    "graph", sorted(DEFAULT_MODEL.parent.rglob("*.onnx")), ids=lambda path: path.parent.name
)
def test_graphs_say_nothing_of_the_machine_they_were_made_on(graph: Path) -> None:
    assert b"site-packages" not in graph.read_bytes()


def test_the_card_describes_the_model(encoder: OnnxTextEncoder) -> None:
    assert encoder.model_version == "minilm-l6-int8-1"
    assert encoder.card.licence == "Apache-2.0"
    assert encoder.card.max_tokens == 256


@pytest.mark.parametrize("name", [CARD, GRAPH, TOKENIZER])
def test_a_missing_file_is_named_with_its_mend(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFilesMissing, match=r"python -m fusion\.export") as caught:
        OnnxTextEncoder(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", [CARD, GRAPH, TOKENIZER])
def test_a_damaged_file_is_named_with_its_mend(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFilesCorrupt, match=r"python -m fusion\.export") as caught:
        OnnxTextEncoder(folder)
    assert str(folder / name) in str(caught.value)


def _forget_digest(card: dict[str, object]) -> None:
    card["sha256"] = {}


def _lose_field(card: dict[str, object]) -> None:
    del card["licence"]


def _no_dimensions(card: dict[str, object]) -> None:
    card["dim"] = 0


@pytest.mark.parametrize("damage", [_forget_digest, _lose_field, _no_dimensions])
def test_a_card_that_vouches_for_nothing_is_refused(
    folder: Path, damage: Callable[[dict[str, object]], None]
) -> None:
    card = json.loads((folder / CARD).read_text())
    damage(card)
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(ModelFilesCorrupt):
        OnnxTextEncoder(folder)


def test_a_folder_in_place_of_a_file_is_refused(folder: Path) -> None:
    (folder / TOKENIZER).unlink()
    (folder / TOKENIZER).mkdir()
    with pytest.raises(ModelFilesCorrupt):
        OnnxTextEncoder(folder)


def test_callers_can_catch_one_error_to_degrade() -> None:
    with pytest.raises(EncoderUnavailable) as caught:
        OnnxTextEncoder(Path("no") / "such" / "model")
    assert isinstance(caught.value, FusionError)


def test_nothing_is_told_to_the_makers_of_the_runtime(tmp_path: Path) -> None:
    """The runtime keeps the number it reports this machine by in its user's home."""
    code = "from fusion.onnx_encoder import OnnxTextEncoder as E; E(threads=1).encode(['a film'])"
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", code], env=environment | {"HOME": str(tmp_path)}, check=True
    )
    assert list(tmp_path.rglob("*")) == []
