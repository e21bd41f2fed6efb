"""Short texts as people type them, drawn from films, for a tower to learn on that reads queries."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {"summary": 0.3, "words": 0.2, "fact": 0.25, "title": 0.13, "name": 0.1, "letters": 0.02}
"""What a text is made of, and how often."""
LONGEST = 14
"""Words of a summary that are taken as they stand, at most."""
WORDINGS = (
    *("{}",) * 10,
    "{} movies",
    "a film about {}",
    "something with {}",
    "{} but funny",
    "show me {}",
    "{} from the {}s",
    "{}, nothing violent",
    "like {}",
    "{} for tonight",
    "more {} please",
    "I feel like {}",
    "I'm in the mood for something {}",
    "what was that one about {}?",
    "make me think of {}",
    "can you recommend me {} to watch with my family",
    "we want {} this weekend, not too long",
    "nothing like {}, that one bored me",
    "I loved {}, what else is there",
    "surprise us with {}, but kind and quiet",
    "why is {} in there?",
)
DECADES = range(1920, 2030, 10)
MISSPELT = 0.1
SCRIPTS = ((0x41, 0x7A), (0x391, 0x44F), (0x5D0, 0x5EA), (0x627, 0x64A), (0x4E00, 0x9FFF))
"""First and last letter: Latin, Greek to Cyrillic, Hebrew, Arabic, Chinese."""
_CONTENT = re.compile(r"[^\W_][\w'-]{3,}")


class ShortTexts:
    """Draws texts of a few words from films."""

    def __init__(self, films: Sequence[dict[str, Any]]) -> None:
        """``films`` have a ``title``, and ``overview``, ``genres``, ``tags``, ``cast`` and
        ``director`` as far as they are known.
        """
        self._films = films

    def draw(self, size: int, rng: np.random.Generator) -> list[str]:
        """So many texts, of films drawn by chance."""
        drawn = rng.integers(len(self._films), size=size)
        kinds = rng.choice(list(KINDS), size, p=list(KINDS.values()))
        texts = (
            _text(self._films[film], kind, rng) for film, kind in zip(drawn, kinds, strict=True)
        )
        return [_misspelt(text, rng) if rng.random() < MISSPELT else text for text in texts]


def read_films(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Films in JSON lines, as catalogues are, or JSON lists, as prust/wikipedia-movie-data has."""
    films: list[dict[str, Any]] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        listed = path.suffix == ".json"
        films += json.loads(text) if listed else map(json.loads, text.splitlines())
    return [
        film | {"overview": film.get("overview") or film.get("extract") or ""} for film in films
    ]


def _text(film: dict[str, Any], kind: str, rng: np.random.Generator) -> str:
    if kind == "letters":
        first, last = SCRIPTS[rng.integers(len(SCRIPTS))]
        return "".join(map(chr, rng.integers(first, last, rng.integers(LONGEST))))
    words = film["overview"].split()
    if kind == "summary" and words:
        start, length = rng.integers(len(words)), rng.integers(1, LONGEST + 1)
        return " ".join(words[start : start + length])
    if kind == "words" and len(content := _CONTENT.findall(film["overview"])) > 2:
        start = rng.integers(len(content) - 2)
        return " ".join(rng.permutation(content[start : start + 8])[: rng.integers(1, 6)])
    facts = _facts(film, kind)
    chosen = rng.permutation(facts)[: 1 + (rng.random() < 0.3)] if facts else [film["title"]]
    wording = WORDINGS[rng.integers(len(WORDINGS))]
    text = wording.format(" ".join(chosen), rng.choice(DECADES))
    return text.lower() if rng.random() < 0.5 else text


def _misspelt(text: str, rng: np.random.Generator) -> str:
    """With a letter left out or twice, or two of them exchanged."""
    place = int(rng.integers(max(1, len(text) - 1)))
    pair = text[place : place + 2]
    return (
        text[:place] + (pair[1:], pair[:1] + pair, pair[::-1])[rng.integers(3)] + text[place + 2 :]
    )


def _facts(film: dict[str, Any], kind: str) -> list[str]:
    fields = {"fact": ("genres", "tags"), "name": ("cast", "director")}.get(kind, ())
    return [value for field in fields for value in film.get(field) or ()]
