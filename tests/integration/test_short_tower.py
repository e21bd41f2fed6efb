"""The tower of few layers that the shipped encoders share."""

import gc
import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np
import onnxruntime as ort
import pytest

from fusion import short_tower
from fusion.encoder import Vectors
from fusion.errors import EncoderUnavailable, ModelFilesCorrupt
from fusion.onnx_encoder import CARD, DEFAULT_MODEL, SHORT_GRAPH, OnnxTextEncoder
from fusion.onnx_fusion import MODELS, TEXT_FOLDER
from fusion.onnx_session import embedded

FUSION_TEXT = MODELS / "embedding-fusion" / TEXT_FOLDER


@dataclass
class Reader:
    """What the tower reads with: counts, waits for ``go``, and fails so many times."""

    failures: int = 0
    texts: int = 0
    begun: Event = field(default_factory=Event)
    go: Event = field(default_factory=Event)

    def __call__(self, session: ort.InferenceSession, ids: np.ndarray) -> Mapping[str, Vectors]:
        self.texts += 1
        self.begun.set()
        assert self.go.wait(60)
        if self.texts <= self.failures:
            raise EncoderUnavailable("as the test wants")
        return embedded(session, ids)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    reader = Reader()
    monkeypatch.setattr(short_tower, "embedded", reader)
    yield reader
    reader.go.set()


def test_the_shipped_encoders_read_a_short_text_once(reader: Reader) -> None:
    reader.go.set()
    words, fused = OnnxTextEncoder(), OnnxTextEncoder(FUSION_TEXT)
    texts = ["a heist in Paris, read once"] * 2
    mine, theirs = words.encode(texts), fused.encode(texts)
    assert reader.texts == 1
    assert not np.allclose(mine, theirs)
    for encoder, vectors in (words, mine), (fused, theirs):
        whole = encoder.with_all_layers().encode(texts)
        assert np.sum(vectors * whole, axis=1).min() > 0.85


def test_who_asks_while_a_text_is_read_waits_for_that(reader: Reader) -> None:
    words, fused = OnnxTextEncoder(), OnnxTextEncoder(FUSION_TEXT)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(words.encode, ["robots that are lonely, at once"])
        assert reader.begun.wait(60)
        second = pool.submit(fused.encode, ["robots that are lonely, at once"])
        reader.go.set()
        assert first.result(60).shape == second.result(60).shape
    assert reader.texts == 1


def test_a_text_that_could_not_be_read_is_read_again(reader: Reader) -> None:
    reader.go.set()
    reader.failures = 1
    encoder = OnnxTextEncoder()
    with pytest.raises(EncoderUnavailable, match="as the test wants"):
        encoder.encode(["an odd couple, twice"])
    assert encoder.encode(["an odd couple, twice"]).any()
    assert reader.texts == 2


def test_encoders_that_are_gone_leave_no_tower_behind() -> None:
    gc.collect()
    before = len(short_tower._OPEN)
    encoder = OnnxTextEncoder(threads=7)
    assert len(short_tower._OPEN) == before + 1
    del encoder
    gc.collect()
    assert len(short_tower._OPEN) == before


def test_a_tower_of_other_models_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEFAULT_MODEL, tmp_path / "model"))
    card = json.loads((folder / CARD).read_text()) | {"name": "somebody-elses"}
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(ModelFilesCorrupt, match="not of 'somebody-elses'") as refused:
        OnnxTextEncoder(folder)
    assert str(folder / SHORT_GRAPH) in str(refused.value)
