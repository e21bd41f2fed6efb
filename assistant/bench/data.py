"""The films of a bench, and the data folders of its servers, which are kept from run to run."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.composition import load_encoder
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender.evaluation.synthetic import RECIPE, synthetic_films
from recommender.features import write_features
from recommender.indexer import STARTER, STARTER_VECTORS, fingerprint, read_items, read_vectors
from recommender.models import Item


@dataclass(frozen=True)
class Home:
    """A data folder for so many films; ``folder`` holds the server's data and the baseline's."""

    folder: Path
    films: int

    @property
    def catalogue(self) -> Path:
        """Where the films are, as CATALOGUE takes them."""
        return self.folder / "catalogue"

    @property
    def baseline(self) -> Path:
        """Where Chroma keeps them for the baseline."""
        return self.folder / "chroma"

    @property
    def settings(self) -> dict[str, str]:
        """What a server is told to serve them."""
        return {
            "REELWISE_HOME": str(self.folder),
            "CATALOGUE": str(self.catalogue),
            "ITEM_INDEX": "memory",
            "LOG_LEVEL": "warning",
        }

    def once(self, name: str, action: Callable[[], None]) -> None:
        """Do what needs to be done but once in this folder."""
        done = self.folder / f"{name}.done"
        if not done.exists():
            action()
            done.touch()


def prepared(data: Path, count: int) -> Home:
    """The home for ``count`` films in ``data``, its catalogue written unless it is there.

    What is there and made of other films, or for another model, is made anew.
    """
    home = Home((data / f"films-{count}").resolve(), count)
    encoder, films = load_encoder(Settings()), real()
    made_of, recipe = home.folder / "made-of", _recipe(films, encoder)
    if not made_of.exists() or made_of.read_text() != recipe:
        shutil.rmtree(home.folder, ignore_errors=True)
        home.folder.mkdir(parents=True)
        made_of.write_text(recipe)
    home.once("catalogue", lambda: _write(home.catalogue, films, encoder, count))
    return home


def real() -> list[Item]:
    """The films of the starter catalogue."""
    return read_items(STARTER)


def _write(folder: Path, films: Sequence[Item], encoder: TextEncoder, count: int) -> None:
    known = read_vectors(STARTER_VECTORS)
    vectors = np.array([known[fingerprint(film, encoder.model_version)] for film in films])
    made, rows = synthetic_films(films, vectors, count)
    prints = (fingerprint(film, encoder.model_version) for film in made)
    write_features(str(folder), made, encoder, dict(zip(prints, rows, strict=True)))


def _recipe(films: Sequence[Item], encoder: TextEncoder) -> str:
    """Changes with whatever the films are made of."""
    facts = "\n".join(film.model_dump_json() for film in films)
    return f"{RECIPE} {encoder.model_version} {hashlib.sha256(facts.encode()).hexdigest()}"
