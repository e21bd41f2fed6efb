"""Strips the words of asking from a query, so that what the film should be remains."""

from recommender.query.lexicon import Phrases, load
from recommender.query.words import Span, Words

_LEXICON, _ASIDES = load("filler"), load("asides")
_LEADING = frozenset((*_LEXICON["leading"], *_ASIDES["leading"]))
_KEPT = (*load("moods")["moods"], *_LEXICON["kept"])
_REWORDINGS: dict[str, str] = load("moods")["rewordings"]
_TRAILING = frozenset((*_LEXICON["trailing"], *_ASIDES["trailing"]))
MAX_PASSES = 8
FOREIGN_BELOW = 0.5


class Filler:
    """Knows the words of asking ("can you recommend me a film about ...")."""

    def __init__(self, everyday: frozenset[str]) -> None:
        asking = dict.fromkeys((*_LEXICON["phrases"], *_ASIDES["phrases"]), True)
        self._phrases = Phrases(dict.fromkeys(_KEPT, False) | asking)
        self._everyday = everyday

    def strip(self, words: Words) -> Words:
        """Take the words of asking. A query that is not English is left as it is."""
        if self._is_foreign(words):
            return words
        for _ in range(MAX_PASSES):
            stripped = _trimmed(words.take(span for span, asks in self._phrases.all(words) if asks))
            if stripped.taken == words.taken:
                break
            words = stripped
        return words

    def clean(self, words: Words) -> str:
        """What is left as text, such that cleaning it again changes nothing."""
        text = self.strip(words).text()
        for _ in range(MAX_PASSES):
            again = self.strip(Words.parse(text)).text()
            if again == text:
                break
            text = again
        return _REWORDINGS.get(text.lower(), text)

    def _is_foreign(self, words: Words) -> bool:
        keys = [key for key in words.keys if key]
        known = sum(key in self._everyday for key in keys)
        return known < FOREIGN_BELOW * len(keys)


def _trimmed(words: Words) -> Words:
    """Take articles and prepositions that no longer hold anything together."""
    return words.take(end for run in _runs(words) for end in _loose_ends(words, run))


def _loose_ends(words: Words, run: Span) -> tuple[Span, Span]:
    start, end = run
    while start < end and words.key(start) in _LEADING:
        start += 1
    while end > start and words.key(end - 1) in _TRAILING:
        end -= 1
    return Span(run.start, start), Span(end, run.end)


def _runs(words: Words) -> list[Span]:
    """The stretches of words between those taken."""
    kept = [i for i, key in enumerate(words.keys) if key]
    starts = [i for i in kept if not words.key(i - 1)]
    ends = [i + 1 for i in kept if not words.key(i + 1)]
    return [Span(start, end) for start, end in zip(starts, ends, strict=True)]
