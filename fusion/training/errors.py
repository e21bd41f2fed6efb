"""What ends a training run, drawn as a tree.

FusionError
├── Interrupted         it was asked to stop
├── CheckpointUnusable  it cannot go on where it stopped
└── TooFewPeople        there is nobody to learn from
"""

from pathlib import Path

from fusion.errors import FusionError


class Interrupted(FusionError):
    """SIGTERM or SIGINT came; the checkpoint is written and the same command goes on."""

    def __init__(self, step: int, signal_number: int) -> None:
        super().__init__(f"Stopped after {step} steps; run the same command to go on.")
        self.signal_number = signal_number


class CheckpointUnusable(FusionError):
    """A checkpoint is damaged or of another program."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"Checkpoint {path} is unusable: {reason}. Delete it to start anew.")


class TooFewPeople(FusionError):
    """There is nobody to learn from, or nobody else to calibrate on."""
