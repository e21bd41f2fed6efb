"""Reading what is measured on: a MovieLens folder, a catalogue of texts, and who is a stranger."""

import csv
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from fusion.errors import FusionError
from fusion.evaluate.protocol import Interactions, Rating, Swipe

RATINGS = "ratings.csv"
COLUMNS = ("userId", "movieId", "rating", "timestamp")
MOVIELENS = "Get a MovieLens archive from https://grouplens.org/datasets/movielens/ and unpack it."


class DataUnusable(FusionError):
    """A file to measure on is missing or malformed; the message names it and the mend."""


class Film(BaseModel):
    """What is known of a film beside ratings. Counts in the file are left unread: they know test
    users.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    item_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    director: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    overview: str = ""

    @property
    def text(self) -> str:
        """The film as one text to embed: all fields, the most telling first."""
        parts = [
            f"{self.title} ({self.year})" if self.year else self.title,
            ", ".join(self.genres),
            ", ".join(self.tags),
            self.overview.rstrip("."),
            f"Directed by {', '.join(self.director)}" if self.director else "",
            f"With {', '.join(self.cast[:4])}" if self.cast else "",
        ]
        return ". ".join(part for part in parts if part)


@dataclass(frozen=True)
class Dataset:
    """Films by index, and everyone's ratings of them."""

    films: tuple[Film, ...]
    everyone: Interactions

    @cached_property
    def digest(self) -> str:
        """What tells this data from other data: 16 hex digits over all films and ratings."""
        hashed = hashlib.sha256()
        for film in self.films:
            hashed.update(film.model_dump_json().encode())
        for user, ratings in sorted(self.everyone.by_user.items()):
            hashed.update(repr((user, [(r.item, r.value, r.timestamp) for r in ratings])).encode())
        return hashed.hexdigest()[:16]


@dataclass(frozen=True)
class Split:
    """Three sets of people with nobody in common; test people set aside may be in none."""

    train: Interactions
    validation: Interactions
    test: Interactions


def load(folder: Path, catalogue: Path, min_ratings: int = 15) -> Dataset:
    """Read the films that have a text in `catalogue` and `min_ratings` ratings in `folder`.

    Raises:
        DataUnusable: a file or a column is missing, a line does not parse, or no film remains.
    """
    films = {film.item_id: film for film in read_films(catalogue)}
    rows = list(_read_ratings(folder / RATINGS))
    counts = Counter(item for _, item, _ in rows)
    kept = _shuffled([film for film in films.values() if counts[film.item_id] >= min_ratings])
    if not kept:
        raise DataUnusable(f"No film of {catalogue} has {min_ratings} ratings in {folder}.")
    index = {film.item_id: k for k, film in enumerate(kept)}
    known = ((user, index[item], rest) for user, item, rest in rows if item in index)
    return Dataset(kept, _interactions(len(kept), known))


def read_films(catalogue: Path) -> list[Film]:
    """Read the films of a JSONL file, one object with `item_id` and `title` a line.

    Raises:
        DataUnusable: the file is missing or a line is no film.
    """
    films = []
    for number, line in enumerate(_lines(catalogue), 1):
        try:
            films.append(Film.model_validate(json.loads(line)))
        except (json.JSONDecodeError, ValidationError) as error:
            raise DataUnusable(f"{catalogue}, line {number}: {error}") from error
    return films


def split_users(
    everyone: Interactions,
    seed: int,
    validation: int = 60,
    test: int = 130,
    min_swipes: int = 25,
) -> Split:
    """Set `test` people aside, then seek `validation` active ones among the others, who train.

    People are drawn before anything is known of them. Of those set aside, the ones with
    `min_swipes` likes and dislikes are the test strangers and the rest are used for nothing, so
    who is set aside never hangs on which films take part or on how active a stranger must be.

    Raises:
        DataUnusable: there are too few active people, or nobody is left to train on.
    """
    people = sorted(everyone.by_user)
    drawn = [people[k] for k in np.random.default_rng(seed).permutation(len(people))]
    active = {user for user, n in _swipe_counts(everyone) if n >= min_swipes}
    strangers = [user for user in drawn[:test] if user in active]
    held = [user for user in drawn[test:] if user in active][:validation]
    train = set(drawn[test:]) - set(held)
    if len(held) < validation or not strangers or not train:
        raise DataUnusable(
            f"{test} people set aside, {validation} others with {min_swipes} likes and dislikes "
            f"and somebody to train on are wanted; {len(people)} people are there, "
            f"{len(active)} as active. Ask for fewer or take a larger MovieLens."
        )
    return Split(
        _people(everyone, train), _people(everyone, set(held)), _people(everyone, set(strangers))
    )


def merge(first: Interactions, second: Interactions) -> Interactions:
    """Both groups of people as one."""
    return Interactions(first.n_items, {**first.by_user, **second.by_user})


def _shuffled(films: Sequence[Film]) -> tuple[Film, ...]:
    """A catalogue may be sorted by popularity: a tie broken by index would know test users."""
    order = np.random.default_rng(0).permutation(len(films))
    return tuple(films[k] for k in order)


def _people(everyone: Interactions, users: set[int]) -> Interactions:
    kept = {user: ratings for user, ratings in everyone.by_user.items() if user in users}
    return Interactions(everyone.n_items, kept)


def _swipe_counts(everyone: Interactions) -> Iterator[tuple[int, int]]:
    for user, ratings in everyone.by_user.items():
        yield user, sum(Swipe.of(rating) is not None for rating in ratings)


def _interactions(n_items: int, rows: Iterable[tuple[int, int, tuple[float, int]]]) -> Interactions:
    by_user: defaultdict[int, list[Rating]] = defaultdict(list)
    for user, item, (value, timestamp) in rows:
        by_user[user].append(Rating(item, value, timestamp))
    for ratings in by_user.values():
        ratings.sort(key=lambda rating: (rating.timestamp, rating.item))
    return Interactions(n_items, dict(by_user))


def _read_ratings(path: Path) -> Iterator[tuple[int, str, tuple[float, int]]]:
    reader = csv.DictReader(_lines(path))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise DataUnusable(f"{path} lacks the columns {', '.join(missing)}. {MOVIELENS}")
    for row in reader:
        try:
            rest = float(row["rating"]), int(row["timestamp"])
            yield int(row["userId"]), row["movieId"], rest
        except (TypeError, ValueError) as error:
            raise DataUnusable(f"{path}, line {reader.line_num}: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from file
    except OSError as error:
        raise DataUnusable(f"{path} cannot be read: {error.strerror}. {MOVIELENS}") from error
