"""The stack that Reelwise is held against, on little films."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from assistant.bench.baseline import Ask, Baseline, create_app
from assistant.bench.parts import measure
from assistant.bench.workload import batches
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.onnx_encoder import OnnxTextEncoder
from recommender.features import write_features
from recommender.indexer import STARTER, STARTER_VECTORS, read_items, read_vectors
from recommender.models import Item
from tests.conftest import new_database

FILMS = 80


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory, encoder: TextEncoder) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    films, known = read_items(STARTER)[:FILMS], read_vectors(STARTER_VECTORS)
    write_features(str(folder), films, encoder, known, survey_size=20)
    return folder


@pytest.fixture(scope="module")
def baseline(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return Baseline(catalogue, tmp_path_factory.mktemp("chroma"))


@pytest.fixture
def films(starter_items: list[Item]) -> list[Item]:
    return starter_items[:FILMS]


def test_it_finds_films_by_their_words(baseline: Baseline, films: list[Item]) -> None:
    film = films[0]
    rows = baseline.words.best(f"{film.title} {film.overview}")
    assert rows[0] == 0


def test_it_finds_films_by_their_meaning(baseline: Baseline, films: list[Item]) -> None:
    for row in (3, 17):
        vector = baseline.encoder.encode(films[row].overview)
        assert row in baseline.vicinity.best(vector)[:3]


def test_its_encoder_is_the_one_that_ships_in_full_precision(baseline: Baseline) -> None:
    whole = OnnxTextEncoder().with_all_layers()
    text = "a heist that goes wrong"
    vector = baseline.encoder.encode(text)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert float(vector @ whole.encode([text])[0]) > 0.99


def test_likes_and_dislikes_are_read(baseline: Baseline, films: list[Item]) -> None:
    asked = Ask(query="a comedy", likes=[films[0].item_id], dislikes=[films[1].item_id], k=5)
    text = baseline.text(asked)
    headings = [text.index(part) for part in ("[QUERY] a comedy", "[LIKES]", "[DISLIKES]")]
    assert headings == sorted(headings)
    assert text.index("[LIKES]") < text.index(films[0].title) < text.index("[DISLIKES]")
    assert films[1].title in text[text.index("[DISLIKES]") :]


def test_it_serves_the_best_of_both(baseline: Baseline, films: list[Item]) -> None:
    client = TestClient(create_app(baseline))
    asked = Ask(query=films[5].overview, likes=[], dislikes=[], k=10)
    found = client.post("/search", json=asked.model_dump()).json()
    assert len(found) == 10
    assert found[0]["item_id"] == films[5].item_id
    scores = [each["score"] for each in found]
    assert scores == sorted(scores, reverse=True)


def test_what_chroma_holds_is_not_put_in_again(
    catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Baseline(catalogue, tmp_path / "chroma")
    monkeypatch.setattr("chromadb.Collection.add", None)
    again = Baseline(catalogue, tmp_path / "chroma")
    assert len(again.vicinity.best(again.encoder.encode("anything"))) == 60


@pytest.fixture
def settings(
    postgres_url: str, indexed_template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    with new_database(postgres_url, indexed_template) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield Settings()


def test_parts_are_measured_in_turns(
    baseline: Baseline, settings: Settings, starter_items: list[Item]
) -> None:
    parts = measure(batches(starter_items, 3, 2), baseline, settings)
    assert len(parts) == 4
    for part in parts:
        assert (part.ours.count, part.baseline.count) == (4, 4)
        assert len(part.ours.runs) == len(part.baseline.runs) == 2
