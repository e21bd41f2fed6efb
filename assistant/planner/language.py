"""Whether a message is English, another language, or no language at all."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import prompts
from recommender.kept import JSON, UNKEPT, Kept
from recommender.text import fold

_WORD = re.compile(r"[^\W\d_]+")
_GRAM = 3
_COMMON = 3
"""A trigram counts as usual from this many different words on."""
_USUAL_SHARE = 0.6


def is_foreign(text: str) -> bool:
    """Whether a message is written in another language or script than English."""
    letters = [c for c in text if c.isalpha()]
    if sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters) * 2 > len(letters):
        return True
    words = _WORD.findall(text.casefold())
    counts = {
        language: sum(word in known for word in words)
        for language, known in prompts.language_words().items()
    }
    english = counts.pop("english")
    return max(counts.values(), default=0) >= max(2, english + 1)


class Vocabulary:
    """The words that messages are likely made of."""

    def __init__(self, texts: Iterable[str], kept: Kept = UNKEPT) -> None:
        """``texts`` are read unless ``kept`` has their words."""
        made = kept.get("vocabulary", lambda: _words_and_grams(texts), JSON)
        self._words, self._usual = map(frozenset, made)

    def is_nonsense(self, text: str) -> bool:
        """Whether no word of a message is known or even looks like one; numbers are no words."""
        words = _WORD.findall(fold(text))
        if any(word in self._words and len(word) > 1 for word in words):
            return False
        grams = [gram for word in words for gram in _grams(word)]
        return sum(gram in self._usual for gram in grams) < _USUAL_SHARE * len(grams)


def _words_and_grams(texts: Iterable[str]) -> tuple[set[str], set[str]]:
    words = {word for text in texts for word in _WORD.findall(fold(text))}
    counts = Counter(gram for word in words for gram in set(_grams(word)))
    return words, {gram for gram, count in counts.items() if count >= _COMMON}


def _grams(word: str) -> list[str]:
    bounded = f"^{word}$"
    return [bounded[n : n + _GRAM] for n in range(max(len(bounded) - _GRAM + 1, 1))]
