"""The domain's settings, read from environment variables of the same names in capitals."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from recommender.experiments.variants import Variant, parse_weights
from recommender.ranking_weights import RankingWeights

VectorStrategy = Literal["centroid", "recency", "contrastive"]


class RecommenderSettings(BaseSettings):
    """How the recommender learns, ranks and caches.

    One of the nested ``ranking`` weights is set by ``RANKING__PRIOR_ALONE`` and the like.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_nested_delimiter="__")

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
    explore: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="without a wish: 0 shows what most like first, 1 what few know",
    )
    ranking: RankingWeights = RankingWeights()

    enhance_query_vector: bool = Field(
        default=True, description="lean the vector of the words towards taste"
    )
    enhance_query_terms: bool = Field(
        default=False, description="add preferred genres and tags to the text search"
    )
    enhance_candidate_pool: bool = Field(
        default=False, description="look at more candidates the surer the taste"
    )
    enhance_field_weights: bool = Field(
        default=False, description="search title, overview, genres, people by a person's weights"
    )

    enable_search_cache: bool = True
    enable_embedding_cache: bool = True
    cache_ttl_high_confidence: int = Field(default=1800, ge=1, description="seconds")
    cache_ttl_low_confidence: int = Field(default=900, ge=1, description="seconds")
    cache_ttl_generic: int = Field(default=7200, ge=1, description="seconds")
    max_cache_entries: int = Field(default=100_000, ge=1)

    search_variant: Variant = "embedding_fusion"
    experiment_name: str = Field(
        default="", pattern=r"^[\w.-]{0,64}$", description='"": everybody gets the search_variant'
    )
    experiment_variants: str = Field(
        default="", description="with weights: preference_vector=1,embedding_fusion=1"
    )
    experiment_interleaving: bool = False

    @property
    def variant_weights(self) -> dict[Variant, float]:
        """The experiment's variants and how many people see each, in proportion."""
        return parse_weights(self.experiment_variants)

    @field_validator("experiment_variants")
    @classmethod
    def _enough_to_compare(cls, value: str, info: ValidationInfo) -> str:
        variants = parse_weights(value)
        if info.data.get("experiment_name") and len(variants) < 2:
            raise ValueError(
                "an experiment compares two or more, as in preference_vector=1,embedding_fusion=1"
            )
        return value

    @field_validator("experiment_interleaving")
    @classmethod
    def _two_to_interleave(cls, value: bool, info: ValidationInfo) -> bool:
        if value and len(parse_weights(info.data.get("experiment_variants", ""))) != 2:
            raise ValueError("EXPERIMENT_VARIANTS must name the two variants to interleave")
        return value
