"""Every word the assistant says or is told, as data files beside this module, and their loader.

- ``system.txt``: the instructions for a hosted chat model.
- ``explanation.txt``: the instructions for one that puts explanations into words.
- ``phrases.toml``: what the offline planner and the chat itself say: f-string templates, one or
  more per key.
- ``intents.toml``: example messages of each intent, for nearest-example matching.
- ``film_acts.toml``: example messages of what is said of one film.
- ``follow_ups.toml``: example messages that change a wish, and that make a new one.
- ``languages.toml``: common words by which other languages than English are recognised.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from zlib import crc32

from langchain_core.prompts import PromptTemplate


@cache
def system_prompt() -> str:
    """The instructions for a hosted chat model."""
    return _text("system.txt").strip()


@cache
def explanation_prompt() -> str:
    """The instructions for a chat model that puts an explanation into words."""
    return _text("explanation.txt").strip()


@cache
def intent_examples() -> Mapping[str, tuple[str, ...]]:
    """Example messages by intent name."""
    return {intent: tuple(examples) for intent, examples in _table("intents.toml").items()}


@cache
def film_acts() -> Mapping[str, tuple[str, ...]]:
    """Example messages by what they say of a film, which they call "it"."""
    return {act: tuple(examples) for act, examples in _table("film_acts.toml").items()}


@cache
def follow_ups() -> Mapping[str, tuple[str, ...]]:
    """Example messages after a search: ``refine`` changes the wish, ``wish`` is a new one."""
    return {kind: tuple(examples) for kind, examples in _table("follow_ups.toml").items()}


@cache
def language_words() -> Mapping[str, frozenset[str]]:
    """Common words by language name; ``english`` is one of the languages."""
    words = _table("languages.toml")
    return {language: frozenset(line.split()) for language, line in words.items()}


def phrase(key: str, seed: str = "", **values: object) -> str:
    """The phrase of a dotted key, such as ``search.found``, filled with ``values``.

    Where there are several wordings, ``seed`` picks one: the same seed always picks the same.
    Raises KeyError when there is no such phrase or a value is missing.
    """
    wordings = _wordings()[key]
    template = wordings[crc32(seed.encode("utf-8", "replace")) % len(wordings)]
    return template.format(**values)


def has_phrase(key: str) -> bool:
    """Whether there is a phrase of this key."""
    return key in _wordings()


@cache
def _wordings() -> Mapping[str, tuple[PromptTemplate, ...]]:
    return {
        f"{section}.{name}": tuple(
            PromptTemplate.from_template(wording.strip())
            for wording in ([wordings] if isinstance(wordings, str) else wordings)
        )
        for section, entries in _table("phrases.toml").items()
        for name, wordings in entries.items()
    }


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
