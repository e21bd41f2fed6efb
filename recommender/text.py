"""How a film becomes text, for the embedding and for the words index."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import filterfalse

import Stemmer

from recommender.models import Item

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_stem = Stemmer.Stemmer("english")
STOP_WORDS = frozenset(
    "a about again all also am an and any are as at be been being but by can could did do does "
    "doing done during each even ever every for from get gets getting goes had has have he her "
    "here him his how i in into is it its just many me more most much must my no not of off on "
    "one only or other our out over own quite rather really same she should so some such than "
    "that the their them then there these they this those through to too under until very was we "
    "were what when where whether which while who whose why will with would yet you your".split()
)
"""They tell no film from another. What is a title is found as one, "Get Out" as well."""


def fold(text: str) -> str:
    """Lower case without diacritics: "Amélie" and "amelie" are one word."""
    if text.isascii():  # most texts are, and a start folds all of the catalogue's
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(filterfalse(unicodedata.combining, decomposed)).lower()


@lru_cache(maxsize=50_000)
def _stemmed(word: str) -> str:
    return str(_stem.stemWord(word.replace("'", "")))


def words(text: str) -> list[str]:
    """The folded words of a text, in order, without punctuation."""
    return _WORD.findall(fold(text))


def bare_title(title: str) -> str:
    """The folded words of a title without a leading article, joined by blanks."""
    found = re.findall(r"\w+", fold(title))
    return " ".join(found[1:] if len(found) > 1 and found[0] in {"the", "a", "an"} else found)


def terms(text: str) -> list[str]:
    """The stemmed content words of a text, in order, with repeats."""
    return [_stemmed(word) for word in words(text) if word not in STOP_WORDS]


def embedding_text(item: Item) -> str:
    """The text whose embedding stands for a film: all fields, the most telling first."""
    people = ", ".join(item.director)
    cast = ", ".join(item.cast[:4])
    parts = [
        f"{item.title} ({item.year})" if item.year else item.title,
        ", ".join(item.genres),
        ", ".join(item.tags),
        item.overview,
        f"{item.credit} {people}." if people else "",
        f"With {cast}." if cast else "",
    ]
    return ". ".join(part.rstrip(".") for part in parts if part)


def index_text(item: Item) -> str:
    """The words by which a film can be found; title, people and tags count twice."""
    strong = _strong_text(item)
    return " ".join((strong, strong, _weak_text(item)))


def index_terms(item: Item) -> list[str]:
    """A film's words as the index holds them, each tag of several words also as one term."""
    strong = terms(_strong_text(item))
    return [*strong, *strong, *terms(_weak_text(item)), *_tag_phrases(item)]


def with_phrases(words: Sequence[str]) -> list[str]:
    """Words, then each run of two or three of them as one term, as tags are indexed."""
    runs = (words[i : i + n] for n in (2, 3) for i in range(len(words) - n + 1))
    return [*words, *map(_phrase, runs)]


def _strong_text(item: Item) -> str:
    return " ".join((item.title, *item.people, *item.tags))


def _weak_text(item: Item) -> str:
    return " ".join((*item.genres, _when(item), item.overview))


def _when(item: Item) -> str:
    return f"{item.year // 10 * 10}s {item.year}" if item.year else ""


def _labels(item: Item) -> list[str]:
    return [*terms(" ".join((*item.genres, *item.tags, _when(item)))), *_tag_phrases(item)]


def _tag_phrases(item: Item) -> list[str]:
    phrases = [_tag_phrase(tag) for tag in item.tags if " " in tag]
    return [phrase for phrase in phrases if phrase]  # some are stop words alone


@lru_cache(maxsize=50_000)
def _tag_phrase(tag: str) -> str:
    return _phrase(terms(tag))


def _phrase(words: Sequence[str]) -> str:
    return "_".join(words)


FIELDS: Mapping[str, Callable[[Item], list[str]]] = {
    "title": lambda item: terms(item.title),
    "overview": lambda item: terms(item.overview),
    "genres": _labels,
    "people": lambda item: terms(" ".join(item.people)),
}
"""A film's words by field; themes (tags) and the decade are with the genres."""
