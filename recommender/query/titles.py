"""What people call films: full titles, their parts, nicknames, and misspellings of these."""

from collections.abc import Iterable, Sequence
from itertools import chain

from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.query.lexicon import load
from recommender.query.spelling import Spellings, typing_errors
from recommender.query.words import Words

_LEXICON = load("titles")
_NUMBERS: dict[str, str] = _LEXICON["numbers"]
_DROPPED = frozenset(_LEXICON["words"]["dropped"])
ARTICLES = frozenset(_LEXICON["words"]["articles"])


def title_key(words: Sequence[str]) -> str:
    """One spelling of a title's folded words: numbers as digits, no "part", no spaces."""
    plain = [_NUMBERS.get(word, word) for word in words]
    kept = [
        word
        for word, following in zip(plain, [*plain[1:], ""], strict=True)
        if not (word in _DROPPED and following.isdigit())
    ]
    return "".join(kept)


def without_article(words: Sequence[str]) -> Sequence[str]:
    """The words without a leading article, if others remain."""
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words


class TitleIndex:
    """Finds films by what people call them: full title, without article, its parts, nicknames."""

    def __init__(self, catalogue: Catalogue, everyday: frozenset[str]) -> None:
        self._everyday = everyday
        exact: dict[str, list[Item]] = {}
        short: dict[str, list[Item]] = {}
        for item in catalogue.items:
            words = Words.parse(item.title).keys
            exact.setdefault(title_key(words), []).append(item)
            for part in _parts(item.title):
                short.setdefault(title_key(part), []).append(item)
        self._names = short | self._aliases(catalogue) | exact
        self._names.pop("", None)
        self._spellings = Spellings(self._names)

    def _aliases(self, catalogue: Catalogue) -> dict[str, list[Item]]:
        titles = {item.title: item for item in reversed(catalogue.items)}
        return {
            title_key(Words.parse(alias).keys): [titles[title]]
            for alias, title in _LEXICON["aliases"].items()
            if title in titles
        }

    def exact(self, words: Sequence[str]) -> list[Item]:
        """Films called so, the most rated first."""
        found = self._names.get(title_key(words))
        return found or self._names.get(title_key(without_article(words)), [])

    def close(self, words: Sequence[str]) -> list[Item]:
        """Films called nearly so. Words that are all correctly written are no misspelling."""
        key = title_key(without_article(words))
        if self.ordinary(words) or not 5 <= len(key) <= 60:
            return []
        match = self._spellings.nearest(key, typing_errors(key))
        return self._names[match] if match else []

    def ordinary(self, words: Iterable[str]) -> bool:
        """Whether all the words are everyday words or numbers."""
        return all(word in self._everyday or word.isdigit() for word in words)


def _parts(title: str) -> list[Sequence[str]]:
    """What a title is shortened to: its halves around ":" or " - ", and each without article."""
    halves = [half for piece in title.split(": ") for half in piece.split(" - ")]
    pieces = [title, *halves] if len(halves) > 1 else [title]
    parts = [Words.parse(piece).keys for piece in pieces]
    full = [part for part in parts if len(part) > 1 or part == parts[0] or part == parts[1]]
    named = [part for part in full if not (part and part[0] in _DROPPED)]
    return list(chain.from_iterable((part, without_article(part)) for part in named))
