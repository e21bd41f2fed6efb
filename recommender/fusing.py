"""What a fusion encoder is asked, and how its answer is kept."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm
from fusion.tokens import film_text
from recommender.catalogue import Catalogue
from recommender.models import Direction, Understanding
from recommender.preferences.model import Tier
from recommender.stores.ports import Vector
from recommender.users import UserState
from recommender.vectors import ItemVectors

MAX_SWIPES = 128
DAY = 86_400.0


class FusionInputs:
    """Turns a question and a person into what the encoders read."""

    def __init__(self, catalogue: Catalogue, vectors: ItemVectors) -> None:
        """``vectors`` are the films' in the fused space."""
        self._catalogue = catalogue
        self._vectors = vectors

    def personal(self, understood: Understanding, tier: Tier) -> bool:
        """Whether the person's own swipes are asked with."""
        return not understood.anchors and tier != "generic"

    def of(
        self,
        understood: Understanding,
        mentions: Mapping[str, Direction],
        state: UserState,
        tier: Tier,
        explore: float,
        now: datetime,
    ) -> FusionInput:
        """Films to be like count as likes, with what is said of others, in the own swipes' place.

        They are part of the wish, so they count fully for someone else too. A person in the generic
        tier is nobody yet. Swipes that preferences do not hold yet wait for them, so that what is
        remembered under a preference hash is of that taste.
        """
        said = {i: (direction is Direction.LIKE, 0.0) for i, direction in mentions.items()}
        swiped = said | dict.fromkeys(understood.anchors, (True, 0.0))
        if self.personal(understood, tier):
            swiped = _opinions(state, now)
        others = understood.for_someone_else and not understood.anchors
        return FusionInput(understood.text, self._films(swiped), others, explore)

    def name(self, asked: FusionInput, model_version: str) -> str:
        """Names a request among those of one taste: all but the swipes, which the taste stands for.

        Named films are no part of taste, so the ids of all films are in it.
        """
        films = " ".join(f"{film.item_id}{'+-'[not film.liked]}" for film in asked.swipes)
        digest = hashlib.sha256(films.encode()).hexdigest()
        return f"{model_version} {digest} {asked.for_someone_else} {asked.explore} {asked.query}"

    def _films(self, swiped: dict[str, tuple[bool, float]]) -> tuple[SwipedFilm, ...]:
        latest = list(swiped)[-MAX_SWIPES:]
        vectors = self._vectors.get(latest)
        return tuple(
            SwipedFilm(
                item.item_id,
                film_text(item.title, item.year),
                vectors[item.item_id],
                *swiped[item.item_id],
            )
            for item in self._catalogue.select(latest)
            if item.item_id in vectors
        )


def _opinions(state: UserState, now: datetime) -> dict[str, tuple[bool, float]]:
    """Whether each of the latest films was liked, and how many days ago, as far as preferences
    hold it.
    """
    learned = state.preferences.last_event_id
    told = [
        swipe
        for swipe in state.swipes.values()
        if swipe.direction is not Direction.SKIP and swipe.event_id <= learned
    ]
    return {
        swipe.item_id: (
            swipe.direction is Direction.LIKE,
            max((now - swipe.swiped_at).total_seconds() / DAY, 0.0),
        )
        for swipe in told[-MAX_SWIPES:]
    }


def packed(fused: Fused) -> Vector:
    """An answer as one vector, shape (2 dim + 2,): vector, taste, influence, confidence."""
    rest = np.array([fused.influence, fused.confidence], dtype=np.float32)
    return np.concatenate([fused.vector, fused.taste, rest])


def packed_length(dim: int) -> int:
    """How many numbers a packed answer has."""
    return 2 * dim + 2


def unpacked(vector: Vector) -> Fused:
    """The answer that was packed."""
    dim = (len(vector) - 2) // 2
    influence, confidence = (float(number) for number in vector[2 * dim :])
    return Fused(vector[:dim], vector[dim : 2 * dim], influence, confidence)
