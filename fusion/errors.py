"""Everything that can go wrong in `fusion`, drawn as a tree.

FusionError
├── WrongDimension           a vector does not fit the model; index and model are of two makes
└── EncoderUnavailable       no vectors can be had from this encoder now; callers degrade
    ├── EndpointUnavailable  the SageMaker endpoint gives no usable answer
    ├── EmbeddingUnavailable Bedrock's embedding model gives no usable answer
    ├── ModelFilesMissing    a file of the model folder is not there
    └── ModelFilesCorrupt    a file of the model folder is not what its metadata says
"""

from pathlib import Path

MEND = (
    "Restore it from the repository (`git checkout -- fusion/models`) or make it anew: "
    "`pip install -e '.[train]' && {command}`."
)
EXPORT = "python -m fusion.export --out {folder} --texts recommender/catalog/starter.jsonl"
TRAIN = "reelwise train --data <MovieLens folder> --out {folder}"
TRAINED = {"item-space", "embedding-fusion", "token-fusion"}
"""Folders of a trained model; their ``text`` folder is of it too."""


class FusionError(Exception):
    """Root of every error raised on purpose by `fusion`."""


class WrongDimension(FusionError):
    """A vector's length is not the model's."""

    def __init__(self, found: int, expected: int) -> None:
        super().__init__(
            f"A film's vector has {found} numbers and the model reads {expected}. "
            "Bring the index up to date with: reelwise index"
        )


class EncoderUnavailable(FusionError):
    """The encoder cannot turn texts into vectors; the message says why."""


class EndpointUnavailable(EncoderUnavailable):
    """The SageMaker endpoint gives no usable answer; `reason` says why, without users' words."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"SageMaker endpoint {endpoint} gives no answer: {reason}")


class EmbeddingUnavailable(EncoderUnavailable):
    """Bedrock's embedding model gives no usable answer; `reason` says why, without users' words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Bedrock's embedding model gives no vector: {reason}")


class ModelFilesMissing(EncoderUnavailable):
    """A file of the model folder is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Model file {path} is missing. {_mend(path)}")
        self.path = path


class ModelFilesCorrupt(EncoderUnavailable):
    """A file of the model folder cannot be used; `reason` says what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"Model file {path} is unusable: {reason}. {_mend(path)}")
        self.path = path


def _mend(path: Path) -> str:
    for folder in (path.parent, path.parent.parent):
        if folder.name in TRAINED:
            return MEND.format(command=TRAIN.format(folder=folder.parent))
    return MEND.format(command=EXPORT.format(folder=path.parent))
