"""The plain text in which tools hand facts to a chat model, and its reader.

One fact a line: ``key: value``, and films as ``1. Heat (1995) [id:6] Crime, Drama``. Values never
hold line breaks, so no title or overview can pose as another fact.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FILM = re.compile(r"(\d+)\. (.*?)(?: \((\d{4})\))? \[id:([^\]]*)\](?: (.*))?")
_FIELD = re.compile(r"([a-z ]+): (.*)")


@dataclass(frozen=True)
class FilmLine:
    """A film as one line of content. ``note`` is whatever else the line says."""

    item_id: str
    title: str
    year: int | None
    note: str = ""

    @property
    def label(self) -> str:
        """Title and, where known, year."""
        return label(self.title, self.year)


@dataclass(frozen=True)
class Content:
    """The facts of one tool message."""

    fields: Mapping[str, str]
    films: tuple[FilmLine, ...]

    def values(self, key: str) -> list[str]:
        """The parts of a field that holds a list."""
        return [part for part in self.fields.get(key, "").split("; ") if part]


def label(title: str, year: int | None) -> str:
    """``Heat (1995)``, or the title alone where the year is unknown."""
    return f"{title} ({year})" if year else title


def write(fields: Mapping[str, object], films: Iterable[FilmLine] = ()) -> str:
    """Lay out facts and films; empty values are left out, sequences are joined by ``; ``."""
    lines = [f"{key}: {_flat(value)}" for key, value in fields.items() if value not in ("", (), [])]
    for number, film in enumerate(films, start=1):
        line = f"{number}. {_line(film.label)} [id:{_line(film.item_id)}] {_line(film.note)}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def read(content: str) -> Content:
    """Read what `write` laid out; other lines are passed over."""
    fields: dict[str, str] = {}
    films: list[FilmLine] = []
    for line in content.splitlines():
        if film := _FILM.fullmatch(line):
            year = int(film[3]) if film[3] else None
            films.append(FilmLine(film[4], film[2], year, film[5] or ""))
        elif field := _FIELD.fullmatch(line):
            fields[field[1]] = field[2]
    return Content(fields, tuple(films))


def _flat(value: object) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(_line(part) for part in value)
    return _line(value)


def _line(value: object) -> str:
    return " ".join(str(value).split())
