"""How this installation is set up, from environment variables of the same names in capitals."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from assistant.chat.settings import Auth
from recommender.models import UserIdentifier


class Settings(BaseSettings):
    """What the composition root chooses parts by. ``RecommenderSettings`` has the domain's own."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    reelwise_home: Path = Field(default=Path(".reelwise"), description="the data folder")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: str | None = Field(
        default=None, description="a PostgreSQL with pgvector; default: the embedded server"
    )
    database_pool_size: int = Field(default=10, ge=1)
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
    vector_dim: int = Field(
        default=384, description="length of the text vectors; with Bedrock 256, 512 or 1024"
    )
    text_encoder: Literal["embedded", "bedrock"] = Field(
        default="embedded", description="what embeds films and queries as texts"
    )
    bedrock_embedding_timeout: float = Field(
        default=1.0, gt=0, description="seconds to connect, and to wait for data, per attempt"
    )
    encoder_dir: Path | None = Field(default=None, description="a model folder made by the export")
    encoder_threads: int = Field(default=1, ge=1)
    fusion_dir: Path | None = Field(
        default=None, description="a folder that `reelwise train` wrote; default: the one shipped"
    )
    fusion_size: Literal["full", "small"] = "full"
    fusion_encoder: Literal["embedded", "sagemaker"] = "embedded"
    fusion_model_version: str | None = Field(
        default=None, description="the model that the SageMaker endpoint serves"
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
