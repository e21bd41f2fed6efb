"""A folder of models as training writes it, made by hand: tests need neither torch nor training."""

import shutil
from pathlib import Path

import numpy as np

from fusion.facts import FactVocabulary
from fusion.item_space import FILE as ITEM_SPACE
from fusion.item_space import ItemSpace, digest
from fusion.linear_fusion import Settings
from fusion.onnx_encoder import DEFAULT_MODEL
from fusion.onnx_fusion import CARD, GRAPH, SPACE_FOLDER, TEXT_FOLDER, FusionCard, Logistic
from fusion.regression import RidgeModel

BLEND = Path(__file__).parent / "fixtures" / "blend.onnx"
DIM = 384


def text_space(dim: int = DIM) -> ItemSpace:
    """The space in which a film's place is its text's vector."""
    same = np.eye(dim) / Settings().unrated_text
    return ItemSpace(
        (),
        np.zeros((0, dim), np.float32),
        FactVocabulary(()),
        RidgeModel(same, np.zeros(dim)),
        f"text-{dim}",
    )


def write_models(folder: Path) -> Path:
    """Write the text space, and an embedding fusion that blends; see fixtures/blend_onnx.py."""
    space = folder / SPACE_FOLDER.name / ITEM_SPACE
    space.parent.mkdir(parents=True)
    text_space().save(space)
    fusion = folder / "embedding-fusion"
    fusion.mkdir()
    shutil.copy(BLEND, fusion / GRAPH)
    (fusion / TEXT_FOLDER).symlink_to(DEFAULT_MODEL)
    card = FusionCard(
        name="blend",
        version="1",
        kind="embedding",
        dim=DIM,
        space=digest(space),
        films=1,
        influence=Logistic(weights=(0.0, 0.0, 0.0, 0.5, -1.0, -1.0)),
        confidence=Logistic(weights=(-2.0, 0.0, 0.0, 0.7, 0.0, 0.0)),
        sha256={GRAPH: digest(fusion / GRAPH)},
        length_of_a_deviation=10.0,
    )
    (fusion / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return folder
