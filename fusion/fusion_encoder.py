"""The fusion encoder port: words and swipes in, the one vector that films are sought for out."""

from dataclasses import dataclass
from typing import Protocol

from fusion.encoder import Vectors


@dataclass(frozen=True, slots=True)
class SwipedFilm:
    """One swipe as a fusion encoder reads it.

    ``vector`` is the film's item vector, shape (dim,); ``text`` its title and year;
    ``days_ago`` how long ago it was swiped, 0 for now.
    """

    item_id: str
    text: str
    vector: Vectors
    liked: bool
    days_ago: float = 0.0


@dataclass(frozen=True, slots=True)
class FusionInput:
    """What a person says now, what they swiped (oldest first), and for whom they ask.

    ``explore`` takes so many standard deviations of the taste's scores off for each one of a film's
    popularity: 0 exploits what is known of the person, 1 prefers what few have seen.
    """

    query: str = ""
    swipes: tuple[SwipedFilm, ...] = ()
    for_someone_else: bool = False
    explore: float = 0.0


@dataclass(frozen=True, slots=True)
class Fused:
    """What to look for: ``vector``, shape (dim,), whose inner product with item vectors ranks.

    ``taste``, shape (dim,), is the part of it that the swipes made.
    ``influence`` is the share of the first ten films, 0..1, that the swipes are expected to have
    changed; ``confidence`` the chance that one of the first three is known to be liked, 0..1. Both
    are calibrated on people whom the model was not trained on.
    """

    vector: Vectors
    taste: Vectors
    influence: float
    confidence: float


class FusionEncoder(Protocol):
    """Fuses words and swipes."""

    remote: bool = False
    """Whether calls wait for another machine; the others compute in this process."""

    @property
    def model_version(self) -> str:
        """Name and version of the model; vectors of different versions do not compare."""

    @property
    def dim(self) -> int:
        """Length of each vector."""

    def fuse(self, asked: FusionInput) -> Fused:
        """Fuse; deterministic and safe to call from many threads.

        Any query is accepted, the empty one too, and any number of swipes, none too; long queries
        and all but the latest swipes beyond the model's limit are cut.

        Raises:
            EncoderUnavailable: nothing can be had now.
            WrongDimension: a swiped film's vector is not of length ``dim``.
        """
