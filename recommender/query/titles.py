"""What people call films: full titles, their parts, nicknames, and misspellings of these."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence, Set
from functools import cached_property
from itertools import takewhile, zip_longest

from recommender.catalogue import Catalogue
from recommender.kept import JSON, UNKEPT, Kept
from recommender.models import Item
from recommender.query.lexicon import english_words, load
from recommender.query.spelling import Spellings, typing_errors
from recommender.query.words import keys_of

Rows = list[int]
"""Where films stand in the catalogue."""
TELLING_LENGTH = 6
_LEXICON = load("titles")
_NUMBERS: dict[str, str] = _LEXICON["numbers"]
_DROPPED = frozenset(_LEXICON["words"]["dropped"])
ARTICLES = frozenset(_LEXICON["words"]["articles"])


def is_year(word: str) -> bool:
    """Whether a word is a year."""
    return len(word) == 4 and word.isdecimal()


def normal(words: Sequence[str]) -> list[str]:
    """A title's folded words with numbers as digits and "part", "vol." before a number empty."""
    digits = [_NUMBERS.get(word, word) for word in words]
    return [
        "" if word in _DROPPED and after.isdigit() else word
        for word, after in zip_longest(digits, digits[1:], fillvalue="")
    ]


def title_key(words: Sequence[str]) -> str:
    """One spelling of a title's folded words, without spaces."""
    return "".join(normal(words))


def without_article(words: Sequence[str]) -> Sequence[str]:
    """The words without a leading article, if others remain."""
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words


class TitleIndex:
    """Finds films by what people call them: full title, without article, its parts, nicknames."""

    def __init__(
        self,
        catalogue: Catalogue,
        everyday: frozenset[str],
        names: Set[str] = frozenset(),
        kept: Kept = UNKEPT,
    ) -> None:
        """``names``: words of people's names, which are no misspelt title."""
        self._items = catalogue.items
        self._everyday = everyday
        self._names_of_people = names
        self._names: dict[str, Rows] = kept.get("titles", self._made, JSON)
        self._sorted = sorted(self._names)
        self._spellings = Spellings(self._names)

    def _made(self) -> dict[str, Rows]:
        exact: dict[str, Rows] = {}
        bare: dict[str, Rows] = {}
        short: dict[str, Rows] = {}
        for row, item in enumerate(self._items):
            words = keys_of(item.title)
            exact.setdefault(title_key(words), []).append(row)
            bare.setdefault(title_key(without_article(words)), []).append(row)
            for part in parts(item.title):
                short.setdefault(title_key(part), []).append(row)
        names = self._telling_words() | short | self._aliases() | bare | exact
        names.pop("", None)
        return names

    def _aliases(self) -> dict[str, Rows]:
        titles = {item.title: row for row, item in reversed(list(enumerate(self._items)))}
        return {
            title_key(keys_of(alias)): [titles[title]]
            for alias, title in _LEXICON["aliases"].items()
            if title in titles
        }

    def _telling_words(self) -> dict[str, Rows]:
        """Words of one title that are no English, nobody's name and in no description."""
        known = english_words() | self._everyday | self._names_of_people
        titles: dict[str, Rows] = {}
        for row, item in enumerate(self._items):
            for word in set(keys_of(item.title)) - known:
                titles.setdefault(word, []).append(row)
        return {
            word: rows
            for word, rows in titles.items()
            if len(rows) == 1 and len(word) >= TELLING_LENGTH
        }

    def exact(self, words: Sequence[str]) -> list[Item]:
        """Films called so, the most rated first."""
        found = self._names.get(title_key(words))
        return self._films(found or self._names.get(title_key(without_article(words)), []))

    def longest(self, words: Sequence[str]) -> tuple[int, list[Item]]:
        """The films whose name most of the first words are, and how many words these are."""
        skipped = len(words) - len(without_article(words))
        length = max(self._reach(words), skipped + self._reach(words[skipped:]))
        return length, self.exact(words[:length])

    def _reach(self, words: Sequence[str]) -> int:
        """How many of the first words make the longest name."""
        prefix, reach = "", 0
        for count, word in enumerate(normal(words), 1):
            prefix += word
            position = bisect_left(self._sorted, prefix)
            if position == len(self._sorted) or not self._sorted[position].startswith(prefix):
                break
            if self._sorted[position] == prefix:
                reach = count
        return reach

    def beginning(self, words: Sequence[str]) -> list[int]:
        """The catalogue's rows of the films that are called so, or whose name begins so.

        Another name of one film, such as "lotr", is that of all whose titles begin as its does.
        """
        whole, words = title_key(words), without_article(words)
        prefix = title_key(words)
        position = bisect_left(self._sorted, prefix)
        names = takewhile(lambda name: name.startswith(prefix), self._sorted[position:])
        rows = [row for name in names for row in self._names[name] if self._begins(row, words)]
        for row in (*self._names.get(prefix, ()), *self._names.get(whole, ())):
            rows.append(row)
            first, *rest = self._items[row].title.split(": ")
            if rest and set(words).isdisjoint(keys_of(self._items[row].title)):
                rows += self.beginning(keys_of(first))
        return list(dict.fromkeys(rows))

    def holding(self, words: Sequence[str]) -> list[int]:
        """The catalogue's rows of the films in whose titles these words stand side by side, if one
        of them is no plain word.
        """
        telling = next((word for word in words if word in self._by_word), "")
        name = f" {' '.join(words)} "
        rows = self._by_word.get(telling, ())
        return [row for row in rows if name in f" {' '.join(keys_of(self._items[row].title))} "]

    @cached_property
    def _by_word(self) -> dict[str, Rows]:
        """Where the words of titles stand that are no plain English."""
        found: dict[str, Rows] = {}
        for row, item in enumerate(self._items):
            for word in set(keys_of(item.title)) - english_words():
                found.setdefault(word, []).append(row)
        return found

    def _begins(self, row: int, words: Sequence[str]) -> bool:
        title = self._items[row].title
        named, whole = normal(words), keys_of(title)
        forms = (whole, without_article(whole), *parts(title))
        return any(normal(form)[: len(named)] == named for form in forms)

    def close(self, words: Sequence[str]) -> list[Item]:
        """Films called nearly so. Words that are all correctly written are no misspelling."""
        key = title_key(without_article(words))
        written = all(map(self._is_written, words))
        if written or not 5 <= len(key) <= 60:
            return []
        match = self._spellings.nearest(key, typing_errors(key))
        return self._films(self._names[match]) if match else []

    def _is_written(self, word: str) -> bool:
        known = word in self._names_of_people or word in english_words()
        return known or self.ordinary([word])

    def _films(self, rows: Rows) -> list[Item]:
        return [self._items[row] for row in rows]

    def ordinary(self, words: Iterable[str]) -> bool:
        """Whether all the words are everyday words or numbers."""
        return all(word in self._everyday or word.isdigit() for word in words)


def parts(title: str) -> list[Sequence[str]]:
    """The halves of a title around ":" or " - ", the second only if it has several words."""
    first, *others = [keys_of(half) for piece in title.split(": ") for half in piece.split(" - ")]
    if not others:
        return []
    telling = [half for half in others if len(half) > 1 and half[0] not in _DROPPED]
    return [form for half in (first, *telling) for form in (half, without_article(half))]
