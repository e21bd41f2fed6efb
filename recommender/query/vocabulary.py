"""The everyday words of a catalogue: what its films' descriptions are made of."""

import re

from recommender.catalogue import Catalogue
from recommender.query.lexicon import load
from recommender.query.words import fold

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LEXICONS = ("genres", "moods", "titles", "people", "years", "filler")


def everyday_words(catalogue: Catalogue) -> frozenset[str]:
    """The folded words of all overviews and tags, and of our own word lists.

    A film's title or a surname made of such words alone needs a clearer context to be one, and
    a word among these is not taken for a misspelling of another.
    """
    texts = {text.lower() for item in catalogue.items for text in (item.overview, *item.tags)}
    written = {word for text in texts for word in _WORD.findall(text)}
    return frozenset(map(fold, written)) | _own_words()


def _own_words() -> frozenset[str]:
    listed = " ".join(str(load(name)).lower() for name in _LEXICONS)
    return frozenset(map(fold, _WORD.findall(listed)))
