"""Fitting the ranking's weights and the search's switches on validation strangers."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import BaseModel

from fusion.evaluate.tasks import QUERY, SWIPES
from recommender.evaluation.bench import Bench
from recommender.ranking_weights import TasteMix
from recommender.settings import RecommenderSettings

WORTH = 0.0005
"""A smaller gain in NDCG@10 is no reason to leave the value that stands."""

Objective = Callable[[RecommenderSettings, frozenset[str]], Mapping[str, float]]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Knob:
    """A setting, ``ranking.prior_alone`` for a nested one, and the values to try.

    ``kinds`` are the kinds of task whose answers it can change.
    """

    name: str
    values: tuple[Any, ...]
    kinds: frozenset[str]


@dataclass(frozen=True)
class Step:
    """Settings that were tried, their NDCG@10 on each kind of task, and whether they now stand."""

    settings: RecommenderSettings
    quality: Mapping[str, float]
    taken: bool


def _knobs(kinds: frozenset[str], **values: tuple[Any, ...]) -> list[Knob]:
    return [Knob(name.replace("__", "."), tried, kinds) for name, tried in values.items()]


KNOBS: Sequence[Knob] = (
    *_knobs(
        frozenset({SWIPES}),
        ranking__prior_alone=(0.3, 0.6, 1.2, 2.0, 3.0),
        ranking__light_taste_alone=(0.5, 1.0, 2.0, 4.0),
        ranking__personal_taste_alone=(1.5, 3.0, 4.5, 6.0),
        ranking__light_mix__vector=(0.0, 0.2, 0.4),
        ranking__light_mix__genres=(0.3, 0.6, 0.8),
    ),
    *_knobs(
        frozenset({QUERY}),
        ranking__prior_with_words=(0.15, 0.3, 0.5, 0.8, 1.2),
        ranking__taste_with_words=(0.3, 0.6, 1.0, 1.5, 2.5),
        ranking__bm25=(0.2, 0.45, 0.9),
        ranking__soft_genre=(0.0, 0.2, 0.4, 0.8),
        ranking__taste_in_vector=(0.0, 0.15, 0.3, 0.5),
        ranking__hints=(0.3, 0.6, 1.0),
    ),
    *_knobs(
        frozenset({QUERY}),
        ranking__fused_likeness=(0.0, 0.15, 0.3, 0.6),
        ranking__fused_bm25=(0.0, 0.15, 0.3, 0.6),
    ),
    *_knobs(
        frozenset({SWIPES, QUERY}),
        explore=(0.0, 0.2, 0.4, 0.6),
        mmr_lambda=(0.7, 0.8, 0.9, 0.95, 1.0),
        ranking__prior_fame=(0.4, 0.6, 0.8, 1.0),
        ranking__preference_growth=(0.3, 0.6, 0.9),
        ranking__personal_mix__vector=(0.2, 0.45, 0.7),
        ranking__personal_mix__genres=(0.1, 0.25, 0.5),
        ranking__personal_mix__tags=(0.05, 0.15, 0.3),
        ranking__personal_mix__year=(0.0, 0.1, 0.25),
        ranking__personal_mix__popularity=(0.0, 0.05, 0.2),
        full_personalization_swipes=(5, 10, 15),
        candidate_multiplier=(3, 6, 10, 20),
        enhance_query_terms=(False, True),
        enhance_candidate_pool=(False, True),
        enhance_field_weights=(False, True),
    ),
)


def objective_on(bench: Bench) -> Objective:
    """NDCG@10 on a bench: the mean over the tasks of a kind."""
    numbers = itertools.count()

    def quality(settings: RecommenderSettings, kinds: frozenset[str]) -> dict[str, float]:
        system = bench.system(f"point {next(numbers)}", settings)
        return {
            kind: float(np.mean([system.quality(t) for t in bench.tasks if t.kind == kind]))
            for kind in sorted(kinds)
        }

    return quality


def coordinate_search(
    objective: Objective,
    start: RecommenderSettings,
    knobs: Sequence[Knob],
    sweeps: int,
    seed: int,
) -> Iterator[Step]:
    """Turn one knob at a time to its best value, all of them ``sweeps`` times in random order.

    ``objective`` gives NDCG@10 for each of the kinds of task asked for; their sum counts. Yields
    each step; the last one taken is the best.
    """
    rng = np.random.default_rng(seed)
    kinds = frozenset().union(*(knob.kinds for knob in knobs))
    best = Step(start, objective(start, kinds), taken=True)
    yield best
    for _ in range(sweeps):
        for number in rng.permutation(len(knobs)):
            for step in _turned(objective, best, knobs[number]):
                best = step if step.taken else best
                yield step


def _turned(objective: Objective, best: Step, knob: Knob) -> Iterator[Step]:
    standing = best.settings
    for value in knob.values:
        settings = with_value(standing, knob.name, value)
        if settings != standing:
            quality = {**best.quality, **objective(settings, knob.kinds)}
            taken = sum(quality.values()) > sum(best.quality.values()) + WORTH
            step = Step(settings, quality, taken)
            best = step if taken else best
            yield step


def with_value(model: M, name: str, value: object) -> M:
    """A copy with another value; where shares sum to one, the others make room for it."""
    head, _, rest = name.partition(".")
    inner = with_value(getattr(model, head), rest, value) if rest else value
    copy = model.model_copy(update={head: inner})
    return cast("M", _balanced(copy, head)) if isinstance(copy, TasteMix) else copy


def _balanced(mix: TasteMix, kept: str) -> TasteMix:
    shares = mix.model_dump()
    room, others = 1 - shares.pop(kept), sum(shares.values())
    if others == 0:
        return mix
    return mix.model_copy(
        update={name: round(share * room / others, 6) for name, share in shares.items()}
    )
