"""The product's own swipes as a file to learn from: what `reelwise export-swipes` writes."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from fusion.evaluate.data import Dataset, DataUnusable, read_films
from fusion.evaluate.protocol import Interactions, Rating

VALUES = {"like": 5.0, "dislike": 1.0}
"""A skip says nothing of taste and has no value."""
MEND = "Make the file anew with: reelwise export-swipes --out swipes.jsonl"


class LoggedSwipe(BaseModel):
    """One line: what somebody, under a name that says nothing, thinks of a film."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    item_id: str
    direction: Literal["like", "dislike", "skip"]
    swiped_at: AwareDatetime


def read_swipe_log(path: Path, catalogue: Path) -> Dataset:
    """Read all films of ``catalogue`` and everyone's likes and dislikes of them.

    Swipes of films that are not in the catalogue are passed over; of two swipes of one film by one
    person the later line counts.

    Raises:
        DataUnusable: a file is missing, a line is no swipe, or no swipe says anything of a film.
    """
    films = tuple(read_films(catalogue))
    index = {film.item_id: row for row, film in enumerate(films)}
    latest: dict[str, dict[int, Rating]] = defaultdict(dict)
    for swipe in _lines(path):
        if swipe.direction in VALUES and swipe.item_id in index:
            row = index[swipe.item_id]
            moment = int(swipe.swiped_at.timestamp())
            latest[swipe.person][row] = Rating(row, VALUES[swipe.direction], moment)
    if not latest:
        raise DataUnusable(f"{path} holds no like and no dislike of a film of {catalogue}. {MEND}")
    ratings = (
        sorted(of_one.values(), key=lambda rating: (rating.timestamp, rating.item))
        for _, of_one in sorted(latest.items())
    )
    return Dataset(films, Interactions(len(films), dict(enumerate(ratings, 1))))


def write_swipe_log(path: Path, swipes: Iterator[LoggedSwipe]) -> int:
    """Write one swipe a line; how many there are. Raises DataUnusable where that cannot be."""
    try:
        with path.open("w", encoding="utf-8") as file:
            return sum(file.write(swipe.model_dump_json() + "\n") > 0 for swipe in swipes)
    except OSError as error:
        raise DataUnusable(f"{path} cannot be written: {error.strerror}.") from error


def _lines(path: Path) -> Iterator[LoggedSwipe]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                yield _swipe(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise DataUnusable(f"{path} cannot be read: {error}. {MEND}") from error


def _swipe(path: Path, number: int, line: str) -> LoggedSwipe:
    try:
        return LoggedSwipe.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        problem = str(error)
    except ValidationError as error:
        first = error.errors()[0]
        problem = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    raise DataUnusable(f"{path}, line {number} is no swipe: {problem}. {MEND}")
