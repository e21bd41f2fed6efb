"""The domain: catalogue, survey, preference learning, retrieval, ranking, explanations."""

from recommender.service import Recommender

__all__ = ["Recommender"]
