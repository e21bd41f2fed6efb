"""Films a query compares with: "something like Heat", "Jaws meets Clueless"."""

from dataclasses import dataclass
from typing import Literal

from recommender.models import Item
from recommender.query.lexicon import Phrases, load
from recommender.query.titles import ARTICLES, TitleIndex, is_year, title_key, without_article
from recommender.query.words import Span, Words

Strength = Literal["strong", "weak"]

LONGEST = 16
LONGEST_MISSPELT = 6
_LEXICON = load("titles")
_PRONOUNS = frozenset(_LEXICON["words"]["pronouns"])
_BOUNDARIES = frozenset(_LEXICON["words"]["boundaries"])
_OPEN = frozenset(_LEXICON["words"]["open"])
_ORIGINAL = frozenset(_LEXICON["words"]["original"])
_CHANGES = frozenset(_LEXICON["words"]["changes"])


@dataclass(frozen=True)
class NamedFilm:
    """A film that the query names: ``span`` holds its title, year, and the words that led to it.

    ``compared``: words such as "like" said that something similar is asked for.
    """

    span: Span
    item: Item
    compared: bool


@dataclass(frozen=True)
class _Mention:
    span: Span
    items: list[Item]


class TitleFinder:
    """Finds the films a query compares with ("something like Heat", "Jaws meets Clueless")."""

    def __init__(self, index: TitleIndex) -> None:
        self._index = index
        weak: dict[str, Strength] = dict.fromkeys(_LEXICON["cues"]["weak"], "weak")
        strong: dict[str, Strength] = dict.fromkeys(_LEXICON["cues"]["strong"], "strong")
        self._cues = Phrases(weak | strong)
        self._articles = Phrases.of(_LEXICON["cues"]["articles"])
        self._negators = Phrases.of(_LEXICON["cues"]["negators"])
        self._joiners = frozenset(_LEXICON["cues"]["joiners"])
        self._subjects = frozenset(_LEXICON["cues"]["subjects"])
        self._after = frozenset(_LEXICON["cues"]["after"])
        self._subjects_of = frozenset(_LEXICON["cues"]["subjects_of"])

    def find(self, words: Words) -> list[NamedFilm]:
        """The films named, from left to right, each once."""
        found: list[NamedFilm] = []
        index = 0
        while index < len(words):
            film = self._at(words, index, found)
            if film and film.item not in [earlier.item for earlier in found]:
                found.append(film)
            index = film.span.end if film else index + 1
        return found

    def _at(self, words: Words, start: int, found: list[NamedFilm]) -> NamedFilm | None:
        cue = self._cue(words, start, found)
        mention = self._mention(words, start, misspelt=cue is not None and cue[1] == "strong")
        if not mention or not self._accepted(words, mention, cue[1] if cue else "none"):
            return None
        item, end = _choose(words, mention)
        compared = cue is not None or self._announced_after(words, end)
        end += words.key(end) in self._after and words.key(end) not in _OPEN
        return NamedFilm(Span(cue[0] if cue else start, end), item, compared)

    def _mention(self, words: Words, start: int, *, misspelt: bool) -> _Mention | None:
        keys = words.following(start, LONGEST)
        count, items = self._index.longest(keys)
        if items:
            return _Mention(Span(start, start + count), items)
        for count in range(min(len(keys), LONGEST_MISSPELT), 0, -1) if misspelt else ():
            if items := self._index.close(keys[:count]):
                return _Mention(Span(start, start + count), items)
        return None

    def _cue(self, words: Words, start: int, found: list[NamedFilm]) -> tuple[int, Strength] | None:
        """Where the words that announce a title before ``start`` begin, and how clearly they do."""
        if found and self._joined(words, found[-1].span.end, start):
            return found[-1].span.end, "strong"
        article = self._articles.ending(words, start)
        for end in (start, article[0].start) if article else (start,):
            if cue := self._cues.ending(words, end):
                (begin, _), strength = cue
                verb = words.key(begin) == "like" and words.key(begin - 1) in self._subjects
                return begin, "weak" if verb else strength
        return None

    def _joined(self, words: Words, end: int, start: int) -> bool:
        """Whether at most an "and" stands between the end of one title and the start of another."""
        joiners = [words.key(index) for index in range(end, start)]
        return len(joiners) <= 2 and all(joiner in self._joiners for joiner in joiners)

    def _accepted(self, words: Words, mention: _Mention, cue: str) -> bool:
        start, end = mention.span
        keys = words.window(mention.span)
        if self._denied(words, start):
            return False
        if words.quoted(mention.span):
            return True
        capitals = all(words.capital(i) for i in range(start, end) if words.key(i) not in ARTICLES)
        closed = words.pauses(end - 1) or words.key(end) in _BOUNDARIES or is_year(words.key(end))
        distinct = not self._index.ordinary(keys)
        if keys[-1] in _PRONOUNS and len(keys) == 1 and not capitals:
            return False
        if cue == "strong":
            return distinct or closed or (capitals and not keys[0].isdigit())
        lettered = capitals and not title_key(keys).isdigit()
        several = len(without_article(keys)) > 1
        if cue == "weak" or self._announced_after(words, end):
            return distinct or (closed and (lettered or several))
        subject = words.key(start - 1) in self._subjects_of
        return several and not subject and (distinct or lettered)

    def _denied(self, words: Words, start: int) -> bool:
        begin = max(words.clause(start), start - 5)
        return any(self._negators.starting(words, i) for i in range(begin, start))

    def _announced_after(self, words: Words, end: int) -> bool:
        if words.key(end) == "but":
            return words.key(end + 1) in _CHANGES or words.key(end + 1).endswith("er")
        return words.key(end) in self._after


def _choose(words: Words, mention: _Mention) -> tuple[Item, int]:
    """The film meant and where its mention ends, with the year that follows the title."""
    end = mention.span.end
    year = words.key(end)
    if words.key(mention.span.start - 1) in _ORIGINAL:
        return min(mention.items, key=lambda item: item.year or 0), end
    if not is_year(year):
        return mention.items[0], end
    bracketed = words.words[end - 1].after.strip().endswith("(")
    nearest = min(mention.items, key=lambda item: abs((item.year or 0) - int(year)))
    if bracketed or abs((nearest.year or 0) - int(year)) <= 1:
        return nearest, end + 1
    return mention.items[0], end
