"""Mends the misspelt words of asking: "movis lik Heat" is "movies like Heat"."""

from collections.abc import Set
from dataclasses import replace

from recommender.query.lexicon import english_words, load
from recommender.query.spelling import Spellings
from recommender.query.words import Word, Words

SHORTEST = 3


class Typos:
    """Knows the words of asking, and which words are spelt as they should be."""

    def __init__(self, known: Set[str]) -> None:
        """``known``: words that are no misspelling, besides those of common English."""
        self._known = known
        self._spellings = Spellings(load("filler")["misspelt"])

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
