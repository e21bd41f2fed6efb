"""The settings of the search that are compared, and the tables of what they reach."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fusion.evaluate.metrics import holm, randomisation
from fusion.evaluate.tables import NDCG, Rows, gain, interval, kinds_table, markdown
from fusion.evaluate.tasks import QUERY
from recommender.evaluation.bench import Bench
from recommender.evaluation.system import SystemResult
from recommender.settings import RecommenderSettings

BASE = "preference vector"
COMMON: Mapping[str, Any] = {"search_variant": "preference_vector", "enable_search_cache": False}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    BASE: {},
    "generic": {"search_variant": "generic"},
    "recency vector": {"preference_vector_strategy": "recency"},
    "contrastive vector": {"preference_vector_strategy": "contrastive"},
    "query vector not blended": {"enhance_query_vector": False},
    "query terms": {"enhance_query_terms": True},
    "candidate pool": {"enhance_candidate_pool": True},
    "field weights": {"enhance_field_weights": True},
    "all four": {
        "enhance_query_terms": True,
        "enhance_candidate_pool": True,
        "enhance_field_weights": True,
    },
    "embedding fusion": {"search_variant": "embedding_fusion"},
    "embedding fusion, no exploring": {"search_variant": "embedding_fusion", "explore": 0.0},
    "embedding fusion, candidate pool": {
        "search_variant": "embedding_fusion",
        "enhance_candidate_pool": True,
    },
    "embedding fusion, query terms": {
        "search_variant": "embedding_fusion",
        "enhance_query_terms": True,
    },
    "embedding fusion, field weights": {
        "search_variant": "embedding_fusion",
        "enhance_field_weights": True,
    },
    "embedding fusion, without MMR": {"search_variant": "embedding_fusion", "mmr_lambda": 1.0},
    "token fusion": {"search_variant": "token_fusion"},
    "without MMR": {"mmr_lambda": 1.0},
    "MMR at 0.7": {"mmr_lambda": 0.7},
}
"""Each differs from `BASE`, the product without fusion, by these settings."""


def measure_variants(
    bench: Bench,
    variants: Mapping[str, Mapping[str, Any]] = VARIANTS,
    tick: Callable[[], object] = lambda: None,
) -> Iterator[SystemResult]:
    """Measure variants on every task of the bench; ``tick`` is called after each."""
    for name, changes in variants.items():
        settings = RecommenderSettings.model_validate({**COMMON, **changes})
        system = bench.system(name, settings)
        yield from (system.judge(task, bench.genres) for task in bench.tasks)
        tick()


def system_tables(results: Sequence[SystemResult]) -> str:
    """One table for each task, as Markdown, with 95 % intervals over people."""
    tasks = dict.fromkeys((result.task, result.n_swipes) for result in results)
    parts = []
    for kind, n in tasks:
        title = f"A query and {n} swipes to films" if kind == QUERY else f"{n} swipes to films"
        same = [result for result in results if (result.task, result.n_swipes) == (kind, n)]
        parts.append(f"### {title}\n\n{markdown(system_table(same))}")
    worded = [result for result in results if result.task == QUERY]
    parts.append(f"### By the kind of query, NDCG@10\n\n{markdown(kinds_table(worded))}")
    return "\n\n".join(parts)


def system_table(results: Sequence[SystemResult]) -> Rows:
    """One row a variant; the last columns are the relative gain over `BASE`, and its p.

    p is of Fisher's randomisation test paired by person, Holm-adjusted for the number of rows.
    """
    base = next(result for result in results if result.scorer == BASE)
    others = [result for result in results if result is not base]
    raw = [randomisation(other.per_person(NDCG), base.per_person(NDCG)) for other in others]
    p_values = dict(zip((other.scorer for other in others), holm(raw), strict=True))
    head = ["search", "NDCG@10", "coverage@10", "diversity", "ms (median, p95)"]
    rows = [[*head, f"against {BASE}", "p"]]
    for result in results:
        cells = [
            result.scorer,
            interval(result.per_person(NDCG)),
            f"{result.coverage:.3f}",
            interval(result.per_person("diversity"), 2),
            f"{result.median:.1f}, {result.p95:.1f}",
            gain(result, base),
        ]
        p = p_values.get(result.scorer)
        rows.append([*cells, "" if p is None else f"{p:.3f}"])
    return rows
