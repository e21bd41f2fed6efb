"""The variants of the search, and which of them a person sees."""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Literal, get_args

Variant = Literal["generic", "preference_vector", "token_fusion", "embedding_fusion"]
ShownVariant = Variant | Literal["interleaved"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def parse_weights(text: str) -> dict[Variant, float]:
    """Read ``"preference_vector=1,embedding_fusion=3"``; no text, no weights.

    Raises ValueError, saying what is wrong.
    """
    weights: dict[Variant, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, weight = (side.strip() for side in part.partition("="))
        variant = _variant(name)
        if variant in weights:
            raise ValueError(f"{name} is named twice")
        weights[variant] = _weight(name, weight)
    return weights


def assign(experiment: str, user_id: str, weights: Mapping[Variant, float]) -> Variant:
    """The variant of this user, the same each time, with chances in proportion to ``weights``.

    The experiment's name salts the hash, so that the groups of two experiments are independent.
    """
    reached = list(accumulate(weights.values()))
    point = _uniform(experiment, user_id) * reached[-1]
    return list(weights)[min(bisect_right(reached, point), len(weights) - 1)]


def _uniform(experiment: str, user_id: str) -> float:
    """A number in 0..1 (1 excluded) that experiment and user determine."""
    digest = hashlib.sha256(f"{experiment}\n{user_id}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _variant(name: str) -> Variant:
    for variant in VARIANTS:
        if variant == name:
            return variant
    raise ValueError(f"{name!r} is no variant; there are {', '.join(VARIANTS)}")


def _weight(name: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise ValueError(f"write {name}=<a number above 0>, not {name}={text}")
    return weight
