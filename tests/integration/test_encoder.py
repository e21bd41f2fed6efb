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

from fusion.encoder import Vectors
from fusion.errors import EncoderUnavailable, FusionError, ModelFilesCorrupt, ModelFilesMissing
from fusion.onnx_encoder import (
    CARD,
    DEFAULT_MODEL,
    GRAPH,
    SHORT_GRAPH,
    TOKENIZER,
    OnnxTextEncoder,
)

REFERENCE = Path(__file__).parents[1] / "fixtures" / "minilm_fp32.npz"


@pytest.fixture(scope="module")
def encoder() -> OnnxTextEncoder:
    return OnnxTextEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_MODEL, tmp_path / "model"))


@pytest.fixture(scope="module")
def whole(encoder: OnnxTextEncoder) -> OnnxTextEncoder:
    return encoder.with_all_layers()


@pytest.fixture(scope="module")
def reference() -> tuple[list[str], Vectors]:
    """Texts, and the vectors of the fp32 original."""
    with np.load(REFERENCE) as stored:
        return stored["texts"].tolist(), stored["vectors"].astype(np.float32)


def test_int8_stays_near_fp32(whole: OnnxTextEncoder, reference: tuple[list[str], Vectors]) -> None:
    texts, expected = reference
    cosines = np.sum(whole.encode(texts) * expected, axis=1)
    worst = texts[int(cosines.argmin())]
    assert cosines.min() >= 0.98, worst
    assert cosines.mean() >= 0.995


def test_what_people_say_is_read_nearly_as_by_the_whole_model(
    encoder: OnnxTextEncoder, reference: tuple[list[str], Vectors]
) -> None:
    pairs = zip(*reference, strict=True)
    texts, expected = zip(*((t, v) for t, v in pairs if 3 <= len(t.split()) <= 14), strict=True)
    cosines = np.sum(encoder.encode(texts) * np.array(expected), axis=1)
    assert len(texts) > 100
    assert cosines.mean() >= 0.92
    assert np.percentile(cosines, 5) >= 0.83


def test_long_texts_are_read_by_the_whole_model(
    encoder: OnnxTextEncoder, whole: OnnxTextEncoder
) -> None:
    at_limit, past_it = "film " * 30, "film " * 31  # and a token at either end
    short, long = encoder.encode([at_limit, past_it])
    assert not np.array_equal(short, whole.encode([at_limit])[0])
    np.testing.assert_array_equal(long, whole.encode([past_it])[0])


def test_a_model_without_a_tower_for_short_texts_reads_them_itself(
    folder: Path, whole: OnnxTextEncoder
) -> None:
    card = json.loads((folder / CARD).read_text())
    del card["short_tokens"]
    (folder / CARD).write_text(json.dumps(card))
    (folder / SHORT_GRAPH).unlink()
    np.testing.assert_array_equal(
        OnnxTextEncoder(folder).encode(["heist"]), whole.encode(["heist"])
    )


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


@pytest.mark.parametrize("name", [CARD, GRAPH, SHORT_GRAPH, TOKENIZER])
def test_a_missing_file_is_named_with_its_mend(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFilesMissing, match=r"python -m fusion\.export") as caught:
        OnnxTextEncoder(folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", [CARD, GRAPH, SHORT_GRAPH, TOKENIZER])
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
