"""The two networks as things that learn from a batch of examples (extra `[train]`)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.linear_fusion import DIM, RANK
from fusion.network import (
    TEXT_DIM,
    Asked,
    EmbeddingFusion,
    Parts,
    QueryTower,
    Shape,
    TokenFusion,
)
from fusion.tokens import as_text, film_text
from fusion.training.examples import DAY, Example
from fusion.training.world import World

MAX_QUERY_TOKENS = 64
MAX_TOKENS = 160
FROZEN_LAYERS = 3
"""Of MiniLM's six; so are its embeddings."""
LIKENESS = 20.0
"""What turns cosines of texts into scores of a softmax, at the start."""


class Learner(Protocol):
    """What the training loop asks of a network. Its tensors are on ``device``."""

    device: torch.device

    def modules(self) -> dict[str, nn.Module]:
        """The parts that are trained: the first at the usual rate, the second at the text's."""

    def vectors(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Fused vectors (b, 384), and a penalty to add to the loss."""

    def answers(self, examples: Sequence[Example]) -> Tensor:
        """Fused vectors (b, 384) as they are served."""


class EmbeddingLearner:
    """Embedding fusion and the query tower in front of it, trained together."""

    def __init__(self, world: World, source: Path, shape: Shape, restraint: float) -> None:
        """``restraint`` weighs the mean square of the correction's scores in the loss."""
        self._world, self._restraint = world, restraint
        self.device = best_device()
        self.tokenizer, transformer = load_transformer(source)
        self.tower = QueryTower(transformer).to(self.device)
        self.items = torch.from_numpy(world.linear.items).to(self.device)
        spread = float(1.0 / world.linear.items[:, :RANK].std())
        self.net = EmbeddingFusion(
            shape, torch.from_numpy(world.linear.taste_maps), _likeness(world), spread / 2
        ).to(self.device)
        self._added = torch.from_numpy(world.added).to(self.device)

    def modules(self) -> dict[str, nn.Module]:
        """Network, then tower."""
        return {"network": self.net, "tower": self.tower}

    def vectors(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Cross-fitted, as the world's ``added`` says."""
        asked, rows = self._asked(examples)
        fold = torch.from_numpy(self._world.fold[[e.person for e in examples]]).to(self.device)
        added = self._added[fold[:, None], asked.liked.long(), rows]
        parts, correction = self.net(asked, added)
        restraint = ((correction @ self.items[:, :RANK].T) ** 2).mean()
        return parts.taste + parts.words, self._restraint * restraint

    def parts(self, examples: Sequence[Example]) -> Parts:
        """As served: with the maps of all people."""
        parts: Parts = self.net(self._asked(examples)[0])[0]
        return parts

    def answers(self, examples: Sequence[Example]) -> Tensor:
        """The sum of both parts."""
        parts = self.parts(examples)
        return parts.taste + parts.words

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Query vectors, shape (texts, 384)."""
        vectors: Tensor = self.tower(
            *tokenised(self.tokenizer, texts, MAX_QUERY_TOKENS, self.device)
        )
        return vectors

    def _asked(self, examples: Sequence[Example]) -> tuple[Asked, Tensor]:
        rows, liked, swiped, days = (part.to(self.device) for part in _padded(examples))
        has_query = torch.tensor([bool(e.query) for e in examples], device=self.device)
        query = torch.zeros(len(examples), TEXT_DIM, device=self.device)
        if has_query.any():
            query[has_query] = self.embed([e.query for e in examples if e.query])
        else_ = torch.tensor([e.someone_else for e in examples], device=self.device)
        films = self.items[rows] * swiped[..., None]
        return Asked(query, has_query, films, liked, swiped, days, else_), rows


class TokenLearner:
    """Token fusion: one transformer over one text."""

    def __init__(self, world: World, source: Path) -> None:
        self._world = world
        self.device = best_device()
        self.tokenizer, transformer = load_transformer(source)
        self.net = TokenFusion(transformer).to(self.device)
        self._texts = [film_text(film.title, film.year) for film in world.films]

    def modules(self) -> dict[str, nn.Module]:
        """The head, then the transformer."""
        return {"network": self.net.out, "tower": self.net.transformer}

    def vectors(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """No penalty."""
        return self.answers(examples), torch.zeros((), device=self.device)

    def answers(self, examples: Sequence[Example]) -> Tensor:
        """What the transformer makes of the texts."""
        texts = [as_text(self.input(example)) for example in examples]
        vectors: Tensor = self.net(*tokenised(self.tokenizer, texts, MAX_TOKENS, self.device))
        return vectors

    def input(self, example: Example) -> FusionInput:
        """The example as the encoder's port has it."""
        return fusion_input(example, self._texts, self._world.linear.items)


def fusion_input(example: Example, texts: Sequence[str], items: Any) -> FusionInput:  # noqa: ANN401
    """The example as the encoder's port has it; ``items`` (n, 384) are the item vectors."""
    swipes = tuple(
        SwipedFilm(
            str(swipe.item),
            texts[swipe.item],
            items[swipe.item],
            swipe.liked,
            (example.now - swipe.timestamp) / DAY,
        )
        for swipe in example.swipes
    )
    return FusionInput(example.query, swipes, example.someone_else)


def load_transformer(source: Path) -> tuple[Any, nn.Module]:
    """Tokenizer and transformer of a sentence-transformers folder."""
    from transformers import AutoModel, AutoTokenizer

    plain = {"attn_implementation": "eager"}  # the exporter sees ordinary matrix products
    transformer = AutoModel.from_pretrained(source, **plain)
    # A few thousand queries cannot teach a vocabulary; what is general stays as it was learned.
    for frozen in (transformer.embeddings, *transformer.encoder.layer[:FROZEN_LAYERS]):
        frozen.requires_grad_(False)
    return AutoTokenizer.from_pretrained(source), transformer


def best_device() -> torch.device:
    """A GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def tokenised(
    tokenizer: Any,  # noqa: ANN401
    texts: Sequence[str],
    limit: int,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, Tensor]:
    """Ids and mask, shape (texts, longest)."""
    found = tokenizer(
        list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt"
    )
    return found["input_ids"].to(device), found["attention_mask"].to(device)


def _likeness(world: World) -> nn.Linear:
    """The basis numbers whose scores are a text's likeness to the films' texts."""
    mean = world.texts.mean(axis=0)
    basis = world.linear.items[:, :RANK]
    layer = nn.Linear(TEXT_DIM, RANK)
    weight = LIKENESS * basis.T @ (world.texts - mean)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.astype(np.float32)))
        layer.bias.copy_(torch.from_numpy((-weight @ mean).astype(np.float32)))
    return layer


def _padded(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows of the swiped films, liked, present, days ago: (b, n) each, n at least 1."""
    n = max(1, *(len(example.swipes) for example in examples))
    rows = np.zeros((len(examples), n), dtype=np.int64)
    liked, swiped = np.zeros(rows.shape, dtype=bool), np.zeros(rows.shape, dtype=bool)
    days = np.zeros(rows.shape, dtype=np.float32)
    for place, example in enumerate(examples):
        for k, swipe in enumerate(example.swipes):
            rows[place, k], liked[place, k], swiped[place, k] = swipe.item, swipe.liked, True
            days[place, k] = (example.now - swipe.timestamp) / DAY
    return tuple(map(torch.from_numpy, (rows, liked, swiped, days)))


def batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    """The examples, ``size`` at a time."""
    for start in range(0, len(examples), size):
        yield examples[start : start + size]


assert DIM == TEXT_DIM  # noqa: S101 - the embedding cache holds vectors of one length
