"""Queries as people type them, read against the starter catalogue."""

import json
from pathlib import Path
from typing import Any

import pytest

from recommender.catalogue import Catalogue
from recommender.models import Item, Understanding
from recommender.query import QueryReader

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "recommender" / "catalog" / "starter.jsonl"
FIXTURES = ROOT / "tests" / "fixtures"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


CATALOGUE = Catalogue(Item(**line) for line in _lines(STARTER))
READER = QueryReader(CATALOGUE)
CASES = _lines(FIXTURES / "queries.jsonl")


def _name(item_id: str) -> str:
    item = CATALOGUE.get(item_id)
    return f"{item.title} ({item.year})"


def _shown(understood: Understanding) -> dict[str, Any]:
    """An understanding in the words of the fixtures."""
    filters = understood.filters
    return {
        "lookup": understood.lookup and _name(understood.lookup),
        "similar_to": [_name(item_id) for item_id in understood.similar_to],
        "people": list(filters.people),
        "include": sorted(filters.include_genres),
        "exclude": sorted(filters.exclude_genres),
        "years": [filters.year_from, filters.year_to],
        "soft": sorted(understood.soft_genres),
        "text": understood.text,
    }


def _expected(case: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """What a case says; of what it does not mention, only text and moods are free."""
    nothing = {"lookup": None, "similar_to": [], "people": [], "years": [None, None]}
    nothing |= {"include": [], "exclude": [], "soft": shown["soft"], "text": shown["text"]}
    wanted = {key: value for key, value in case.items() if key != "query"}
    for key in ("include", "exclude", "soft"):
        if key in wanted:
            wanted[key] = sorted(wanted[key])
    return nothing | wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["query"])
def test_understands(case: dict[str, Any]) -> None:
    """Every field of the understanding is as a person would read the query."""
    shown = _shown(READER.read(case["query"]))
    assert shown == _expected(case, shown)
