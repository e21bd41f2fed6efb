"""From a dataset to a stored run: split, tune on validation, measure once on test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from fusion.evaluate.data import Dataset, DataUnusable, Film, Split, merge, split_users
from fusion.evaluate.peers.collaborative import raters
from fusion.evaluate.peers.registry import Peer
from fusion.evaluate.protocol import Interactions
from fusion.evaluate.ranking import Facts, Result, judge
from fusion.evaluate.tasks import (
    NEW,
    QUERY,
    SWIPES,
    Task,
    hidden_films,
    new_films_task,
    query_task,
    swipes_task,
    without_films,
)
from fusion.evaluate.tuning import Tick, Trial, best_trial, covers, points, try_grid

VALIDATION, TEST = "validation", "test"


class Plan(BaseModel):
    """Everything that decides who is measured on what; stored with each run."""

    model_config = ConfigDict(frozen=True)

    seed: int = 7
    validation_people: int = 60
    test_people: int = 130
    """How many are set aside for test; the active ones of them are measured on."""
    min_swipes: int = 25
    """Likes and dislikes that a person needs to be drawn as a stranger."""
    swipes: tuple[int, ...] = (0, 1, 3, 5, 10, 20, 40)
    tuned_at: tuple[int, ...] = (5, 10, 20)
    worded_at: int = 20
    draws: int = 3
    queries_per_kind: int = 2
    hidden_share: float = 0.15


class Run(BaseModel):
    """One peer's run: the grid tried on validation, and the results of the chosen points."""

    peer: str
    plan: Plan
    data: str
    """Digest of the films and ratings, so that runs on other data are not mistaken for these."""
    measured_on: str
    trials: list[Trial]
    results: list[Result]


@dataclass(frozen=True)
class Harness:
    """The tasks of a plan over a dataset."""

    dataset: Dataset
    plan: Plan

    @cached_property
    def split(self) -> Split:
        """Train, validation and test people."""
        plan = self.plan
        return split_users(
            self.dataset.everyone,
            plan.seed,
            plan.validation_people,
            plan.test_people,
            plan.min_swipes,
        )

    @cached_property
    def hidden(self) -> NDArray[np.bool_]:
        """The films that the task of new films hides from training, shape (n_items,)."""
        return hidden_films(len(self.dataset.films), self.plan.hidden_share, self.plan.seed)

    def tasks(self, kind: str, strangers: Interactions, swipes: Sequence[int]) -> list[Task]:
        """The tasks of one kind; `swipes` are the points of the curve of the swipes task.

        Raises:
            DataUnusable: a task has no case.
        """
        tasks = list(self._tasks(kind, strangers, swipes))
        for task in tasks:
            if not task.cases:
                raise DataUnusable(
                    f"Nobody can be asked for {kind} after {task.n_swipes} swipes: "
                    "take a larger MovieLens, more strangers or fewer swipes."
                )
        return tasks

    def _tasks(self, kind: str, strangers: Interactions, swipes: Sequence[int]) -> Iterator[Task]:
        plan, n = self.plan, self.plan.worded_at
        if kind == SWIPES:
            yield from (swipes_task(strangers, n, plan.draws, plan.seed) for n in swipes)
        elif kind == NEW:
            yield new_films_task(strangers, self.hidden, n, plan.draws, plan.seed)
        else:
            films, per_kind = self.dataset.films, plan.queries_per_kind
            yield query_task(strangers, films, n, per_kind, plan.seed)

    def tune(self, peer: Peer, tick: Tick = lambda: None) -> list[Trial]:
        """Try a peer's grid on the validation strangers, for each kind of task by itself.

        `tick` is called after each point of the grid.
        """
        train, strangers = self.split.train, self.split.validation
        trials = []
        for kinds in _tuned_together(peer):
            tasks = [
                task
                for kind in sorted(kinds)
                for task in self.tasks(kind, strangers, self.plan.tuned_at)
            ]
            trials += try_grid(peer, self._visible(tasks[0].kind, train), tasks, tick)
        return trials

    def measure(
        self,
        peer: Peer,
        trials: list[Trial],
        final: bool = False,
        tick: Tick = lambda: None,
    ) -> Run:
        """Measure the best points: on validation, or, `final`, trained on it too, on test.

        `tick` is called after each kind of task.
        """
        train, strangers = self.split.train, self.split.validation
        if final:
            train, strangers = merge(train, strangers), self.split.test
        results: list[Result] = []
        for kind in sorted(peer.tasks):
            results += self._results(peer, kind, trials, train, strangers)
            tick()
        return Run(
            peer=peer.name,
            plan=self.plan,
            data=self.dataset.digest,
            measured_on=TEST if final else VALIDATION,
            trials=trials,
            results=results,
        )

    def _results(
        self,
        peer: Peer,
        kind: str,
        trials: Sequence[Trial],
        train: Interactions,
        strangers: Interactions,
    ) -> Iterator[Result]:
        scorer = peer.build(**best_trial(trials, kind).point)
        visible = self._visible(kind, train)
        scorer.fit(visible)
        facts = Facts(raters(visible), len(visible.by_user), genre_matrix(self.dataset.films))
        for task in self.tasks(kind, strangers, self.plan.swipes):
            for personal in (True, False) if kind == QUERY else (True,):
                yield judge(peer.name, scorer, task, facts, personal)

    def _visible(self, kind: str, people: Interactions) -> Interactions:
        return without_films(people, self.hidden) if kind == NEW else people

    def is_current(self, run: Run, peer: Peer) -> bool:
        """Whether the run is of this plan and data and its trials are of the peer's grid."""
        same = (run.plan, run.data) == (self.plan, self.dataset.digest)
        return same and covers(run.trials, peer)


def _tuned_together(peer: Peer) -> list[frozenset[str]]:
    """The kinds of task that share a fit; new films are to be hidden in theirs."""
    return [kinds for kinds in (peer.tasks - {NEW}, peer.tasks & {NEW}) if kinds]


def fits_to_tune(peer: Peer) -> int:
    """How many fits tuning takes."""
    return len(list(points(peer.grid))) * len(_tuned_together(peer))


def genre_matrix(films: Sequence[Film]) -> NDArray[np.bool_]:
    """Which film has which genre, shape (n_items, n_genres)."""
    genres = sorted({genre for film in films for genre in film.genres})
    return np.array([[genre in film.genres for genre in genres] for film in films], dtype=bool)
