"""The word lists of ``lexicon.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words(name: str) -> frozenset[str]:
    """One list of words."""
    return frozenset(_lexicon()[name].split())


def table(name: str) -> Mapping[str, Any]:
    """One table."""
    found: Mapping[str, Any] = _lexicon()[name]
    return found


@cache
def all_words() -> frozenset[str]:
    """Every word that means something to the checker, which no label may hide."""
    lists = [value.split() for value in _lexicon().values() if isinstance(value, str)]
    return frozenset().union(*lists) | {"you", "your", "not", "no", "never", "without", "i", "we"}


@cache
def _lexicon() -> dict[str, Any]:
    source = files("recommender.claims").joinpath("lexicon.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))
