"""The training loop: batches, loss, checkpoints, resume (extra `[train]`)."""

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from fusion.training.errors import CheckpointUnusable, Interrupted
from fusion.training.examples import Example, Examples
from fusion.training.learners import Learner
from fusion.training.report import Progress

LOG = logging.getLogger(__name__)
CHECKPOINT = "checkpoint.pt"
SWIPED = -1e9


class Pace(BaseModel):
    """How long and how fast."""

    model_config = ConfigDict(frozen=True)

    steps: PositiveInt = 1500
    batch: PositiveInt = 96
    rate: float = 1e-3
    text_rate: float = 3e-5
    decay: float = 0.05
    seed: int = 0
    checkpoint_every: PositiveInt = 250


def train_loop(
    learner: Learner,
    examples: Examples,
    items: Tensor,
    pace: Pace,
    folder: Path,
    name: str,
    run: str = "",
) -> Progress:
    """Train to ``pace.steps``, from the folder's checkpoint if there is one of this pace and run.

    ``run`` names everything else that decides the outcome. Each step draws its batch from a seed of
    its own, so that a resumed run sees what an uninterrupted one would have seen.

    Raises:
        Interrupted: SIGTERM or SIGINT came; the checkpoint is written.
        CheckpointUnusable: the checkpoint cannot be read.
    """
    torch.manual_seed(pace.seed)
    items = items.to(learner.device)
    optimizer, schedule = _optimizer(learner, pace)
    state = _State(learner, optimizer, schedule, folder / CHECKPOINT, f"{run} {pace!r}")
    done = state.restore()
    for module in learner.modules().values():
        module.train()
    with (
        _stop_asked() as stop,
        tqdm(total=pace.steps, initial=done.step, desc=name, unit="step", disable=None) as bar,
    ):
        _log(name, done, pace)
        while done.step < pace.steps:
            start = time.monotonic()
            loss = _step(learner, _batch(examples, pace, done.step), items, optimizer)
            schedule.step()
            done = _after(done, loss, time.monotonic() - start)
            bar.set_postfix(loss=f"{done.loss:.3f}", refresh=False)
            bar.update()
            if done.step % pace.checkpoint_every == 0 or done.step == pace.steps or stop.asked:
                state.save(done)
                _log(name, done, pace)
            if stop.asked:
                raise Interrupted(done.step, stop.asked)
    return done


def _log(name: str, done: Progress, pace: Pace) -> None:
    LOG.info("%s: step %d of %d, loss %.3f", name, done.step, pace.steps, done.loss)


def _batch(examples: Examples, pace: Pace, step: int) -> list[Example]:
    rng = np.random.default_rng([pace.seed, step])
    torch.manual_seed(pace.seed * 1_000_003 + step)
    return [examples.draw(rng) for _ in range(pace.batch)]


def _after(done: Progress, loss: float, seconds: float) -> Progress:
    mean = 0.98 * done.loss + 0.02 * loss if done.step else loss
    return Progress(done.step + 1, mean, done.seconds + seconds)


def contrastive_loss(scores: Tensor, liked: Tensor, swiped: Tensor) -> Tensor:
    """Softmax cross-entropy over all films that were not swiped: every film is a negative.

    A case with c films to find weighs 1 / sqrt(c) for each of them, so that those who liked much
    do not decide alone. Shapes (b, n).
    """
    counts = liked.sum(1)
    logs = functional.log_softmax(scores.masked_fill(swiped, SWIPED), dim=1)
    return -((liked * logs).sum(1) / counts.sqrt()).sum() / counts.sqrt().sum()


def _step(
    learner: Learner, batch: Sequence[Example], items: Tensor, optimizer: torch.optim.Optimizer
) -> float:
    vectors, penalty = learner.vectors(batch)
    liked = torch.from_numpy(np.stack([example.liked for example in batch])).to(items.device)
    swiped = torch.zeros_like(liked, dtype=torch.bool)
    for row, example in enumerate(batch):
        swiped[row, [swipe.item for swipe in example.swipes]] = True
    loss = contrastive_loss(vectors @ items.T, liked, swiped)
    optimizer.zero_grad()
    (loss + penalty).backward()
    for module in learner.modules().values():
        nn.utils.clip_grad_norm_(_trained(module), 1.0)
    optimizer.step()
    return float(loss.detach())


def _optimizer(learner: Learner, pace: Pace) -> tuple[Any, Any]:
    rates = (pace.rate, pace.text_rate)
    groups = [
        {"params": _trained(module), "lr": rate, "weight_decay": pace.decay}
        for module, rate in zip(learner.modules().values(), rates, strict=True)
    ]
    optimizer = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, list(rates), total_steps=pace.steps, pct_start=0.1
    )
    return optimizer, schedule


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


class _State:
    """What a checkpoint holds."""

    def __init__(
        self,
        learner: Learner,
        optimizer: Any,  # noqa: ANN401 - torch has no types here
        schedule: Any,  # noqa: ANN401
        path: Path,
        run: str,
    ) -> None:
        self._parts = {**learner.modules(), "optimizer": optimizer, "schedule": schedule}
        self._device, self._path, self._run = learner.device, path, run

    def save(self, done: Progress) -> None:
        """Write whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        states = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save({"run": self._run, "done": vars(done), "states": states}, partial)
        os.replace(partial, self._path)

    def restore(self) -> Progress:
        """How far the checkpoint had come; nothing is done when there is none of this run."""
        if not self._path.exists():
            return Progress()
        try:
            stored = torch.load(self._path, weights_only=True, map_location=self._device)
            if stored["run"] != self._run:
                return Progress()
            for name, part in self._parts.items():
                part.load_state_dict(stored["states"][name])
            return Progress(**stored["done"])
        except Exception as error:  # there is none that unpickling rubbish may not raise
            raise CheckpointUnusable(self._path, str(error).partition("\n")[0]) from error


class _Stop:
    """``asked`` is the number of the signal that came, 0 until then."""

    asked = 0


@contextmanager
def _stop_asked() -> Iterator[_Stop]:
    """Notes SIGTERM and SIGINT: a spot instance gives two minutes' notice."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def note(number: int, _frame: object) -> None:
        stop.asked = number

    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, note) for kind in kinds]
    try:
        yield stop
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
