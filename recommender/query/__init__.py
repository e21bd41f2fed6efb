"""Query understanding: ``QueryReader(catalogue).read(query)``."""

from recommender.query.reader import QueryReader

__all__ = ["QueryReader"]
