"""The space that films and people share, and the card that names it: kept whole or refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusion.errors import ModelFilesCorrupt, ModelFilesMissing
from fusion.evaluate.data import Film
from fusion.facts import FactVocabulary
from fusion.item_space import FILE, ItemSpace, film_key, load_item_space
from fusion.onnx_fusion import CARD, GRAPH, SPACE_FOLDER, read_card
from fusion.regression import RidgeModel
from tests.models_folder import text_space, write_models
from tests.unit.evaluate_world import films

DIM, TEXT = 6, 8


def space(seed: int, rated: int, known: list[Film]) -> ItemSpace:
    rng = np.random.default_rng(seed)
    facts = FactVocabulary.of(known)
    return ItemSpace(
        tuple(film_key(film) for film in known[:rated]),
        rng.normal(size=(rated, DIM)).astype(np.float32),
        facts,
        RidgeModel(rng.normal(size=(TEXT + len(facts.names), DIM)), rng.normal(size=DIM)),
    )


titles = st.text(min_size=1, max_size=12).filter(lambda text: "\0" not in text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 999), st.integers(0, 40), titles)
def test_a_space_comes_back_as_it_was_saved(
    tmp_path: Path, seed: int, rated: int, title: str
) -> None:
    known = [film.model_copy(update={"title": f"{title}{film.item_id}"}) for film in films()]
    saved = space(seed, rated, known)
    saved.save(tmp_path / FILE)
    read = load_item_space(tmp_path / FILE)
    assert (read.keys, read.facts) == (saved.keys, saved.facts)
    np.testing.assert_allclose(read.vectors, saved.vectors, rtol=1e-3, atol=1e-4)
    texts = np.random.default_rng(seed).normal(size=(40, TEXT)).astype(np.float32)
    placed, before = read.place(known, texts), saved.place(known, texts)
    np.testing.assert_allclose(placed, before, rtol=0.01, atol=0.02)
    np.testing.assert_array_equal(placed[:rated], read.vectors)


def test_a_film_of_the_same_id_and_another_name_is_another_film() -> None:
    known = films()
    made = space(0, 40, known)
    texts = np.zeros((40, TEXT), np.float32)
    others = [film.model_copy(update={"title": "Another"}) for film in known]
    assert not np.isclose(made.place(others, texts), made.vectors).all(axis=1).any()


def test_saving_the_same_space_gives_the_same_version(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        space(3, 5, films()).save(tmp_path / name)
    versions = {load_item_space(tmp_path / name).version for name in ("a.npz", "b.npz")}
    space(4, 5, films()).save(tmp_path / "c.npz")
    assert len(versions) == 1
    assert load_item_space(tmp_path / "c.npz").version not in versions


def test_a_missing_space_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesMissing, match=re.escape(f"{tmp_path / FILE} is missing")):
        load_item_space(tmp_path / FILE)


@pytest.mark.parametrize("kept", [0, 10, 300, -40])
def test_a_damaged_space_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / FILE
    text_space(DIM).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelFilesCorrupt, match=re.escape(f"{path} is unusable")):
        load_item_space(path)


class TestReadCard:
    @pytest.fixture
    def fusion(self, tmp_path: Path) -> Path:
        """The folder of a whole model."""
        return write_models(tmp_path) / "embedding-fusion"

    def test_a_whole_folder_is_read(self, fusion: Path) -> None:
        assert read_card(fusion).name == "blend"

    @pytest.mark.parametrize("name", [CARD, GRAPH])
    def test_a_missing_file_is_named(self, fusion: Path, name: str) -> None:
        (fusion / name).unlink()
        with pytest.raises(ModelFilesMissing, match=re.escape(f"{fusion / name} is missing")):
            read_card(fusion)

    def test_a_missing_space_is_named(self, fusion: Path) -> None:
        path = fusion.parent / SPACE_FOLDER.name / FILE
        path.unlink()
        with pytest.raises(ModelFilesMissing, match=re.escape(f"{path} is missing")):
            read_card(fusion)

    def test_a_changed_file_is_named(self, fusion: Path) -> None:
        with (fusion / GRAPH).open("ab") as file:
            file.write(b"!")
        with pytest.raises(ModelFilesCorrupt, match=r"fusion\.onnx is unusable: its SHA-256"):
            read_card(fusion)

    def test_another_space_is_refused(self, fusion: Path) -> None:
        text_space(DIM).save(fusion.parent / SPACE_FOLDER.name / FILE)
        with pytest.raises(ModelFilesCorrupt, match="was trained for another item space"):
            read_card(fusion)

    @pytest.mark.parametrize("card", [b"", b"{}", b"[1]", b"\xff", b'{"name": 3}'])
    def test_a_card_that_is_none_is_named(self, fusion: Path, card: bytes) -> None:
        (fusion / CARD).write_bytes(card)
        with pytest.raises(ModelFilesCorrupt, match=r"fusion\.json is unusable"):
            read_card(fusion)
