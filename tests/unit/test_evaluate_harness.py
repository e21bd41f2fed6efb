from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fusion.evaluate.data import Dataset, DataUnusable
from fusion.evaluate.harness import Harness, Plan
from fusion.evaluate.peers.collaborative import EASE, Popularity
from fusion.evaluate.peers.registry import Peer
from fusion.evaluate.protocol import Interactions, Scorer, Scores, Swipe
from fusion.evaluate.ranking import rank
from fusion.evaluate.runs import read_runs, store
from fusion.evaluate.tables import all_tables, curve
from fusion.evaluate.tasks import NEW, QUERY, SWIPES, Case, Task
from fusion.evaluate.tuning import points
from tests.unit.evaluate_world import N_FILMS, SMALL_PLAN, films, people

PLAN = SMALL_PLAN.model_copy(update={"draws": 2})


@pytest.fixture
def harness() -> Harness:
    return Harness(Dataset(tuple(films()), people(40)), PLAN)


class Recorder:
    """Remembers what it was shown; scores all films alike."""

    name = "recorder"

    def __init__(self) -> None:
        self.trained_on: list[Interactions] = []
        self.shown: list[tuple[int, str | None]] = []

    def fit(self, train: Interactions) -> None:
        """Remember the people."""
        self.trained_on.append(train)

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Remember the question."""
        self.shown.append((len(history), query))
        return np.zeros(N_FILMS, dtype=np.float32)


def recording(recorder: Recorder, *tasks: str) -> Peer:
    return Peer("recorder", lambda: recorder, tasks=frozenset(tasks))


def test_tuning_never_sees_test_people_nor_measuring_trains_on_them(harness: Harness) -> None:
    recorder = Recorder()
    peer = recording(recorder, SWIPES)
    harness.measure(peer, harness.tune(peer), final=True)
    tuned, final = recorder.trained_on
    split = harness.split
    assert tuned.by_user.keys() == split.train.by_user.keys()
    assert final.by_user.keys() == split.train.by_user.keys() | split.validation.by_user.keys()


def test_results_are_of_validation_unless_final(harness: Harness) -> None:
    peer = Peer("popularity", Popularity, tasks=frozenset({SWIPES}))
    trials = harness.tune(peer)
    for final, people_measured in ((False, harness.split.validation), (True, harness.split.test)):
        run = harness.measure(peer, trials, final)
        assert {user for r in run.results for user in r.users} <= people_measured.by_user.keys()
        assert run.measured_on == ("test" if final else "validation")


def test_new_films_are_hidden_from_training(harness: Harness) -> None:
    recorder = Recorder()
    peer = recording(recorder, NEW)
    harness.measure(peer, harness.tune(peer))
    assert harness.hidden.any()
    for train in recorder.trained_on:
        assert not any(harness.hidden[r.item] for rs in train.by_user.values() for r in rs)


def test_queries_are_also_asked_without_the_person(harness: Harness) -> None:
    recorder = Recorder()
    peer = recording(recorder, QUERY)
    run = harness.measure(peer, harness.tune(peer))
    assert [result.personal for result in run.results] == [True, False]
    asked = recorder.shown[-2 * len(recorder.shown) // 3 :]
    half = len(asked) // 2
    assert [query for _, query in asked[:half]] == [query for _, query in asked[half:]]
    assert {n for n, _ in asked[half:]} == {0}


def test_swiped_films_are_never_ranked_and_ties_fall_by_chance() -> None:
    history = tuple(Swipe(item, True, 0) for item in range(15))
    cases = tuple(Case(user, history, frozenset({20})) for user in range(40))
    task = Task(SWIPES, 15, cases, np.ones(N_FILMS, dtype=bool))
    top = rank(Recorder(), task).top
    assert top.min() == 15
    assert len(set(top[:, 0].tolist())) > 10


def test_the_best_point_of_the_grid_is_measured(harness: Harness) -> None:
    def build(able: bool) -> Scorer:
        return EASE(5.0) if able else Recorder()

    peer = Peer("EASE", build, {"able": (False, True)}, frozenset({SWIPES}))
    trials = harness.tune(peer)
    assert [trial.point["able"] for trial in trials] == [False, True]
    assert trials[1].quality > trials[0].quality + 0.1
    alone = Peer("EASE", lambda: EASE(5.0), tasks=frozenset({SWIPES}))
    measured, expected = (
        harness.measure(p, harness.tune(p)).results[-1].values for p in (peer, alone)
    )
    assert measured == expected


def test_points_are_all_combinations() -> None:
    assert list(points({"a": (1, 2), "b": ("x",)})) == [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
    assert list(points({})) == [{}]


def test_a_stored_run_reads_back_and_fills_the_tables(harness: Harness, tmp_path: Path) -> None:
    peer = Peer("a peer", EASE, {"ridge": (5.0,)}, frozenset({SWIPES, QUERY}))
    run = harness.measure(peer, harness.tune(peer))
    assert store(run, tmp_path) == tmp_path / "validation" / "a-peer.json"
    assert read_runs(tmp_path / "validation") == [run]
    text = all_tables([run])
    assert "against itself without the person" in text
    assert "new films" not in text
    three = next(r for r in run.results if r.task == SWIPES and r.n_swipes == 3)
    assert curve(run.results, intervals=False)[1][2] == f"{three.mean('ndcg@10'):.3f}"


def test_a_task_that_nobody_can_be_asked_is_refused(harness: Harness) -> None:
    with pytest.raises(DataUnusable, match="after 30 swipes"):
        harness.tasks(SWIPES, harness.split.test, [30])


def test_runs_of_different_plans_are_not_compared(harness: Harness) -> None:
    peer = Peer("popularity", Popularity, tasks=frozenset({SWIPES}))
    run = harness.measure(peer, harness.tune(peer))
    other = run.model_copy(update={"plan": Plan(seed=99)})
    with pytest.raises(DataUnusable, match="2 plans"):
        all_tables([run, other])
