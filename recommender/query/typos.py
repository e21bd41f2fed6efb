"""Mends the misspelt words of asking: "movis lik Heat" is "movies like Heat"."""

from collections.abc import Iterable, Set
from dataclasses import replace

from recommender.query.lexicon import english_words, load
from recommender.query.spelling import Spellings
from recommender.query.words import Word, Words

SHORTEST, SHORTEST_NAME = 3, 5


class Typos:
    """Knows the words of asking, and which words are spelt as they should be."""

    def __init__(self, known: Set[str], names: Iterable[str]) -> None:
        """``known``: words that are no misspelling, besides those of common English. ``names`` of
        genres are mended too.
        """
        self._known = known
        long = (name for name in names if len(name) >= SHORTEST_NAME)
        self._spellings = Spellings([*load("filler")["misspelt"], *long])

    def mended(self, words: Words) -> Words:
        """The same words with those of asking spelt right.

        A capital inside a sentence begins a name.
        """
        return replace(
            words,
            words=tuple(
                word if index and words.capital(index) else self._mended(word)
                for index, word in enumerate(words.words)
            ),
        )

    def _mended(self, word: Word) -> Word:
        key = word.key
        if len(key) < SHORTEST or key in self._known or key in english_words():
            return word
        meant = self._spellings.nearest(key, 1)
        return replace(word, text=meant, key=meant) if meant else word
