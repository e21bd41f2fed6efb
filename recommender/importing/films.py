"""What a source says of a film, checked before it may become one of the catalogue."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from pydantic import ValidationError

from recommender.importing.report import Report
from recommender.models import Item

MAX_TITLE = 500
MAX_OVERVIEW = 20_000
MAX_NAMES = 200
MAX_NAME = 200
YEARS = (1, 2100)
LARGEST = 2**31 - 1
"""What the index has room for in a count or in TMDB's ids."""

_YEAR = re.compile(r"([+-]?\d{1,5})(?:[-/.]\d{1,2}){0,2}(?:[T ].*)?")


class Unusable(ValueError):
    """What no film can be made of; the message says why."""


class Collector:
    """Gathers films by id; what cannot be one goes to the report."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lines: dict[str, int] = {}
        self.items: list[Item] = []

    def add(self, file: str, line: int, make: Callable[[], Mapping[str, object]]) -> None:
        """Take the film that ``make`` gives the facts of, which may raise Unusable."""
        try:
            item = checked(make())
            if item.item_id in self._lines:
                first = self._lines[item.item_id]
                raise Unusable(f"the id {item.item_id!r} is that of line {first} already")
        except Unusable as error:
            self._report.fault(file, line, str(error))
        else:
            self._lines[item.item_id] = line
            self.items.append(item)


def checked(facts: Mapping[str, object]) -> Item:
    """A film of these facts. Raises Unusable."""
    try:
        item = Item.model_validate(dict(facts))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise Unusable(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error
    _within("title", len(item.title), MAX_TITLE, "characters")
    _within("overview", len(item.overview), MAX_OVERVIEW, "characters")
    for field in ("genres", "director", "cast", "tags"):
        names: tuple[str, ...] = getattr(item, field)
        _within(field, len(names), MAX_NAMES, "names")
        _within(field, max(map(len, names), default=0), MAX_NAME, "characters in a name")
    _within("rating_count", item.rating_count, LARGEST, "ratings")
    _within("tmdb_id", item.tmdb_id or 0, LARGEST, "at most")
    if item.year is not None and not YEARS[0] <= item.year <= YEARS[1]:
        raise Unusable(f"the year {item.year} is not between {YEARS[0]} and {YEARS[1]}")
    return item


def _within(field: str, value: int, limit: int, unit: str) -> None:
    if value > limit:
        raise Unusable(f"{field} has {value:,}; the limit is {limit:,} {unit}")


def plain(value: object) -> str:
    """A text with single blanks. Raises Unusable for characters that are no text."""
    if value is None:
        return ""
    text = " ".join(str(value).split())
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise Unusable("it holds control characters")
    return text


def names(values: Iterable[object], limit: int = MAX_NAMES) -> tuple[str, ...]:
    """The first ``limit`` different names that are not empty."""
    return tuple(dict.fromkeys(name for value in values if (name := plain(value))))[:limit]


def year(value: object) -> int | None:
    """The year of a number or a date; None where there is none. Raises Unusable."""
    text = plain(value)
    if not text or text == "nan":
        return None
    match = _YEAR.fullmatch(text.removesuffix(".0"))
    if not match:
        raise Unusable(f"{text[:40]!r} is no year")
    return int(match[1])


def number(value: object, what: str) -> float | None:
    """A number; None where there is none. Raises Unusable."""
    text = plain(value)
    if not text or text == "nan":
        return None
    try:
        found = float(text)
    except ValueError:
        raise Unusable(f"{what} {text[:40]!r} is no number") from None
    if not math.isfinite(found):
        raise Unusable(f"{what} {text[:40]!r} is no number")
    return found


def whole(value: object, what: str) -> int | None:
    """A whole number; None where there is none. Raises Unusable."""
    found = number(value, what)
    if found is not None and found != int(found):
        raise Unusable(f"{what} {found!r} is no whole number")
    return None if found is None else int(found)


def mean(ratings: float | None, scale: float) -> float | None:
    """A mean rating out of ``scale``, as stars out of five."""
    return None if ratings is None else round(ratings * 5 / scale, 2)
