"""How often what was recommended in a conversation is among the first films of an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.evaluate.metrics import ratio_interval
from fusion.evaluate.tables import Rows, shown
from recommender.catalogue import Catalogue
from recommender.evaluation.conversations import Turn
from recommender.lexical import LexicalIndex
from recommender.models import Item
from recommender.text import bare_title, terms

DEPTH = 50
NOT_FOUND = 0

Way = Callable[[Turn], Sequence[Item]]
"""A way of answering: films, best first, those that were named before perhaps among them."""


@dataclass(frozen=True)
class Ranks:
    """Where the films of the turns stand in one way's answers.

    ``ranks`` (films,) count from 1 among unseen films; 0: not among the first ``DEPTH``.
    ``dialogues`` (films,) number whose each film is, ``known`` (films,) those of the catalogue.
    """

    ranks: NDArray[np.int64]
    dialogues: NDArray[np.int64]
    known: NDArray[np.bool_]

    def row(self, covered: bool) -> list[str]:
        """Recall at 1, 10 and 50 and MRR with 95 % intervals, over all films or those covered."""
        taken = self.known if covered else np.ones(len(self.ranks), dtype=bool)
        ranks = self.ranks[taken].astype(np.float64)
        found = ranks > NOT_FOUND
        reciprocal = np.divide(1.0, ranks, out=np.zeros(len(ranks)), where=found)
        hits = [found & (ranks <= k) for k in (1, 10, DEPTH)]
        return [self._interval(values.astype(float), taken) for values in (*hits, reciprocal)]

    def _interval(self, values: NDArray[np.float64], taken: NDArray[np.bool_]) -> str:
        number = int(self.dialogues.max()) + 1
        dialogues = self.dialogues[taken]
        sums = np.bincount(dialogues, values, minlength=number).astype(np.float64)
        counts = np.bincount(dialogues, minlength=number).astype(np.float64)
        mean, low, high = map(shown, ratio_interval(sums, counts))
        return f"{mean} [{low}, {high}]"


def rank_films(turns: Sequence[Turn], way: Way, catalogue: Catalogue) -> Ranks:
    """Ask ``way`` at each turn and look for each film by its title."""
    names = {dialogue: n for n, dialogue in enumerate(dict.fromkeys(t.dialogue for t in turns))}
    titles = {bare_title(item.title) for item in catalogue.items}
    ranks, dialogues, known = [], [], []
    for turn in turns:
        answer = [bare_title(item.title) for item in way(turn)]
        unseen = [title for title in answer if title not in turn.seen][:DEPTH]
        for film in turn.films:
            ranks.append(unseen.index(film) + 1 if film in unseen else NOT_FOUND)
            dialogues.append(names[turn.dialogue])
            known.append(film in titles)
    return Ranks(np.array(ranks), np.array(dialogues), np.array(known))


def popular(catalogue: Catalogue) -> Way:
    """The most rated films, whatever is said."""
    return lambda _: catalogue.items


def ranked_by_words(catalogue: Catalogue) -> Way:
    """BM25 over all that the seeker said; films that share no word with it are not answered."""
    index = LexicalIndex(catalogue.items)

    def ranked(turn: Turn) -> list[Item]:
        scores = index.scores(terms(turn.words))
        best = np.argsort(-scores, kind="stable")
        return [catalogue.items[row] for row in best if scores[row] > 0]

    return ranked


def recall_tables(
    turns: Sequence[Turn], ways: Mapping[str, Way], catalogue: Catalogue
) -> list[Rows]:
    """One row a way: over all films that were recommended, then over those of the catalogue."""
    measured = {name: rank_films(turns, way, catalogue) for name, way in ways.items()}
    return [_table(measured, covered) for covered in (False, True)]


def _table(measured: Mapping[str, Ranks], covered: bool) -> Rows:
    known = next(iter(measured.values())).known
    share = f"{int(known.sum())} of {len(known)} films ({known.mean():.0%}) are in the catalogue"
    of = share if covered else f"all {len(known)} films"
    head = [of, "recall@1", "recall@10", f"recall@{DEPTH}", "MRR"]
    return [head, *([name, *ranks.row(covered)] for name, ranks in measured.items())]
