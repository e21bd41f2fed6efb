"""Release years that a query asks for."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recommender.catalogue import Catalogue
from recommender.query.genres import described_phrases
from recommender.query.lexicon import load
from recommender.query.words import Span, Words

Range = tuple[int | None, int | None]
Rule = Callable[[re.Match[str]], Range]

_LEXICON: dict[str, Any] = load("years")
_DECADES: dict[str, int] = _LEXICON["decades"]
_PARTS: dict[str, list[int]] = _LEXICON["parts"]
_NUMBERS: dict[str, int] = _LEXICON["numbers"]

_CINEMA = 1880
"""Before it a number is hardly a year, where no item is older."""

_BEFORE_SETTING = re.compile(
    rf"\b(?:{'|'.join(_LEXICON['settings']['before'])})(?: the| any| from| in)* ?$"
)
_REFUSED = re.compile(
    rf"\b(?:{'|'.join(_LEXICON['settings']['negators'])})"
    rf"(?: (?:{'|'.join(_LEXICON['settings']['between'])}))* ?$"
)
_AFTER_SETTING = re.compile(rf" (?:{'|'.join(_LEXICON['settings']['after'])})\b")


@dataclass(frozen=True)
class Years:
    """Inclusive release years, and the words that said so; refused years limit nothing."""

    span: Span
    range: Range


class YearFinder:
    """Finds years, decades, spans of years and words of age ("recent", "older")."""

    def __init__(self, catalogue: Catalogue) -> None:
        years = [item.year for item in catalogue.items if item.year]
        self._newest = max(years, default=2100)
        self._by_decade = {year - year % 10: 0 for year in years}
        for year in years:
            self._by_decade[year - year % 10] += 1
        self._period_pattern = _pattern(min(years, default=_CINEMA))
        self._nouns = described_phrases()
        self._rules: list[tuple[re.Pattern[str], Rule]] = [
            (re.compile(pattern), rule) for pattern, rule in self._grammar()
        ]

    def periods(self, words: Words) -> list[Years]:
        """The years, decades and spans of years asked for."""
        parts = map(words.only, words.parts())
        found = [years for part in parts for years in self._periods(part)]
        return _latest(found) if "instead" in words.keys else found

    def _periods(self, words: Words) -> list[Years]:
        found: list[Years] = []
        for pattern, rule in self._rules:
            matches = self._matches(words, pattern, rule)
            words = words.take(years.span for years in matches)
            found.extend(matches)
        return found

    def _matches(self, words: Words, pattern: re.Pattern[str], rule: Rule) -> list[Years]:
        plain, offsets = words.plain
        found: list[Years] = []
        refused = 0
        for match in pattern.finditer(plain):
            if _is_setting(plain, match):
                continue
            begin = _refusal(plain, match, refused)
            refused = 0 if begin is None else match.end()
            start = match.start() if begin is None else begin
            span = Span(offsets[start], offsets[match.end() - 1] + 1)
            found.append(Years(span, rule(match) if begin is None else (None, None)))
        return found

    def ages(self, words: Words, lone: Span | None, anchor_year: int | None) -> list[Years]:
        """What a word of age asks for; "older" and "newer" compare with ``anchor_year`` if given.

        ``lone``: all that is left when the words of asking are taken.
        """
        for index in range(len(words)):
            age = self._age(words.key(index), anchor_year)
            span = Span(index, index + 1)
            if age and (span == lone or self._describes(words, index)):
                return [Years(span, age)]
        return []

    def _grammar(self) -> list[tuple[str, Rule]]:
        start, end = self._start, self._end
        a, b = rf"(?P<a>{self._period_pattern})", rf"(?P<b>{self._period_pattern})"
        to = r"(?:to|till|until|through|and|or|thru)"
        return [
            (
                rf"\b(?:between |from )?{a} (?:{to} )?{b}\b",
                lambda m: _ordered(start(m["a"]), end(m["b"])),
            ),
            (
                rf"\b(?:not|no|nothing) (?:from )?(?:before|older than|earlier than|pre) {a}\b",
                lambda m: (start(m["a"]), None),
            ),
            (
                rf"\b(?:before|pre|prior to|older than|earlier than) {a}\b",
                lambda m: (None, start(m["a"]) - 1),
            ),
            (
                rf"\b(?:until|up to|till|(?:no|not) (?:later|newer) than|not after) {a}\b",
                lambda m: (None, end(m["a"])),
            ),
            (
                rf"\b(?:after|post|newer than|later than) {a}\b",
                lambda m: (end(m["a"]) + 1, None),
            ),
            (rf"\b(?:since|starting|starting in) {a}\b", lambda m: (start(m["a"]), None)),
            (
                rf"\b(?:from |in )?{a} (?:onwards?|on|and later|or later|or newer|and up|and newer"
                r"|and after)\b",
                lambda m: (start(m["a"]), None),
            ),
            (
                rf"\b(?:from |in )?{a} (?:or older|or earlier|and earlier|and before|and older)\b",
                lambda m: (None, end(m["a"])),
            ),
            (rf"\b(?:what|how) about (?:the )?{a}\b", lambda m: (start(m["a"]), end(m["a"]))),
            (
                rf"\b(?:around|circa|about|roughly) {a}\b",
                lambda m: (start(m["a"]) - 2, end(m["a"]) + 2),
            ),
            (
                r"\b(?:from |in |of )?(?:the )?(?:last|past) (?P<n>\w+) years\b",
                lambda m: (self._newest + 1 - _number(m["n"]), None),
            ),
            (
                r"\b(?:from |in |of )?(?:the )?(?:last|past) decade\b",
                lambda _: (self._newest - 9, None),
            ),
            (r"\b(?:from )?this year\b", lambda _: (self._newest, None)),
            (
                rf"\b(?:(?:released|made|out) )?(?:(?:from|in|of) )?{a}\b",
                lambda m: (start(m["a"]), end(m["a"])),
            ),
        ]

    def _start(self, period: str) -> int:
        return self._period(period)[0]

    def _end(self, period: str) -> int:
        return self._period(period)[1]

    def _period(self, text: str) -> tuple[int, int]:
        *before, last = text.split()
        if last.isdigit() and "annees" not in before:
            return int(last), int(last)
        decade = _DECADES[last] if last in _DECADES else int(last.rstrip("sern"))
        if decade < 100:
            decade = max(
                (1900 + decade, 2000 + decade), key=lambda first: self._by_decade.get(first, 0)
            )
        part = next((_PARTS[word] for word in before if word in _PARTS), [0, 9])
        return decade + part[0], decade + part[1]

    def _age(self, word: str, anchor_year: int | None) -> Range | None:
        if anchor_year and word == "older":
            return None, anchor_year - 1
        if anchor_year and word == "newer":
            return anchor_year + 1, None
        if word in _LEXICON["recent"]:
            return self._newest + 1 - int(_LEXICON["recent"][word]), None
        if word in _LEXICON["old"]:
            return None, int(_LEXICON["old"][word])
        return None

    def _describes(self, words: Words, index: int) -> bool:
        """Whether a word of age speaks of films: "old movies", "something old", not "old man".

        What was taken after it is a film's maker ("old Hitchcock").
        """
        if index + 1 in words.taken or self._nouns.starting(words, index + 1):
            return True
        first = words.clause(index) == index
        ends = words.pauses(index) or words.key(index + 1) in _LEXICON["words"]["after"]
        return ends and (first or words.key(index - 1) in _LEXICON["words"]["openers"])


def _pattern(oldest: int) -> str:
    """Matches years and decades, those before cinema only where ``oldest`` is one of them."""
    year = r"(?:18[89]\d|19\d\d|20\d\d)" if oldest >= _CINEMA else r"(?:1\d\d\d|20\d\d)"
    century = "18|19|20" if oldest >= _CINEMA else r"1\d|20"
    decade = (
        rf"(?:(?:{'|'.join(_PARTS)}) )?(?:the )?"
        rf"(?:(?:{century})?\d0(?:s|ern?)|annees \d0|{'|'.join(_DECADES)})"
    )
    return rf"(?:the )?(?:year )?(?:{decade}|{year})"


def _is_setting(plain: str, match: re.Match[str]) -> bool:
    """Whether the years are when a story is set, or a person's age."""
    return bool(
        _BEFORE_SETTING.search(plain[: match.start()]) or _AFTER_SETTING.match(plain[match.end() :])
    )


def _refusal(plain: str, match: re.Match[str], refused: int) -> int | None:
    """Where the words that refuse these years begin; ``refused``: where refused ones ended."""
    if refused and plain[refused : match.start()].strip() in ("or", "nor"):
        return refused + 1
    found = _REFUSED.search(plain[: match.start()])
    return found.start() if found else None


def _latest(found: list[Years]) -> list[Years]:
    """What is said last takes the place of the others: "the 90s instead"."""
    ordered = sorted(found, key=lambda years: years.span)
    return [Years(years.span, (None, None)) for years in ordered[:-1]] + ordered[-1:]


def _ordered(first: int, last: int) -> Range:
    return min(first, last), max(first, last)


def _number(text: str) -> int:
    count = int(text) if text.isdecimal() else _NUMBERS.get(text, 1)
    return min(max(count, 1), 150)


def wanted(words: Words, found: list[Years]) -> Range:
    """The years that a film may be of. What comes after a semicolon changes what stands before it:
    where both cannot hold, the latter does.
    """
    ranges: list[Range] = []
    for start, end in words.parts():
        changed = [years.range for years in found if start <= years.span.start < end]
        ranges = [*(ranges if _overlap([*ranges, *changed]) else ()), *changed]
    return combine(ranges)


def combine(ranges: list[Range]) -> Range:
    """One range out of all that were asked for: where they overlap, else from first to last."""
    if overlap := _overlap(ranges):
        return overlap
    starts = [start for start, _ in ranges if start is not None]
    ends = [end for _, end in ranges if end is not None]
    limits = [limit for limit in ranges if limit != (None, None)]
    first = min(starts) if len(starts) == len(limits) else None
    last = max(ends) if len(ends) == len(limits) else None
    return first, last


def _overlap(ranges: list[Range]) -> Range | None:
    """The years in all of the ranges; None where there are none."""
    first = max((start for start, _ in ranges if start is not None), default=None)
    last = min((end for _, end in ranges if end is not None), default=None)
    return None if first is not None and last is not None and first > last else (first, last)
