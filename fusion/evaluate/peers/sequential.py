"""A sequential neural peer, from the library `cornac`: SASRec."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from cornac.data import SequentialDataset
from cornac.models import SASRec as CornacSASRec

from fusion.evaluate.peers.collaborative import Collaborative
from fusion.evaluate.protocol import Interactions, Scores, Swipe


class SASRec(Collaborative):
    """Self-attention over the liked films in order (Kang & McAuley 2018), softmax loss.

    `order` is that of the training sequences: by time, or shuffled, as strangers' random swipes
    are no run of neighbours.
    """

    name = "SASRec"

    def __init__(
        self,
        embedding_dim: int,
        n_epochs: int,
        dropout: float,
        order: Literal["time", "random"],
        learning_rate: float = 0.001,
        seed: int = 0,
    ) -> None:
        self._order, self._seed = order, seed
        self._settings = {
            "embedding_dim": embedding_dim,
            "n_epochs": n_epochs,
            "dropout": dropout,
            "learning_rate": learning_rate,
            "seed": seed,
        }

    def _learn(self, train: Interactions) -> None:
        torch.set_num_threads(1)
        self._model = CornacSASRec(
            loss="softmax",
            # Few in-batch negatives among many uniform ones: the former punish popular films.
            batch_size=128,
            n_sample=2 * train.n_items,
            sample_alpha=0.0,
            num_blocks=1,
            max_len=20,
            use_biases=True,
            **self._settings,
        )
        every_item = OrderedDict((item, item) for item in range(train.n_items))
        rows = list(self._rows(train))
        self._model.fit(SequentialDataset.build(rows, global_iid_map=every_item, seed=self._seed))

    def _rows(self, train: Interactions) -> Iterator[tuple[int, int, int]]:
        """Yield (person, film, place in the sequence)."""
        rng = np.random.default_rng(self._seed)
        for person, swipes in enumerate(train.swipes()):
            liked = [swipe.item for swipe in swipes if swipe.liked]
            if self._order == "random":
                rng.shuffle(liked)
            yield from ((person, item, place) for place, item in enumerate(liked))

    def _personal(self, history: Sequence[Swipe]) -> Scores:
        liked = [swipe.item for swipe in history if swipe.liked]
        with torch.inference_mode():
            scores = self._model.score(None, liked)
        return np.asarray(scores, dtype=np.float32).ravel()[: len(self.popularity)]
