"""Mends the misspelt words of asking: "movis lik Heat" is "movies like Heat"."""

from collections.abc import Iterable, Set
from dataclasses import replace

from recommender.query.filler import Filler
from recommender.query.lexicon import english_words, load
from recommender.query.spelling import Spellings
from recommender.query.words import Words

SHORTEST, SHORTEST_NAME = 3, 5
_LEXICON = load("filler")
_LINKS = frozenset(_LEXICON["misspelt_links"])
_ASKING = frozenset((*_LEXICON["misspelt"], *_LEXICON["phrases"])) - _LINKS
_REFUSING = frozenset(load("genres")["words"]["negators"])
_ARTICLES = frozenset(load("titles")["words"]["articles"])


class Typos:
    """Knows the words of asking, and which words are spelt as they should be."""

    def __init__(self, known: Set[str], genres: Iterable[str], filler: Filler) -> None:
        """``known``: words that are no misspelling, besides those of common English. ``genres``
        are mended too.
        """
        self._known = known
        self._filler = filler
        self._genres = frozenset(genres)
        long = (name for name in self._genres if len(name) >= SHORTEST_NAME)
        self._spellings = Spellings([*_LEXICON["misspelt"], *_LINKS, *long])

    def mended(self, words: Words) -> Words:
        """The same words with those of asking spelt right.

        A capital inside a sentence begins a name.
        """
        meant = [self._meant(words, index) for index in range(len(words))]
        if meant == list(words.keys):
            return words
        left = self._filler.strip(words).left()
        lone = left.start if left and left.end - left.start == 1 else None
        return replace(
            words,
            words=tuple(
                replace(word, text=key, key=key)
                if key != word.key and self._shown(meant, index, lone)
                else word
                for index, (word, key) in enumerate(zip(words.words, meant, strict=True))
            ),
        )

    def _meant(self, words: Words, index: int) -> str:
        key = words.key(index)
        named = index and words.capital(index)
        if named or len(key) < SHORTEST or key in self._known or key in english_words():
            return key
        return self._spellings.nearest(key, 1) or key

    def _shown(self, meant: list[str], index: int, lone: int | None) -> bool:
        """Whether what stands beside a word shows that it is meant for a word of asking or a genre;
        a genre may also be all that is asked for, the ``lone`` word.
        """
        before = next((key for key in reversed(meant[:index]) if key not in _ARTICLES), "")
        after = next((key for key in meant[index + 1 :] if key not in _ARTICLES), "")
        if meant[index] in self._genres:
            return index == lone or before in _ASKING | _REFUSING or after in _ASKING
        signs = _ASKING | self._genres
        if meant[index] in _LINKS:
            return before in signs
        return before in signs or after in signs | _LINKS
