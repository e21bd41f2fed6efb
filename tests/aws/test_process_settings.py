"""What infrastructure tells the processes is what they read, and does for them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from assistant.api.settings import ApiSettings
from assistant.api.tokens import tokens
from assistant.composition import production_variant
from assistant.settings import Settings
from fusion.container.cli import ContainerSettings
from fusion.onnx_fusion import load_fusion
from infra import process_settings
from infra.process_settings import Database, SignIn, Wiring
from recommender.settings import RecommenderSettings

WIRING = Wiring(
    region="eu-west-1",
    environment="prod",
    database=Database("db.example", 5439, "reelwise", "reelwise"),
    tables={
        "user_swipes": "a",
        "user_preferences": "b",
        "enhanced_embeddings_cache": "c",
        "search_cache": "d",
    },
    domain="reelwise.example",
    sign_in=SignIn("https://issuer.example/pool", ("chat", "canary"), "login.example"),
    endpoint="fusion",
    assistant_model="bedrock_converse:a.model",
)
OF_LIBRARIES = {"AWS_DEFAULT_REGION", "CHAINLIT_URL", "OAUTH_COGNITO_DOMAIN"}
BUNDLE = Path(__file__).parents[2] / "infra" / "containers" / "rds-global-bundle.pem"


@pytest.mark.parametrize(
    "told", [process_settings.chat, process_settings.rest, process_settings.job]
)
def test_settings_take_every_variable(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[Wiring], dict[str, str]]
) -> None:
    variables = told(WIRING)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    known = {
        *Settings.model_fields,
        *RecommenderSettings.model_fields,
        *ApiSettings.model_fields,
    }
    assert {name.lower() for name in variables.keys() - OF_LIBRARIES} <= known
    monkeypatch.setenv("DATABASE_CA_BUNDLE", str(BUNDLE))  # where this machine has it
    settings = Settings()
    assert settings.database_iam_auth
    assert settings.metrics == "emf"
    assert settings.user_store == "dynamodb"
    assert settings.fusion_encoder == "sagemaker"
    assert settings.sagemaker_endpoint_name == "fusion"
    assert make_url(settings.database_url or "").password is None


@pytest.mark.parametrize("told", [process_settings.chat, process_settings.rest])
def test_whoever_asks_must_have_a_token_of_the_user_pool(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[Wiring], dict[str, str]]
) -> None:
    for name, value in told(WIRING).items():
        monkeypatch.setenv(name, value)
    assert tokens(ApiSettings()) is not None


def test_reads_that_may_lag_go_to_the_replica() -> None:
    replica = Database("reader.example", 5439, "reelwise", "reelwise")
    assert "DATABASE_READ_URL" not in process_settings.rest(WIRING)
    variables = process_settings.rest(replace(WIRING, reader=replica))
    assert variables["DATABASE_READ_URL"] == replica.url


def test_the_container_takes_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in process_settings.container().items():
        monkeypatch.setenv(name, value)
    settings = ContainerSettings()
    assert settings.sm_model_dir == Path("/opt/reelwise/models")
    assert settings.sagemaker_bind_to_port == process_settings.ENDPOINT_PORT


def test_the_version_that_clients_expect_is_the_one_that_the_image_serves() -> None:
    folder = process_settings.SHIPPED_MODELS / process_settings.CHAMPION
    assert process_settings.shipped_model_version() == load_fusion(folder).model_version


def test_a_challenger_is_called_for_half_of_the_people(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in process_settings.rest(replace(WIRING, challenger=True)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_CA_BUNDLE", str(BUNDLE))  # where this machine has it
    settings, domain = Settings(), RecommenderSettings()
    assert domain.variant_weights == {"embedding_fusion": 1, "token_fusion": 1}
    assert domain.experiment_name
    for variant, version in settings.fusion_model_versions.items():
        folder = process_settings.SHIPPED_MODELS / production_variant(variant)
        assert version == load_fusion(folder).model_version
    assert settings.fusion_model_versions.keys() == domain.variant_weights.keys()


def test_without_an_endpoint_the_processes_fuse_themselves() -> None:
    variables = process_settings.rest(replace(WIRING, endpoint=None))
    assert variables["FUSION_ENCODER"] == "embedded"
    assert "SAGEMAKER_ENDPOINT_NAME" not in variables
