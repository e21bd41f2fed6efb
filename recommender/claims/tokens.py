"""A sentence as words, numbers, marks and names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.claims.lexicon import all_words, table
from recommender.claims.phrases import LABEL, WORD
from recommender.models import Item

_MARKUP = re.compile(r"[*_`]+")
_PLAIN = {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‑": "-"}
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:st|nd|rd|th|s)?\b|'s\b|[^\W\d_]+(?:'[a-z]+)?|[,;:.!()\"'–—-]")
_QUOTES = ('"', "'")


@dataclass(frozen=True)
class Token:
    """A word, number, mark or name; ``names`` are the facts' own that it may be a form of."""

    text: str
    names: tuple[str, ...] = ()


class Tokeniser:
    """Knows the film and all names that may be said."""

    def __init__(self, item: Item, roles: Mapping[str, str]) -> None:
        """``roles`` are the names with the part each plays."""
        self._item = item
        self._labels = [name for name, role in roles.items() if role in (LABEL, WORD)]
        self._proper = frozenset({item.title, *roles}.difference(self._labels))

    def unmarked(self, sentence: str) -> str:
        """Emphasis is taken out, but not of a name such as M*A*S*H."""
        names = (*self._proper, *self._labels)
        marked = [re.escape(name) for name in names if _MARKUP.search(name)]
        parts = re.split(f"({'|'.join(marked)})" if marked else r"(?!)", " ".join(sentence.split()))
        return "".join(
            part if place % 2 else _MARKUP.sub("", part) for place, part in enumerate(parts)
        )

    def tokens(self, sentence: str) -> list[Token] | None:
        """Without quotation marks; None where anything but names is quoted or cannot be read."""
        found = self._read(_plain(sentence))
        if found is None or not _quotes_names_only(found):
            return None
        return [token for token in found if token.names or token.text not in _QUOTES]

    def _read(self, said: str) -> list[Token] | None:
        tokens: list[Token] = []
        place = 0
        while place < len(said):
            if said[place].isspace():
                place += 1
            elif named := self._name_at(said, place):
                end, names = named
                tokens.append(Token(said[place:end], names))
                place = end
            elif found := _TOKEN.match(said, place):
                text = found[0].lower()
                tokens += map(Token, table("contractions").get(text, text).split())
                place = found.end()
            else:
                return None
        return tokens

    def _name_at(self, said: str, start: int) -> tuple[int, tuple[str, ...]] | None:
        """The longest names that begin there; the film's own may be followed by its year.

        A label that is one of the lexicon's words is a name only where it is quoted.
        """
        before = said[start - 1 : start]
        if before.isalnum():
            return None
        spans = [
            (found.end(), name)
            for pattern, name in self._patterns
            if (found := pattern.match(said, start))
            and (before in _QUOTES or name in self._proper or found[0].lower() not in all_words())
        ]
        if not spans:
            return None
        end = max(end for end, _ in spans)
        names = tuple(name for ends, name in spans if ends == end)
        year = f" ({self._item.year})"
        if self._item.title in names and said.startswith(year, end):
            end += len(year)
        return end, names

    @cached_property
    def _patterns(self) -> Sequence[tuple[re.Pattern[str], str]]:
        """How each name may be written: titles and people as they are, labels in any case."""
        return [(_pattern(name, re.NOFLAG), name) for name in self._proper] + [
            (_pattern(form, re.IGNORECASE), name) for name in self._labels for form in _forms(name)
        ]


def _forms(label: str) -> Sequence[str]:
    return [label, f"{label}s", *table("genres").get(label, ())]


def _pattern(form: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(_plain(form))}(?!\w)", flags)


def _plain(text: str) -> str:
    return "".join(_PLAIN.get(letter, letter) for letter in text)


def _quotes_names_only(tokens: Sequence[Token]) -> bool:
    """Whether all that stands in quotation marks is names."""
    inside = False
    for token in tokens:
        if not token.names and token.text in _QUOTES:
            inside = not inside
        elif inside and not token.names and token.text not in (",", "and"):
            return False
    return not inside
