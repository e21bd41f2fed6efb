"""The two fusion networks (extra `[train]`): words and swipes in, a vector of item space out."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusion.linear_fusion import BIAS, DIM, POPULARITY, RANK

TEXT_DIM = 384
LIKE, DISLIKE = 1, 0


class Asked(NamedTuple):
    """A batch of b requests with up to n swipes each.

    ``query`` (b, 384) are text vectors and ``has_query`` (b,) says where there are words;
    ``films`` (b, n, 384) are swiped films' item vectors, ``liked`` (b, n) and ``swiped`` (b, n)
    bool, ``days`` (b, n) ago; ``someone_else`` (b,) bool.
    """

    query: Tensor
    has_query: Tensor
    films: Tensor
    liked: Tensor
    swiped: Tensor
    days: Tensor
    someone_else: Tensor


class Parts(NamedTuple):
    """What the swipes and what words and context add, (b, 384) each; the vector is their sum."""

    taste: Tensor
    words: Tensor


class Block(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A pre-norm transformer block."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.to_heads, self.from_heads = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * dim, dim)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Tokens (b, t, dim) that attend to the ``present`` (b, t) ones."""
        b, t, dim = tokens.shape
        heads = self.to_heads(self.before(tokens)).reshape(b, t, 3, self.heads, dim // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) / (dim // self.heads) ** 0.5
        scores = scores.masked_fill(~present[:, None, None, :], -1e9)
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(b, t, dim)
        tokens = tokens + self.dropout(self.from_heads(mixed))
        return tokens + self.dropout(self.feed_forward(self.between(tokens)))


@dataclass(frozen=True)
class Shape:
    """Sizes of the embedding fusion's attention."""

    dim: int = 96
    heads: int = 4
    layers: int = 1
    dropout: float = 0.3
    trust: float = 0.5
    """Share of what attention learned that counts where nothing is asked; the rest is linear. A few
    hundred people teach it to overdo: half of it ranks better than all and than nothing."""


class EmbeddingFusion(nn.Module):  # type: ignore[misc]
    """Attention over the query's vector and the swiped films' item vectors.

    The vector is a sum: what each swipe adds by the linear fusion, times an attention gate; what
    the words add; and a correction of low rank, 0 before training. Where words are, each has a gain
    by context.
    """

    def __init__(self, shape: Shape, maps: Tensor, likeness: nn.Linear, spread: float) -> None:
        """``maps`` (2, 382, 382): dislike, like. ``likeness``: from text vectors to the basis.
        ``spread``: what brings basis numbers to a deviation of about one.
        """
        super().__init__()
        dim = shape.dim
        self.spread, self.trust = spread, shape.trust
        self.register_buffer("maps", maps)
        self.likeness = likeness
        self.films = nn.Sequential(nn.Dropout(0.2), nn.Linear(DIM, dim))
        self.directions = nn.Embedding(2, dim)
        self.recency = nn.Linear(1, dim)
        self.words = nn.Linear(TEXT_DIM, dim)
        self.context = nn.Parameter(torch.randn(2, dim) * 0.05)
        self.no_words = nn.Parameter(torch.randn(dim) * 0.05)
        self.blocks = nn.ModuleList(
            Block(dim, shape.heads, shape.dropout) for _ in range(shape.layers)
        )
        self.last = nn.LayerNorm(dim)
        self.gate = _silent(nn.Linear(dim, 1))
        self.gains = _silent(nn.Linear(dim, 3))
        self.popularity = _silent(nn.Linear(dim, 1))
        self.correction = _silent(nn.Linear(dim, RANK, bias=False))
        self.meaning = nn.Sequential(
            nn.Linear(TEXT_DIM, 512), nn.GELU(), _silent(nn.Linear(512, RANK))
        )
        self.scale = nn.Parameter(torch.tensor(2.3))

    def forward(self, asked: Asked, added: Tensor | None = None) -> tuple[Parts, Tensor]:
        """Parts and the correction (b, 382); ``added`` (b, n, 382) overrides in training what each
        swipe adds by the linear fusion.
        """
        state, swipes = self._attend(asked)
        trust = self._trust(asked)
        gates = 1 + trust[..., None] * torch.tanh(self.gate(swipes))
        gains = (self.gains(state) * asked.has_query[:, None]).exp()
        scale = self.scale.exp()
        has_swipes = asked.swiped.any(1, keepdim=True)
        correction = trust * self.correction(state) * has_swipes
        gates = gates * asked.swiped[..., None]
        total = self._swipes_add(asked, gates) if added is None else (gates * added).sum(1)
        taste = scale * gains[:, :1] * total + correction
        spoken, bias = gains[:, 1:2] * self._words(asked), scale * gains[:, 2:]
        popularity = self.popularity(state) * asked.has_query[:, None]
        words = torch.cat([spoken, bias, popularity], dim=1)
        known = has_swipes | asked.has_query[:, None]
        parts = Parts(
            functional.pad(taste, (0, DIM - RANK)), torch.where(known, words, _popular(words))
        )
        return parts, correction

    def _swipes_add(self, asked: Asked, gates: Tensor) -> Tensor:
        """What swipes, times ``gates`` (b, n, 1), add by the linear fusion together, (b, 382): the
        films are added up before they are mapped, which comes to the same and takes one product for
        all likes.
        """
        basis, liked = gates * asked.films[..., :RANK], asked.liked[..., None]
        likes, dislikes = (basis * liked).sum(1), (basis * ~liked).sum(1)
        return likes @ self.maps[LIKE] + dislikes @ self.maps[DISLIKE]

    def _trust(self, asked: Asked) -> Tensor:
        """How far attention may depart from the linear fusion, (b, 1): all the way in training."""
        silent = 1.0 if self.training else self.trust
        return torch.where(asked.has_query[:, None], 1.0, silent)

    def _attend(self, asked: Asked) -> tuple[Tensor, Tensor]:
        basis, facts = asked.films[..., :RANK] * self.spread, asked.films[..., RANK:]
        films = self.films(torch.cat([basis, facts], dim=-1))
        recency = self.recency(torch.log1p(asked.days)[..., None] / 4)
        swipes = films + self.directions(asked.liked.long()) + recency
        words = torch.where(asked.has_query[:, None], self.words(asked.query), self.no_words)
        context = torch.where(asked.someone_else[:, None], self.context[1], self.context[0])
        tokens = torch.cat([context[:, None], words[:, None], swipes], dim=1)
        always = torch.ones_like(asked.has_query)[:, None].expand(-1, 2)
        present = torch.cat([always, asked.swiped], dim=1)
        for block in self.blocks:
            tokens = block(tokens, present)
        tokens = self.last(tokens)
        return tokens[:, 0], tokens[:, 2:]

    def _words(self, asked: Asked) -> Tensor:
        words = self.likeness(asked.query) + self.spread * self.meaning(asked.query)
        return words * asked.has_query[:, None]


class TokenFusion(nn.Module):  # type: ignore[misc]
    """A transformer over one text of query, likes and dislikes; see `fusion.tokens`."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer
        self.out = nn.Sequential(nn.Linear(TEXT_DIM, 512), nn.GELU(), nn.Linear(512, DIM))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors (b, 384) for token ids and mask, (b, tokens) each."""
        return self.out(pool(self.transformer(input_ids=ids, attention_mask=mask), mask))


class QueryTower(nn.Module):  # type: ignore[misc]
    """A sentence transformer as a function of ids and mask, to unit vectors (b, 384)."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Mean over the tokens, at length one."""
        outputs = self.transformer(input_ids=ids, attention_mask=mask)
        return functional.normalize(pool(outputs, mask), dim=1)


class SharedTower(nn.Module):  # type: ignore[misc]
    """One transformer that makes the vectors of several models, by a head for each."""

    def __init__(self, transformer: nn.Module, heads: int) -> None:
        super().__init__()
        self.transformer = transformer
        self.heads = nn.ModuleList(_Head() for _ in range(heads))

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """For each head the unit vectors of the texts, (b, 384)."""
        pooled = pool(self.transformer(input_ids=ids, attention_mask=mask), mask)
        return tuple(functional.normalize(head(pooled), dim=1) for head in self.heads)


class _Head(nn.Module):  # type: ignore[misc]
    """What one model's vectors have that the shared tower's mean, (b, 384), has not."""

    def __init__(self) -> None:
        super().__init__()
        self.difference = nn.Sequential(
            nn.Linear(TEXT_DIM, 2 * TEXT_DIM), nn.GELU(), _silent(nn.Linear(2 * TEXT_DIM, TEXT_DIM))
        )

    def forward(self, pooled: Tensor) -> Tensor:
        # As a text of one token: with two dimensions the products are exported as operators that
        # are not quantised.
        return pooled + self.difference(pooled[:, None])[:, 0]


def pool(outputs: Any, mask: Tensor) -> Tensor:  # noqa: ANN401 - transformers' own output class
    """Mean of the last layer over the tokens, (b, 384)."""
    weights = mask[..., None].to(outputs.last_hidden_state.dtype)
    return (outputs.last_hidden_state * weights).sum(1) / weights.sum(1)


def _popular(like: Tensor) -> Tensor:
    """The vector that asks for the most liked films, as often as ``like`` has rows."""
    vector = torch.zeros(DIM, dtype=like.dtype, device=like.device)
    vector[POPULARITY] = 1.0
    return vector.expand_as(like)


def _silent(layer: nn.Linear) -> nn.Linear:
    """A layer that gives 0 until it is trained."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


assert (BIAS, POPULARITY) == (RANK, RANK + 1)  # noqa: S101 - the vector is put together so
