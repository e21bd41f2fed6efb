"""Bedrock's embeddings on the wire: how it is asked, how it fails, and an index made by it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner, Result

from assistant.cli import app
from assistant.composition import text_encoder
from assistant.settings import Settings
from fusion.bedrock_encoder import AT_ONCE, ATTEMPTS, MODEL, BedrockTextEncoder
from fusion.circuit import FAILURES_TO_OPEN
from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.indexer import sync_index
from recommender.models import Direction, Item, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.postgres import Database, postgres_stores
from recommender.stores.postgres.schema import items_of
from tests.conftest import new_database
from tests.fusion_container import aws_environment
from tests.scripted_endpoint import (
    PATIENT,
    Handler,
    ScriptedEndpoint,
    aws_error,
    break_off,
    hang,
    patience,
    quote_request,
    reply,
    reset,
)
from tests.titan import answer, embed, titan

SECRET = "the user's own words"


@pytest.fixture
def server() -> Iterator[ScriptedEndpoint]:
    with titan() as server, aws_environment() as patch:
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        yield server


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long botocore would have slept before trying again."""
    slept: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=slept.append))
    return slept


@pytest.fixture
def embedder(server: ScriptedEndpoint) -> BedrockTextEncoder:  # noqa: ARG001
    return BedrockTextEncoder(256, timeout=PATIENT)


def test_the_model_is_asked_in_its_own_terms(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder
) -> None:
    embedder.encode(["a heist"])
    (request,) = server.requests
    assert request.path == f"/model/{MODEL.replace(':', '%3A')}/invoke"
    assert json.loads(request.body) == {
        "inputText": "a heist",
        "dimensions": 256,
        "normalize": True,
    }
    assert request.headers["accept"] == request.headers["content-type"] == "application/json"
    assert embedder.model_version == f"{MODEL}-256"


@pytest.mark.parametrize("text", ["", "  ", "🎬" * 20_000, "七" * 9_000, "x" * 60_000])
def test_what_the_model_would_refuse_is_made_acceptable(
    embedder: BedrockTextEncoder, text: str
) -> None:
    assert np.linalg.norm(embedder.encode([text])[0]) == pytest.approx(1, abs=1e-5)


def test_only_so_many_texts_are_under_way_at_once(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder
) -> None:
    busy, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(AT_ONCE)

    def act(handler: Handler) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        together.wait(PATIENT)  # broken unless as many are under way as may be
        with lock:
            busy -= 1
        embed(handler)

    server.script[0] = act
    texts = [f"film {number}" for number in range(AT_ONCE * 5)]
    vectors = embedder.encode(texts)
    assert most == AT_ONCE
    np.testing.assert_allclose(vectors, HashingEncoder(256).encode(texts), atol=1e-6)


def test_throttling_is_waited_out(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder, pauses: list[float]
) -> None:
    server.script.appendleft(aws_error(429, "ThrottlingException"))
    assert embedder.encode(["a heist"]).shape == (1, 256)
    assert len(pauses) == 1


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (aws_error(429, "ThrottlingException"), "ThrottlingException"),
        (aws_error(403, "AccessDeniedException"), "AccessDeniedException"),
        (aws_error(403, "ExpiredTokenException"), "ExpiredTokenException"),
        (aws_error(404, "ResourceNotFoundException"), "ResourceNotFoundException"),
        (aws_error(503, "ServiceUnavailableException"), "ServiceUnavailableException"),
        (quote_request(400), "ModelError"),
        (reset, "Error"),
        (hang, "ReadTimeoutError"),
        (break_off, "Error"),
        (reply(200, b"<html>"), "not a vector"),
        (reply(200, b"{}"), "not a vector"),
        (reply(200, b"[]"), "not a vector"),
        (reply(200, answer(None)), "numbers, not 256"),
        (reply(200, answer(["a"] * 256)), "not a vector"),
        (reply(200, answer([0.1] * 1024)), "1024 numbers, not 256"),
        (reply(200, answer([0.0] * 256)), "no direction"),
        (reply(200, answer([1e300] * 256)), "no direction"),
    ],
)
def test_every_failure_is_that_no_vectors_can_be_had(
    server: ScriptedEndpoint,
    act: Any,  # noqa: ANN401
    says: str,
) -> None:
    server.script[0] = act
    with pytest.raises(EncoderUnavailable, match=says) as failure:
        BedrockTextEncoder(256, timeout=patience(act, 0.3)).encode([SECRET])
    assert SECRET not in str(failure.value)
    assert failure.value.__cause__ is None


def test_one_text_that_fails_fails_its_batch(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder
) -> None:
    server.script.extendleft([aws_error(403, "AccessDeniedException"), embed])
    with pytest.raises(EncoderUnavailable):
        embedder.encode([f"film {number}" for number in range(9)])


def test_a_model_that_keeps_failing_is_left_alone(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder
) -> None:
    server.script[0] = aws_error(500, "InternalServerException")
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(EncoderUnavailable, match="InternalServerException"):
            embedder.encode(["a heist"])
    with pytest.raises(EncoderUnavailable, match="circuit is open"):
        embedder.encode(["a heist"])
    assert len(server.requests) == FAILURES_TO_OPEN * ATTEMPTS


def test_without_credentials_or_region_the_mend_is_said(server: ScriptedEndpoint) -> None:
    with aws_environment() as patch:
        patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(EncoderUnavailable, match="give the process a role"):
            BedrockTextEncoder(256).encode(["a heist"])
        patch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(EncoderUnavailable, match="AWS_DEFAULT_REGION"):
            BedrockTextEncoder(256)


@pytest.mark.parametrize("dim", [384, 0, 2048])
def test_a_length_that_the_model_has_not_is_refused(dim: int) -> None:
    with pytest.raises(InvalidRequest, match=r"256, 512 or 1024 .*Set VECTOR_DIM"):
        text_encoder(Settings(text_encoder="bedrock", vector_dim=dim), HashingEncoder())


def test_a_search_goes_on_without_it(
    server: ScriptedEndpoint, embedder: BedrockTextEncoder, starter_items: list[Item]
) -> None:
    stores = memory_stores()
    sync_index(starter_items[:200], stores.items, embedder, lambda *_: None, {})
    settings = RecommenderSettings(search_variant="preference_vector", enable_search_cache=False)
    service = Recommender(stores, embedder, settings)
    asked = SearchRequest(user_id="ada", query="a heist in the rain", k=5)
    assert not service.search(asked).intelligence_metadata.degraded
    server.script[0] = aws_error(429, "ThrottlingException")
    other = service.search(asked.model_copy(update={"query": "a lonely robot in love"}))
    assert "encoder" in other.intelligence_metadata.degraded
    assert other.items
    assert not service.ready()["encoder"]


class TestIndex:
    """An index of Bedrock's vectors, made on the command line."""

    @pytest.fixture
    def database_url(self, postgres_url: str, indexed_template: str) -> Iterator[str]:
        """A database whose index the embedded encoder made."""
        with new_database(postgres_url, indexed_template) as url:
            yield url

    @pytest.fixture(autouse=True)
    def _chosen(
        self,
        server: ScriptedEndpoint,  # noqa: ARG002
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        database_url: str,
    ) -> None:
        for name, value in {
            "REELWISE_HOME": str(tmp_path),
            "DATABASE_URL": database_url,
            "TEXT_ENCODER": "bedrock",
            "VECTOR_DIM": "512",
            "BEDROCK_EMBEDDING_TIMEOUT": "30",
        }.items():
            monkeypatch.setenv(name, value)

    def reelwise(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    def test_an_index_of_another_length_is_left_until_it_is_made_anew(
        self,
        server: ScriptedEndpoint,
        database_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        kept_before = tmp_path / "cache" / "of-before"
        kept_before.mkdir(parents=True)
        refused = self.reelwise("index")
        assert refused.exit_code == 2
        assert "vectors of 384 numbers, the encoder makes 512" in refused.stderr
        assert "reelwise index --anew" in refused.stderr
        assert not server.requests
        assert kept_before.exists()

        made = self.reelwise("index", "--anew")
        assert not kept_before.exists()
        assert made.exit_code == 0, made.output
        assert made.stdout.strip() == "1590 films are indexed."
        database = Database(database_url)
        with database.connect() as connection:
            number = connection.execute(
                text("SELECT number FROM index_versions WHERE state = 'serving'")
            ).scalar_one()
            table = items_of(number)
            dims = (func.vector_dims(table.c.embedding), func.vector_dims(table.c.fused))
            lengths = connection.execute(select(*dims).distinct())
            assert [tuple(row) for row in lengths] == [(512, 384)]
            kept = (
                "SELECT attstorage FROM pg_attribute "
                "WHERE attname = 'embedding' AND attrelid = CAST(:name AS regclass)"
            )
            in_row = connection.execute(text(kept), {"name": table.name}).scalar_one()
            assert in_row in ("p", b"p"), "vectors lie in the row"
        database.close()

        found = self.reelwise("search", "90s heist with a twist", "-k", "3")
        assert found.exit_code == 0, found.output
        assert found.stdout.startswith("1. ")

        monkeypatch.delenv("TEXT_ENCODER")
        monkeypatch.delenv("VECTOR_DIM")
        assert self.reelwise("index").exit_code == 0  # the former one, which was kept

    def test_an_empty_index_takes_the_encoders_length(self, postgres_url: str) -> None:
        with new_database(postgres_url) as url:
            database = Database(url)
            database.migrate()
            stores = postgres_stores(database, 100)
            film = Item(item_id="1", title="Heat", year=1995)
            encoder = HashingEncoder(1024)
            assert sync_index([film], stores.items, encoder, lambda *_: None, {}) == 1
            service = Recommender(
                stores, encoder, RecommenderSettings(search_variant="preference_vector")
            )
            service.record_swipe("ada", "1", Direction.LIKE)
            assert service.profile("ada").transformer_metrics.vector_dim == 1024
            database.close()
