from pathlib import Path

import pytest

from fusion.evaluate.campaign import measure_peer
from fusion.evaluate.data import Dataset, DataUnusable
from fusion.evaluate.harness import Harness, Plan
from fusion.evaluate.peers.collaborative import EASE
from fusion.evaluate.peers.registry import Peer
from fusion.evaluate.protocol import Interactions, Scorer
from fusion.evaluate.runs import path_of, read_run, read_runs
from fusion.evaluate.tasks import SWIPES
from tests.unit.evaluate_world import films, people

PLAN = Plan(
    validation_people=6, test_people=8, min_swipes=20, swipes=(0, 3), tuned_at=(3,), worded_at=3
)
HARNESS = Harness(Dataset(tuple(films()), people(40)), PLAN)


class Counting:
    """A peer with a grid of two ridges that counts its fits."""

    def __init__(self, *ridges: float) -> None:
        self.fits: list[float] = []
        self.peer = Peer("EASE", self._build, {"ridge": ridges}, frozenset({SWIPES}))

    def _build(self, ridge: float) -> Scorer:
        counting = self

        class Counted(EASE):
            def fit(self, train: Interactions) -> None:
                counting.fits.append(ridge)
                super().fit(train)

        return Counted(ridge)


def test_what_is_stored_is_not_done_again(tmp_path: Path) -> None:
    first, second, again = (Counting(5.0, 50.0) for _ in range(3))
    measure_peer(HARNESS, first.peer, tmp_path)
    stored = read_runs(tmp_path / "validation")
    measure_peer(HARNESS, second.peer, tmp_path)
    measure_peer(HARNESS, again.peer, tmp_path, again=True)
    assert [len(counting.fits) for counting in (first, second, again)] == [3, 0, 3]
    assert [run.peer for run in stored] == ["EASE"]


def test_final_builds_upon_the_stored_trials(tmp_path: Path) -> None:
    measure_peer(HARNESS, Counting(5.0, 50.0).peer, tmp_path)
    final, twice = Counting(5.0, 50.0), Counting(5.0, 50.0)
    measure_peer(HARNESS, final.peer, tmp_path, final=True)
    measure_peer(HARNESS, twice.peer, tmp_path, final=True)
    (validation,), (test,) = (read_runs(tmp_path / name) for name in ("validation", "test"))
    best = max(validation.trials, key=lambda trial: trial.quality).point["ridge"]
    assert (final.fits, twice.fits) == ([best], [])
    assert test.trials == validation.trials
    assert {user for r in test.results for user in r.users} <= HARNESS.split.test.by_user.keys()


def test_another_grid_plan_or_data_is_measured_anew(tmp_path: Path) -> None:
    other_plan = Harness(HARNESS.dataset, PLAN.model_copy(update={"seed": 8}))
    other_data = Harness(Dataset(tuple(films()), people(40, seed=3)), PLAN)
    measure_peer(HARNESS, Counting(5.0).peer, tmp_path)
    for harness, counting in (
        (HARNESS, Counting(5.0, 50.0)),
        (other_plan, Counting(5.0, 50.0)),
        (other_data, Counting(5.0, 50.0)),
    ):
        measure_peer(harness, counting.peer, tmp_path)
        assert len(counting.fits) == 3


def test_a_test_run_of_other_trials_is_stale(tmp_path: Path) -> None:
    measure_peer(HARNESS, Counting(5.0).peer, tmp_path, final=True)
    measure_peer(HARNESS, Counting(5.0, 50.0).peer, tmp_path)
    final = Counting(5.0, 50.0)
    measure_peer(HARNESS, final.peer, tmp_path, final=True)
    assert len(final.fits) == 1


def test_a_file_that_is_no_run_is_named(tmp_path: Path) -> None:
    path = path_of("EASE", "validation", tmp_path)
    path.parent.mkdir()
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(DataUnusable, match=r"ease\.json is no run of this version; delete it"):
        read_run(path)
