"""What a message says of films that it names anywhere and in any case: "shrek is the goat"."""

import re
from collections.abc import Iterator
from dataclasses import replace

from assistant.planner.examples import ExampleClassifier, Guess
from assistant.planner.reactions import Reaction, Reactions, read_reactions, without_request
from assistant.planner.titles import Mention, Titles, title_key

_REACTIONS = frozenset({"like", "dislike", "skip"})
_SCORE, _MARGIN = 0.45, 0.15
"""How like the examples of a reaction, and how much more than of another, a message must be."""
_SURER = 0.08
"""How much more of both where a title may be but a word."""
_PART = re.compile(r"[.!?;]+\s+|,? (?:but|though|while|whereas) ", re.IGNORECASE)
_LIST = re.compile(r"\bit(?:\s*(?:,|&|and|or|,\s*and|,\s*or)\s*it\b)+")
_SEQUEL = re.compile(r"\bit (?:part )?(?:\d|ii|iii|iv)(?!\d| ?/| out of| stars?)", re.IGNORECASE)
"""Another film than that of the title: "godfather 2"."""
_REFUSED = re.compile(
    r"(?:(?:and|but|or|ok(?:ay)?|please),? )*(?:no|nor|not|without|exclude|except|anything but|"
    r"leave out|nothing like) (?:any |more |the )*",
    re.IGNORECASE,
)
"""What comes next is not wanted: "no batman or superman"."""
_CLOSED = re.compile(r"\s*(?:$|[,.;!?)]|(?:and|or|nor|please|either|again|but)\b)", re.IGNORECASE)
_SAME = re.compile(r"[\s,]*(?:and |also )*it(?: too| also| as well)?[\s,.!]*", re.IGNORECASE)
_NO_TITLE_BEFORE = re.compile(
    r"\b(?:an?|the|some|more|any|about|with|of|in|from|like|by|to|my|your|no|not|these|those|most|"
    r"all|very|so|really|too|such|(?!watching|seeing|catching)[a-z]+(?:ing|ful|ous|ic|al))\s+$",
    re.IGNORECASE,
)
_TITLE_BEFORE = re.compile(
    r"\s*(?:$|[,.;:!?)\U0001f000-\U0001ffff]|(?:was|is|sucks?|sucked|rocks?|rules|rocked|"
    r"slaps|too|so|very|when|blew|made|did|left|bored|tho|though|and|but|or|\d+/)\b|\d)"
)


def is_refused(masked: str) -> bool:
    """Whether all that is said of a film pointed at, here "it", is that it is not wanted."""
    refused = _REFUSED.match(masked)
    return bool(refused and masked[refused.end() :].strip(" .,!?") == "it")


class Mentions:
    """Reads reactions to films named, by the examples that the rest of the message is like."""

    def __init__(self, titles: Titles, acts: ExampleClassifier) -> None:
        self._titles = titles
        self._acts = acts

    def reactions(self, text: str) -> Reactions:
        """The reactions that ``text`` states; none where its films or its sense are in doubt."""
        stated, wish = without_request(text)
        given = tuple(dict.fromkeys(self._given(stated)))
        return Reactions(given, wish if given else "")

    def refused(self, text: str) -> Reactions | None:
        """What is said of a film that is not wanted, such as "no Titanic, it was boring"; as a rule
        nothing, for it is not wanted this time. None where no film is refused.
        """
        refused = _REFUSED.match(text)
        rest = text[refused.end() :] if refused else ""
        first = next(iter(self._titles.named(rest)), None)
        if not first or first.start or not _CLOSED.match(rest[first.end :]):
            return None
        said = read_reactions(rest, self._titles)
        meant = {title_key(self._titles.match(each.film) or "") for each in said.given}
        if meant - {title_key(first.title)}:
            return Reactions(())
        given = (replace(each, film=first.title) for each in said.given)
        return Reactions(tuple(dict.fromkeys(given)), said.request)

    def sequel(self, text: str) -> bool:
        """Whether a title with a number after it is another film: "alien 3 was great"."""
        return bool(_SEQUEL.search(_masked(text, self._titles.named(text))))

    def act(self, text: str) -> tuple[str, str]:
        """What is said of the one film surely named, and its title; empty where in doubt."""
        films = self._titles.named(text)
        if len(films) != 1 or not films[0].sure:
            return "", ""
        guess = self._acts.guess(_masked(text, films))
        return (guess.label, films[0].title) if _sure(guess, films) else ("", "")

    def _given(self, text: str) -> Iterator[Reaction]:
        before = ""
        for part in _PART.split(text):
            films = [film for film in self._titles.named(part) if film.sure or _apart(part, film)]
            if not films:
                continue
            rest = _masked(part, films)
            if _SEQUEL.search(rest):
                return
            guess = self._acts.guess(rest)
            same = _SAME.fullmatch(rest)
            direction = before if same else guess.label
            if direction not in _REACTIONS or not (same or _sure(guess, films)):
                return
            yield from (Reaction(direction, film.title) for film in films)
            before = direction


def _sure(guess: Guess, films: list[Mention]) -> bool:
    more = 0.0 if any(film.sure for film in films) else _SURER
    return guess.reaches(_SCORE + more, _MARGIN + more)


def _apart(text: str, film: Mention) -> bool:
    """Whether a word that is a title stands where a title would: "cats sucked", not "wild cats"."""
    return not _NO_TITLE_BEFORE.search(text[: film.start]) and bool(
        _TITLE_BEFORE.match(text[film.end :])
    )


def _masked(text: str, films: list[Mention]) -> str:
    for film in reversed(films):
        text = f"{text[: film.start]}it{text[film.end :]}"
    return _LIST.sub("it", text)
