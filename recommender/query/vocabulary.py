"""The everyday words of a catalogue: what its films' descriptions are made of."""

import re
from collections.abc import Iterable

from recommender.catalogue import Catalogue
from recommender.query.genres import genre_phrases, mood_phrases
from recommender.query.lexicon import load
from recommender.query.words import fold

_WORD = re.compile(r"[\w'’]+")
_LEXICONS = ("genres", "moods", "titles", "people", "years", "filler")


def everyday_words(catalogue: Catalogue) -> frozenset[str]:
    """The folded words of all overviews and tags, and of our own word lists.

    A film's title or a surname made of such words alone needs a clearer context to be one, and
    a word among these is not taken for a misspelling of another.
    """
    texts = (" ".join((item.overview, *item.tags)) for item in catalogue.items)
    spelt_together = {*genre_phrases().keys, *mood_phrases().keys}
    return _words_of(texts) | _own_words() | spelt_together


def _own_words() -> frozenset[str]:
    return _words_of(str(load(name)) for name in _LEXICONS)


def _words_of(texts: Iterable[str]) -> frozenset[str]:
    words = {word for text in texts for word in _WORD.findall(text.lower())}
    return frozenset(map(fold, words))
