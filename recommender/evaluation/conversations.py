"""Public benchmarks of recommending in a conversation, in the files and by the rules of He et al.

He et al. 2023, "Large Language Models as Zero-Shot Conversational Recommenders": one line for each
turn of INSPIRED, ReDial or Reddit in which the recommender names films, beside a file of the films'
names. A film that was named before is no recommendation; the others are what is to be found, each
for itself, and films named before are left out of the answers. A film is found by its name.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from fusion.evaluate.data import DataUnusable
from recommender.text import bare_title

NAMES = "entity2id.json"
"""Stands beside a file of turns: which DBpedia address has which number."""

_BRACKETS = re.compile(r"\([^()]*\)")


class _Line(BaseModel):
    """One line of a file; what else is in it is passed over."""

    dialog_id: str
    context: list[str]
    rec: list[int]
    prev_entity: list[int]
    is_user: int


@dataclass(frozen=True)
class Utterance:
    """What one of the two said; the seeker is who wants a film."""

    by_seeker: bool
    text: str


@dataclass(frozen=True)
class Turn:
    """A conversation up to where the recommender names ``films``.

    ``films`` and ``seen``, what was named before, are bare titles.
    """

    dialogue: str
    said: tuple[Utterance, ...]
    films: tuple[str, ...]
    seen: frozenset[str]

    @property
    def words(self) -> str:
        """All that the seeker said."""
        return " ".join(utterance.text for utterance in self.said if utterance.by_seeker)


def read_turns(path: Path) -> list[Turn]:
    """The turns in which a film is named that was not named before.

    Raises:
        DataUnusable: a file is not there, or not what the benchmark's authors publish.
    """
    names = _names(path.with_name(NAMES))
    turns = [_turn(line, names, f"{path}, line {n}") for n, line in enumerate(_lines(path), 1)]
    found = [turn for turn in turns if turn is not None]
    if not found:
        raise DataUnusable(f"{path} holds no turn in which a film is recommended.")
    return found


def _turn(text: str, names: Mapping[int, str], place: str) -> Turn | None:
    try:
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        raise DataUnusable(f"{place} is no turn of the benchmark: {error}") from error
    if line.is_user:
        return None
    if unknown := [film for film in line.rec if film not in names]:
        raise DataUnusable(f"{place}: {NAMES} has no name for {unknown[0]}; take both of one set.")
    seen = frozenset(names[entity] for entity in line.prev_entity if entity in names)
    films = tuple(names[film] for film in line.rec if names[film] not in seen)
    return Turn(line.dialog_id, tuple(_utterances(line.context)), films, seen) if films else None


def _utterances(context: list[str]) -> Iterator[Utterance]:
    """The two take turns, and the recommender's is next: its own labels mistake some dialogues."""
    for before, text in zip(range(len(context), 0, -1), context, strict=True):
        if text.strip():
            yield Utterance(by_seeker=before % 2 == 1, text=text)


def _names(path: Path) -> dict[int, str]:
    """The bare title, without what stands in brackets, of each number's film."""
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
        return {int(number): _bare(address) for address, number in numbers.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DataUnusable(
            f"{path} cannot be read: {error}. The films' names are published beside the turns."
        ) from error


def _bare(address: str) -> str:
    name = address.rstrip(">").rpartition("/")[2].replace("_", " ")
    return bare_title(_BRACKETS.sub(" ", name))


def _lines(path: Path) -> Iterable[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataUnusable(f"{path} cannot be read: {error}") from error
