"""Wishes for what the catalogue does not know of a film: its language, length, awards, colour."""

import re

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
        r"\b(?:(?:under|less than|shorter than|at most|within|max(?:imum)?(?: of)?|no more than|"
        r"over|longer than|about|around) (?:an?|one|two|three|\d+(?:\.5)?)(?: and a half)? ?"
        r"(?:h(?:ou)?rs?|h|min(?:ute)?s?)|running time|runtime|"
        r"(?:one|two|three|\d+)[- ]hour films?|(?:something|anything|nothing|some|an?) "
        r"(?:(?:really|very|quite|fairly) )?(?:short|long)"
        r"(?= and| but| with| about| for|,| films?\b| movies?\b|\W*$))\b",
        re.IGNORECASE,
    ),
    "length": re.compile(
        r"\b(?:shorter|longer)\b(?! than)|\b(?:too|not (?:so|as|too|that)) long\b", re.IGNORECASE
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


def unknown(text: str) -> tuple[str, ...]:
    """What a wish goes by that the catalogue does not know."""
    return tuple(name for name, pattern in _PATTERNS.items() if pattern.search(text))


def only_unknown(text: str) -> str:
    """The same, where nothing else is asked for; empty where something is."""
    for name in unknown(text):
        if name in _SEARCHED:
            continue
        rest = _PATTERNS[name].sub(" ", text.lower())
        if set(re.findall(r"\w+", rest)) <= _ASKING:
            return name
    return ""
