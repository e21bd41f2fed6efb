"""From trained networks to the folders that serving reads (extra `[train]`)."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusion.export import write_model
from fusion.item_space import FILE as ITEM_SPACE
from fusion.item_space import digest
from fusion.linear_fusion import DIM, RANK
from fusion.network import Asked, EmbeddingFusion
from fusion.onnx_fusion import CARD, GRAPH, SPACE_FOLDER, TEXT_FOLDER, FusionCard, Logistic
from fusion.traces import drop_traces
from fusion.training.learners import MAX_QUERY_TOKENS, MAX_TOKENS, EmbeddingLearner, TokenLearner
from fusion.training.model_card import MOVIELENS, About
from fusion.training.world import World

UNKNOWN = Logistic(weights=(0.0,) * 6)


def publish_space(world: World, models: Path) -> Path:
    """Write the item space that both fusions share."""
    path = models / SPACE_FOLDER.name / ITEM_SPACE
    path.parent.mkdir(parents=True, exist_ok=True)
    world.space.save(path)
    return path


def publish_embedding(learner: EmbeddingLearner, folder: Path, about: About = MOVIELENS) -> None:
    """Write the query tower as int8 and the fusion as fp32: it is small and reads few tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    _publish_text(learner.tower, learner.tokenizer, folder, MAX_QUERY_TOKENS, about)
    _export_fusion(_on_cpu(learner.net), folder / GRAPH)


def publish_token(learner: TokenLearner, folder: Path, about: About = MOVIELENS) -> None:
    """Write the whole network as int8."""
    folder.mkdir(parents=True, exist_ok=True)
    _publish_text(learner.net, learner.tokenizer, folder, MAX_TOKENS, about)


def write_card(
    folder: Path,
    world: World,
    kind: str,
    version: str,
    influence: Logistic = UNKNOWN,
    confidence: Logistic = UNKNOWN,
) -> FusionCard:
    """Write `fusion.json`."""
    graphs = [GRAPH] if kind == "embedding" else []
    basis = world.linear.items[:, :RANK]
    card = FusionCard(
        name=f"{kind}-fusion",
        version=version,
        kind=kind,
        dim=DIM,
        space=digest(folder.parent / SPACE_FOLDER.name / ITEM_SPACE),
        films=len(world.space.keys),
        influence=influence,
        confidence=confidence,
        sha256={name: digest(folder / name) for name in graphs},
        length_of_a_deviation=float(1.0 / np.sqrt((basis.std(axis=0) ** 2).mean())),
    )
    text = json.dumps(json.loads(card.model_dump_json()), indent=2)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")
    return card


class _Served(nn.Module):  # type: ignore[misc]
    """The embedding fusion as a function of tensors."""

    def __init__(self, net: EmbeddingFusion) -> None:
        super().__init__()
        self.net = net

    def forward(
        self,
        query: Tensor,
        has_query: Tensor,
        films: Tensor,
        liked: Tensor,
        swiped: Tensor,
        days: Tensor,
        someone_else: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Taste and words, (1, 384) each."""
        asked = Asked(query, has_query, films, liked, swiped, days, someone_else)
        parts = self.net(asked)[0]
        return parts.taste, parts.words


def _export_fusion(net: EmbeddingFusion, path: Path) -> None:
    n = 3
    example = (
        torch.zeros(1, DIM),
        torch.tensor([True]),
        torch.zeros(1, n, DIM),
        torch.tensor([[True] * n]),
        torch.tensor([[True] * n]),
        torch.zeros(1, n),
        torch.tensor([False]),
    )
    swipes: dict[int, Any] = {1: "swipes"}
    torch.onnx.export(
        _Served(net).eval(),
        example,
        str(path),
        input_names=list(Asked._fields),
        output_names=["taste", "words"],
        dynamic_shapes=(None, None, swipes, swipes, swipes, swipes, None),
        dynamo=True,
        external_data=False,
    )
    drop_traces(path)


def _on_cpu(module: nn.Module) -> nn.Module:
    """A copy that is exported the same wherever it was trained."""
    return copy.deepcopy(module).cpu().eval()


def _publish_text(
    module: nn.Module,
    tokenizer: Any,  # noqa: ANN401
    folder: Path,
    max_tokens: int,
    about: About,
) -> None:
    write_model(
        _on_cpu(module),
        tokenizer,
        folder / TEXT_FOLDER,
        name=f"{folder.name}-text",
        version="1",
        dim=DIM,
        max_tokens=max_tokens,
        source=f"sentence-transformers/all-MiniLM-L6-v2, fine-tuned on: {about.data}",
        licence=about.licence,
    )
