"""Everything that can go wrong in `fusion`, drawn as a tree.

FusionError
└── EncoderUnavailable       no vectors can be had from this encoder now; callers degrade
    ├── ModelFilesMissing    a file of the model folder is not there
    └── ModelFilesCorrupt    a file of the model folder is not what its metadata says
"""

from pathlib import Path

MEND = (
    "Restore it from the repository (`git checkout -- fusion/models`) or make it anew: "
    "`pip install -e '.[train]' && "
    "python -m fusion.export --out {folder} --texts recommender/catalog/starter.jsonl`."
)


class FusionError(Exception):
    """Root of every error raised on purpose by `fusion`."""


class EncoderUnavailable(FusionError):
    """The encoder cannot turn texts into vectors; the message says why."""


class ModelFilesMissing(EncoderUnavailable):
    """A file of the model folder is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Model file {path} is missing. {MEND.format(folder=path.parent)}")
        self.path = path


class ModelFilesCorrupt(EncoderUnavailable):
    """A file of the model folder cannot be used; `reason` says what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"Model file {path} is unusable: {reason}. {MEND.format(folder=path.parent)}"
        )
        self.path = path
