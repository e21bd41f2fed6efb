"""The space that films and people share: a vector for every film, whether it was rated or not."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusion.encoder import Vectors
from fusion.errors import ModelFilesCorrupt, ModelFilesMissing
from fusion.facts import FactVocabulary, FilmFacts
from fusion.linear_fusion import LinearFusion, Settings
from fusion.regression import RidgeModel

FILE = "item_space.npz"


@dataclass(frozen=True)
class ItemSpace:
    """Vectors of the rated films by key, and how those of all others are made.

    ``vectors`` has shape (rated films, dim). Other films' vectors are a ridge regression's
    prediction from their text vectors and facts.
    """

    keys: tuple[str, ...]
    vectors: Vectors
    facts: FactVocabulary
    projection: RidgeModel
    version: str = ""
    """Names the file it was read from; vectors of different versions do not compare."""

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return int(self.vectors.shape[1])

    def place(self, films: Sequence[FilmFacts], texts: NDArray[np.float32]) -> Vectors:
        """The films' vectors, shape (films, dim); ``texts`` are their unit text vectors."""
        features = np.hstack([Settings().unrated_text * texts, self.facts.matrix(films)])
        placed = self.projection.predict(features).astype(np.float32)
        rows = {key: row for row, key in enumerate(self.keys)}
        for place, film in enumerate(films):
            if (row := rows.get(film_key(film))) is not None:
                placed[place] = self.vectors[row]
        return placed

    def save(self, path: Path) -> None:
        """Write to a file; numbers are kept as 16-bit floats."""
        np.savez_compressed(
            path,
            keys=np.array(self.keys),
            facts=np.array(self.facts.names),
            vectors=self.vectors.astype(np.float16),
            weights=self.projection.weights.astype(np.float16),
            intercept=self.projection.intercept.astype(np.float16),
        )


def film_key(film: FilmFacts) -> str:
    """Names a film across catalogues: an id alone may be another film's elsewhere."""
    return f"{film.item_id}|{film.title.casefold()}|{film.year or ''}"


def item_space(
    model: LinearFusion, films: Sequence[FilmFacts], rated: NDArray[np.bool_]
) -> ItemSpace:
    """The space of a fitted model; ``rated`` says which of its films had reactions."""
    known = np.flatnonzero(rated).tolist()
    return ItemSpace(
        tuple(film_key(films[k]) for k in known),
        model.items[known],
        FactVocabulary.of(films),
        model.projection,
    )


def load_item_space(path: Path) -> ItemSpace:
    """Read what `ItemSpace.save` wrote.

    Raises:
        ModelFilesMissing: the file is not there.
        ModelFilesCorrupt: it is damaged.
    """
    try:
        with np.load(BytesIO(path.read_bytes())) as stored:
            return ItemSpace(
                tuple(stored["keys"].tolist()),
                stored["vectors"].astype(np.float32),
                FactVocabulary(tuple(stored["facts"].tolist())),
                RidgeModel(
                    stored["weights"].astype(np.float64), stored["intercept"].astype(np.float64)
                ),
                digest(path)[:12],
            )
    except FileNotFoundError as error:
        raise ModelFilesMissing(path) from error
    except Exception as error:  # numpy, zipfile and zlib have errors of their own
        raise ModelFilesCorrupt(path, str(error)) from error


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
