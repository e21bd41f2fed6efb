"""Wishes for what the catalogue does not know of a film: its language, length, awards, colour."""

import re
from collections.abc import Iterator

from recommender.query.lengths import LengthFinder
from recommender.query.words import Words

_PATTERNS = {
    "language": re.compile(
        r"\b(?:sub-?titles?|sub-?titled|dubbed|(?:in|not in|speaking) (?:english|french|german|"
        r"spanish|italian|japanese|korean)|(?:foreign|english)[- ](?:language|speaking))\b",
        re.IGNORECASE,
    ),
    "awards": re.compile(
        r"\b(?:oscars?|academy awards?|golden globes?|baftas?|palme d'or|award[- ]winning|"
        r"award winners?)\b",
        re.IGNORECASE,
    ),
    "runtime": re.compile(
        r"\b(?:running time|runtime|(?:one|two|three|\d+)[- ]hour films?)\b", re.IGNORECASE
    ),
    "colour": re.compile(
        r"\b(?:black (?:and|&|n) white|black-and-white|b ?(?:&|and|n) ?w|monochrome|in colou?r)\b",
        re.IGNORECASE,
    ),
}
_SEARCHED = frozenset({"colour", "length"})
"""What words and keywords may say of some films: it is searched by, where it is all, too."""
_ASKING = frozenset(
    "a an the something anything nothing some film films movie movies one ones please no not "
    "only just and that which is are it but ok okay fine with winner winners".split()
)


_lengths = LengthFinder()


def unknown(text: str) -> tuple[str, ...]:
    """What a wish goes by that the catalogue does not know."""
    return tuple(dict(_found(text)))


def only_unknown(text: str) -> str:
    """The same, where nothing else is asked for; empty where something is."""
    for name, rest in _found(text):
        if name not in _SEARCHED and set(re.findall(r"\w+", rest.lower())) <= _ASKING:
            return name
    return ""


def _found(text: str) -> Iterator[tuple[str, str]]:
    """What a wish goes by that the catalogue does not know, and its other words."""
    for name, pattern in _PATTERNS.items():
        if pattern.search(text):
            yield name, pattern.sub(" ", text)
    words = Words.parse(text)
    lengths = list(_lengths.find(words))
    for kind in ("runtime", "length"):
        if spans := [span for span, about in lengths if about == kind]:
            yield kind, words.take(spans).text()
