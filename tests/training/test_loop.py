"""The training loop on a little transformer: it learns, stops, goes on and refuses rubbish."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from fusion.network import Shape
from fusion.training.errors import CheckpointUnusable, Interrupted
from fusion.training.examples import Example, Examples
from fusion.training.learners import EmbeddingLearner, Learner, TokenLearner
from fusion.training.loop import CHECKPOINT, Pace, contrastive_loss, train_loop
from fusion.training.report import Progress
from tests.training.little import PACE, items_of, little_examples, little_world

KINDS = ["embedding", "token"]


def learner(kind: str, source: Path) -> Learner:
    torch.manual_seed(1)
    if kind == "embedding":
        return EmbeddingLearner(little_world(), source, Shape(dim=16), 1.0)
    return TokenLearner(little_world(), source)


def run(
    learned: Learner,
    folder: Path,
    pace: Pace = PACE,
    examples: Examples | None = None,
    run: str = "",
) -> Progress:
    items = torch.from_numpy(items_of(little_world()))
    return train_loop(learned, examples or little_examples(), items, pace, folder, "Test", run)


def weights(learned: Learner) -> dict[str, torch.Tensor]:
    return {
        f"{part}.{name}": tensor
        for part, module in learned.modules().items()
        for name, tensor in module.state_dict().items()
    }


class Stopping(Examples):
    """Examples whose ``at``-th draw is when the instance is taken away."""

    def __init__(self, examples: Examples, at: int, number: signal.Signals) -> None:
        self._examples, self._left, self._number = examples, at, number

    def draw(self, rng: np.random.Generator) -> Example:
        self._left -= 1
        if self._left == 0:
            signal.raise_signal(self._number)
        return self._examples.draw(rng)


class Few(Examples):
    """The same four examples again and again."""

    def __init__(self) -> None:
        rng, examples = np.random.default_rng(5), little_examples()
        self.drawn = [examples.draw(rng) for _ in range(4)]

    def draw(self, rng: np.random.Generator) -> Example:
        return self.drawn[rng.integers(len(self.drawn))]


def loss(learned: Learner, drawn: list[Example]) -> float:
    """As served."""
    for module in learned.modules().values():
        module.eval()
    with torch.no_grad():
        scores = learned.answers(drawn) @ torch.from_numpy(items_of(little_world())).T
    liked = torch.from_numpy(np.stack([example.liked for example in drawn]))
    swiped = torch.zeros_like(liked, dtype=torch.bool)
    for row, example in enumerate(drawn):
        swiped[row, [swipe.item for swipe in example.swipes]] = True
    return float(contrastive_loss(scores, liked, swiped))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_is_learned(source: Path, tmp_path: Path, kind: str) -> None:
    learned, few = learner(kind, source), Few()
    before = loss(learned, few.drawn)
    run(learned, tmp_path, Pace(steps=25, batch=4, rate=1e-2, text_rate=1e-3), few)
    assert loss(learned, few.drawn) < before - 0.2


@pytest.mark.parametrize(
    ("kind", "number"), [("embedding", signal.SIGTERM), ("token", signal.SIGINT)]
)
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    source: Path, tmp_path: Path, kind: str, number: signal.Signals
) -> None:
    whole, stopped, resumed = (learner(kind, source) for _ in range(3))
    expected = run(whole, tmp_path / "whole")
    with pytest.raises(Interrupted, match="after 3 steps; run the same command") as stop:
        run(stopped, tmp_path / "parts", examples=Stopping(little_examples(), 11, number))
    assert stop.value.signal_number == number
    ended = run(resumed, tmp_path / "parts")
    assert ended.step == expected.step
    assert ended.loss == pytest.approx(expected.loss, rel=1e-5)
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], tensor, msg=name)


def test_handlers_of_signals_are_put_back(source: Path, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run(learner("embedding", source), tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_is_done_is_not_done_again(source: Path, tmp_path: Path) -> None:
    first = learner("embedding", source)
    done = run(first, tmp_path)
    again = learner("embedding", source)
    assert run(again, tmp_path, examples=Stopping(little_examples(), 1, signal.SIGTERM)) == done
    for name, tensor in weights(first).items():
        torch.testing.assert_close(weights(again)[name], tensor, msg=name)


@pytest.mark.parametrize(
    ("pace", "name"), [(PACE.model_copy(update={"seed": 5}), ""), (PACE, "other people")]
)
def test_another_plan_or_other_data_start_anew(
    source: Path, tmp_path: Path, pace: Pace, name: str
) -> None:
    run(learner("embedding", source), tmp_path)
    stopping = Stopping(little_examples(), 1, signal.SIGTERM)
    with pytest.raises(Interrupted, match="after 1 steps"):
        run(learner("embedding", source), tmp_path, pace, stopping, name)


def test_a_checkpoint_is_written_whole_or_not_at_all(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(learner("embedding", source), tmp_path)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full_disk(_states: object, path: Path) -> None:
        path.write_bytes(b"half of i")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        run(learner("embedding", source), tmp_path, run="other people")
    assert (tmp_path / CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"PK\x03\x04rubbish"])
def test_a_damaged_checkpoint_is_named_with_the_mend(
    source: Path, tmp_path: Path, rubbish: bytes
) -> None:
    (tmp_path / CHECKPOINT).write_bytes(rubbish)
    with pytest.raises(CheckpointUnusable, match=r"checkpoint\.pt is unusable.*Delete it"):
        run(learner("embedding", source), tmp_path)


def test_a_cut_checkpoint_is_named_with_the_mend(source: Path, tmp_path: Path) -> None:
    run(learner("embedding", source), tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(CheckpointUnusable, match="Delete it to start anew"):
        run(learner("embedding", source), tmp_path)


def test_the_loss_is_least_where_liked_films_come_first() -> None:
    liked = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    swiped = torch.tensor([[False, True, False, False]])
    good = contrastive_loss(torch.tensor([[5.0, 9.0, 0.0, 5.0]]), liked, swiped)
    bad = contrastive_loss(torch.tensor([[0.0, 9.0, 5.0, 0.0]]), liked, swiped)
    assert good < bad
    moved = contrastive_loss(torch.tensor([[5.0, -9.0, 0.0, 5.0]]), liked, swiped)
    assert moved == pytest.approx(float(good))  # a film that was swiped plays no part
