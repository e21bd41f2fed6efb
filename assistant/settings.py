"""How this installation is set up, from environment variables of the same names in capitals."""

from os import fspath
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from assistant.api.settings import comma_separated
from assistant.chat.settings import Auth, PosterHost
from recommender.experiments.variants import Variant
from recommender.models import UserIdentifier
from recommender.stores.postgres.ann import Quantisation

Place = Annotated[str, BeforeValidator(fspath)]
"""A path of this machine, or a URL such as ``s3://bucket/folder``."""


class Settings(BaseSettings):
    """What the composition root chooses parts by. ``RecommenderSettings`` has the domain's own."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    reelwise_home: Path = Field(default=Path(".reelwise"), description="the data folder")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str | None = Field(
        default=None, description="a PostgreSQL with pgvector; default: the embedded server"
    )
    database_read_url: str | None = Field(
        default=None, description="a replica of it, for reads of the catalogue that may lag"
    )
    database_ca_bundle: FilePath | None = Field(
        default=None,
        description="certificates that the server's must descend from; default: as the URL says",
    )
    database_iam_auth: bool = Field(
        default=False, description="sign in with tokens of AWS's IAM; needs DATABASE_CA_BUNDLE"
    )
    database_pool_size: int = Field(default=10, ge=1)
    migrate_on_start: bool = Field(
        default=True, description="false: refuse to start until `reelwise migrate` has run"
    )
    item_store: Literal["postgres", "chroma", "opensearch"] = Field(
        default="postgres", description="where films and their vectors are"
    )
    item_index: Literal["memory", "exact", "hnsw"] = Field(
        default="memory",
        description="with ITEM_STORE=postgres: look at every film, in this process or, exact, in "
        "PostgreSQL; hnsw: at those a graph leads to, or in people's space in the nearest lists",
    )
    item_quantisation: Quantisation = Field(
        default="none", description="with ITEM_INDEX=hnsw: how small the indexes' vectors are made"
    )
    opensearch_url: str = Field(
        default="http://localhost:9200", description="may hold user and password"
    )
    opensearch_index: str = "reelwise-films"
    opensearch_timeout: float = Field(
        default=5.0, gt=0, description="seconds to connect, and to wait for data, per attempt"
    )
    opensearch_aws_region: str | None = Field(
        default=None, description="sign requests for Amazon's service there; default: do not sign"
    )
    user_store: Literal["postgres", "dynamodb"] = Field(
        default="postgres", description="where swipes, preferences and caches are"
    )
    ddb_swipes_table: str = "user_swipes"
    ddb_preferences_table: str = "user_preferences"
    ddb_embeddings_cache_table: str = "enhanced_embeddings_cache"
    ddb_search_cache_table: str = "search_cache"
    dynamodb_url: str | None = Field(
        default=None, description="where DynamoDB answers; default: AWS, in its region"
    )
    swipes_live_days: float | None = Field(
        default=None, gt=0, description="with DynamoDB: forget swipes after so long; default: never"
    )
    catalogue: Place | None = Field(
        default=None,
        description="films: where `reelwise features` wrote, or a .jsonl file, a path or a URL; "
        "default: the starter catalogue",
    )
    vector_dim: int = Field(
        default=384, description="length of the text vectors; with Bedrock 256, 512 or 1024"
    )
    text_encoder: Literal["embedded", "bedrock"] = Field(
        default="embedded", description="what embeds films and queries as texts"
    )
    bedrock_embedding_timeout: float = Field(
        default=1.0, gt=0, description="seconds to connect, and to wait for data, per attempt"
    )
    encoder_dir: Place | None = Field(
        default=None, description="a model folder made by the export, a path or a URL"
    )
    encoder_threads: int = Field(default=1, ge=1)
    encoder_timeout: float = Field(
        default=3.0, gt=0, description="seconds until a search goes on without an encoder"
    )
    fusion_dir: Place | None = Field(
        default=None,
        description="a folder that `reelwise train` wrote, a path or URL; default: the one shipped",
    )
    fusion_encoder: Literal["embedded", "sagemaker"] = "embedded"
    fusion_model_version: str | None = Field(
        default=None, description="the model that the SageMaker endpoint serves"
    )
    fusion_model_versions: dict[Variant, str] = Field(
        default={},
        description='of an endpoint with a production variant for each: {"token_fusion": "…"}',
    )
    sagemaker_endpoint_name: str | None = None
    sagemaker_runtime_url: str | None = Field(
        default=None, description="where the endpoint is called; default: AWS, in its region"
    )
    sagemaker_timeout: float = Field(
        default=0.5, gt=0, description="seconds to connect, and to wait for data, per attempt"
    )
    local_user_id: UserIdentifier = "local"
    chat_auth: Auth = Field(
        default="none", description="how people sign in to the chat; none: all are LOCAL_USER_ID"
    )
    chat_auth_header: str = Field(
        default="X-Forwarded-User",
        description="with CHAT_AUTH=header: where a proxy in front names the user",
    )
    public_url: str | None = Field(
        default=None, description="where browsers reach the chat, if there is a proxy in front"
    )
    poster_hosts: Annotated[tuple[PosterHost, ...], NoDecode, BeforeValidator(comma_separated)] = (
        Field(
            default=(),
            description="hosts, with commas, that browsers may fetch posters from: image.tmdb.org; "
            "default: none, all posters are drawn",
        )
    )
    assistant_model: str | None = Field(
        default=None, description="provider:model for LangChain; default: the offline planner"
    )
    bedrock_guardrail_id: str | None = Field(
        default=None, description="a guardrail for every turn of a bedrock_converse model"
    )
    bedrock_guardrail_version: str | None = Field(
        default=None, description='its version: a number, or "DRAFT"'
    )
    bedrock_prompt_cache: Literal["5m", "1h"] | None = Field(
        default=None, description="how long Bedrock keeps prompts that begin alike; default: not"
    )
    explanation_model: str | None = Field(
        default=None, description="provider:model that words explanations; default: templates"
    )
    explanation_timeout: float = Field(
        default=15.0, gt=0, description="seconds until templates explain in its place"
    )
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    log_user_key: SecretStr | None = Field(
        default=None, description="by which users are hashed in the log; default: one a process"
    )
    traces: Literal["off", "otlp"] = Field(
        default="off", description="otlp: sent to OTEL_EXPORTER_OTLP_ENDPOINT"
    )
    metrics: Literal["prometheus", "emf"] = Field(
        default="prometheus", description="emf: CloudWatch's metric format on standard output, too"
    )
    metrics_namespace: str = Field(default="Reelwise", min_length=1, max_length=255)
    metrics_seconds: float = Field(default=60.0, gt=0, description="between two writes of emf")

    @property
    def downloads(self) -> Path:
        """Where copies of files that URLs name are kept."""
        return self.reelwise_home / "downloads"

    @property
    def cache(self) -> Path:
        """Where what a start makes of the catalogue is kept for the next."""
        return self.reelwise_home / "cache"

    @property
    def all_at_hand(self) -> bool:
        """Whether neither a store nor a model that REST needs is asked over a network."""
        stores = (self.item_store == "opensearch", self.user_store == "dynamodb")
        models = (self.text_encoder == "bedrock", self.fusion_encoder == "sagemaker")
        return not (self.database_url or self.explanation_model or any(stores) or any(models))

    @field_validator("database_iam_auth")
    @classmethod
    def _tokens_only_to_whom_they_are_for(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not (info.data.get("database_url") and info.data.get("database_ca_bundle")):
            raise ValueError(
                "set DATABASE_URL and DATABASE_CA_BUNDLE too: a token is for one server only"
            )
        return value
