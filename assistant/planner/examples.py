"""What kind of message one is, by the spelling of example messages: no encoder, typos allowed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.planner.grammar import plain

_TOKEN = re.compile(r"[\w']+|[^\w\s]")
_CHARACTERS = (3, 4)
_RIDGE = 0.3
"""What is added to the kernel's diagonal: more of it believes single examples less."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Guess:
    """The likeliest label; ``score`` is about 1 where sure; ``margin``: before the next label."""

    label: str
    score: float
    margin: float

    def reaches(self, score: float, margin: float) -> bool:
        """Whether both are at least these."""
        return self.score >= score and self.margin >= margin


class ExampleClassifier:
    """Ridge regression from the words and letters of a message to the labels of examples."""

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        self._labels = sorted(examples)
        pairs = [(label, text) for label in self._labels for text in examples[label]]
        self._texts = [text for _, text in pairs]
        self._targets = np.array([[label == name for name in self._labels] for label, _ in pairs])

    def prepare(self) -> None:
        """Learn from the examples, which takes a tenth of a second, before anybody waits for it."""
        self._weights  # noqa: B018 - it is kept

    def guess(self, text: str) -> Guess:
        """The label of the examples that ``text`` is most like."""
        scores = self._features([text])[0] @ self._weights
        second, best = np.argsort(scores)[-2:]
        return Guess(self._labels[best], float(scores[best]), float(scores[best] - scores[second]))

    @cached_property
    def _columns(self) -> dict[str, int]:
        grams = sorted({gram for text in self._texts for gram in _grams(text)})
        return {gram: column for column, gram in enumerate(grams)}

    @cached_property
    def _weights(self) -> Matrix:
        """Shape (grams, labels)."""
        rows = self._features(self._texts)
        kernel = rows @ rows.T + _RIDGE * np.eye(len(rows))
        weights: Matrix = rows.T @ np.linalg.solve(kernel, self._targets.astype(float))
        return weights

    def _features(self, texts: Sequence[str]) -> Matrix:
        """Shape (texts, grams): which grams a text holds, rare ones counting more, unit rows."""
        rows = self._counts(texts) * self._rarity
        norms: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
        unit: Matrix = rows / np.maximum(norms, 1e-9)
        return unit

    @cached_property
    def _rarity(self) -> Matrix:
        held: Matrix = self._counts(self._texts).sum(axis=0)
        rarity: Matrix = np.log1p(len(self._texts) / held)
        return rarity

    def _counts(self, texts: Sequence[str]) -> Matrix:
        counts = np.zeros((len(texts), len(self._columns)))
        for row, text in zip(counts, texts, strict=True):
            row[[self._columns[gram] for gram in _grams(text) if gram in self._columns]] = 1.0
        return counts


def _grams(text: str) -> set[str]:
    """Words, pairs of words and runs of letters."""
    tokens = ["^", *_TOKEN.findall(plain(text)), "$"]
    pairs = (f"{one}_{other}" for one, other in pairwise(tokens))
    line = " ".join(tokens)
    runs = (f"…{line[i : i + n]}" for n in _CHARACTERS for i in range(len(line) - n + 1))
    return {*tokens, *pairs, *runs}
