"""The training loop: batches, loss, checkpoints, resume (extra `[train]`)."""

import os
import signal
import threading
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

from fusion.errors import FusionError
from fusion.training.examples import Example, Examples
from fusion.training.learners import Learner

CHECKPOINT = "checkpoint.pt"
SWIPED = -1e9


class Interrupted(FusionError):
    """Training was asked to stop; the checkpoint is written and the same command goes on."""


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
    learner: Learner, examples: Examples, items: Tensor, pace: Pace, folder: Path, name: str
) -> float:
    """Train to ``pace.steps``, from the folder's checkpoint if there is one; the last mean loss.

    Each step draws its batch from a seed of its own, so that a resumed run sees what an
    uninterrupted one would have seen.

    Raises:
        Interrupted: SIGTERM or SIGINT came; the checkpoint is written.
    """
    torch.manual_seed(pace.seed)
    optimizer, schedule = _optimizer(learner, pace)
    state = _State(learner, optimizer, schedule, folder / CHECKPOINT, pace)
    step, mean = state.restore()
    for module in learner.modules().values():
        module.train()
    with (
        _stop_asked() as stopped,
        tqdm(total=pace.steps, initial=step, desc=name, unit="step", disable=None) as bar,
    ):
        while step < pace.steps:
            rng = np.random.default_rng([pace.seed, step])
            torch.manual_seed(pace.seed * 1_000_003 + step)
            batch = [examples.draw(rng) for _ in range(pace.batch)]
            loss = _step(learner, batch, items, optimizer)
            schedule.step()
            step += 1
            mean = loss if step == 1 else 0.98 * mean + 0.02 * loss
            bar.set_postfix(loss=f"{mean:.3f}", refresh=False)
            bar.update()
            if step % pace.checkpoint_every == 0 or step == pace.steps or stopped.is_set():
                state.save(step, mean)
            if stopped.is_set() and step < pace.steps:
                raise Interrupted(f"Stopped after {step} steps; run the same command to go on.")
    return mean


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
    liked = torch.from_numpy(np.stack([example.liked for example in batch]))
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
        pace: Pace,
    ) -> None:
        self._parts = {**learner.modules(), "optimizer": optimizer, "schedule": schedule}
        self._path, self._pace = path, pace

    def save(self, step: int, mean: float) -> None:
        """Write whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".partial")
        states = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save(
            {"step": step, "mean": mean, "pace": self._pace.model_dump(), "states": states}, partial
        )
        os.replace(partial, self._path)

    def restore(self) -> tuple[int, float]:
        """Steps done and mean loss; (0, 0) when there is no checkpoint of this pace."""
        if not self._path.exists():
            return 0, 0.0
        stored = torch.load(self._path, weights_only=True)
        if stored["pace"] != self._pace.model_dump():
            return 0, 0.0
        for name, part in self._parts.items():
            part.load_state_dict(stored["states"][name])
        return int(stored["step"]), float(stored["mean"])


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set: a spot instance gives two minutes' notice."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    kinds = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(kind, lambda *_: stopped.set()) for kind in kinds]
    try:
        yield stopped
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
