"""The domain's settings, read from environment variables of the same names in capitals."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

VectorStrategy = Literal["centroid", "recency", "contrastive"]


class RecommenderSettings(BaseSettings):
    """How the recommender learns, ranks and caches."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    survey_size: int = Field(default=20, ge=1)

    enable_preference_learning: bool = True
    enable_real_time_updates: bool = True
    preference_update_policy: Literal["real_time", "batch", "hybrid"] = "hybrid"
    real_time_swipe_limit: int = Field(default=25, ge=0)
    preference_update_batch_size: int = Field(default=5, ge=1)

    min_swipes_for_personalization: int = Field(default=5, ge=0)
    full_personalization_swipes: int = Field(default=15, ge=1)
    preference_confidence_threshold: float = Field(default=0.6, ge=0, le=1)
    preference_vector_strategy: VectorStrategy = "centroid"
    taste_half_life_days: float = Field(default=90.0, gt=0)

    candidate_multiplier: int = Field(default=3, ge=1)
    mmr_lambda: float = Field(default=0.9, ge=0, le=1)

    enable_search_cache: bool = True
    enable_embedding_cache: bool = True
    cache_ttl_high_confidence: int = Field(default=1800, ge=1, description="seconds")
    cache_ttl_low_confidence: int = Field(default=900, ge=1, description="seconds")
    cache_ttl_generic: int = Field(default=7200, ge=1, description="seconds")
    max_cache_entries: int = Field(default=100_000, ge=1)
