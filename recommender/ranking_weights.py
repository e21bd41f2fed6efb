"""The constants of the ranking in one place, so that they can be fitted and set."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recommender.preferences.model import Tier

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class TasteMix(BaseModel):
    """How taste is made up; the shares sum to one, so that taste lies in -1..1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector: Share = 0.0
    genres: Share = 0.0
    tags: Share = 0.0
    year: Share = 0.0
    popularity: Share = 0.0

    @property
    def shares(self) -> tuple[float, float, float, float, float]:
        """Vector, genres, tags, year, popularity."""
        return self.vector, self.genres, self.tags, self.year, self.popularity


class RankingWeights(BaseModel):
    """What each signal counts.

    ``preference`` is the share of taste for a new user; it grows by up to ``preference_growth``
    with a taste that is sure. ``vector`` and ``bm25`` divide the rest in their proportion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector: float = Field(default=0.45, gt=0, le=1)
    bm25: Share = 0.45
    preference: Share = 0.1
    preference_growth: Share = 0.6

    taste_in_vector: Share = 0.3
    """The share of taste in the query vector at full confidence."""

    hints: Weight = 0.6
    """What the best match of preferred genres and tags adds, as a share of the best text score."""

    prior_with_words: Weight = 0.15
    prior_alone: Weight = 1.2
    prior_fame: Share = 0.6
    """The share of fame in the prior; the rest is acclaim."""

    soft_genre: Weight = 0.4
    anchor_genre: Weight = 0.3
    refused: Weight = 0.5
    explored: Weight = 2.0
    """What acclaim adds and fame takes where the most daring answer is asked for."""

    fused: float = Field(default=1.0, gt=0)
    fused_likeness: Weight = 0.15
    fused_bm25: Weight = 0.3
    fused_genres: Weight = 0.15
    """What liked genres and tags add where nothing is asked: taste that shows, for little NDCG."""
    fused_anchor_likeness: Weight = 1.0
    """Beside the fused vector, which holds words, taste and fame: likeness of texts to the words,
    or to the films that are named, and the words themselves."""

    # Beside words taste only leans the ranking; without any it decides.
    taste_with_words: Weight = 0.6
    light_taste_alone: Weight = 1.0
    personal_taste_alone: Weight = 3.0
    for_someone_else: Share = 0.3
    """What is left of taste, by itself and in the query vector, in a film for someone else."""
    light_mix: TasteMix = TasteMix(genres=0.6, tags=0.4)
    personal_mix: TasteMix = TasteMix(
        vector=0.45, genres=0.25, tags=0.15, year=0.1, popularity=0.05
    )

    def taste_alone(self, tier: Tier) -> float:
        """What taste counts when nothing is asked."""
        by_tier: Mapping[str, float] = {
            "light": self.light_taste_alone,
            "personal": self.personal_taste_alone,
        }
        return by_tier.get(tier, 0.0)

    def mix(self, tier: Tier) -> TasteMix:
        """How taste is made up in a tier."""
        by_tier: Mapping[str, TasteMix] = {"light": self.light_mix, "personal": self.personal_mix}
        return by_tier.get(tier, TasteMix())
