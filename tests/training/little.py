"""A transformer of random weights that reads a few words, and a world of two tastes."""

from pathlib import Path

import numpy as np
from transformers import BertConfig, BertModel, BertTokenizerFast

from fusion.encoder import Vectors
from fusion.evaluate.protocol import Interactions
from fusion.fake import HashingEncoder
from fusion.training.asking import Asking
from fusion.training.examples import Examples
from fusion.training.loop import Pace
from fusion.training.train import Plan
from fusion.training.world import World, build_world
from tests.unit.evaluate_world import films, people

WORDS = "film drama comedy horror war heist bank vault a lonely lighthouse keeper meets number the"
PACE = Pace(steps=6, batch=4, rate=1e-3, text_rate=1e-4, checkpoint_every=2)


def little_plan(pace: Pace = PACE) -> Plan:
    return Plan(embedding=pace, token=pace, threads=1, folds=2)


def write_transformer(folder: Path) -> Path:
    """A folder like that of a sentence transformer: 4 layers, 384 numbers a token."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789[]();:.,'-"
    pieces = [*letters, *(f"##{letter}" for letter in letters)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *pieces]
    folder.mkdir()
    tokens = {word: place for place, word in enumerate(dict.fromkeys(vocabulary))}
    BertTokenizerFast(vocab=tokens).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=384,
        num_hidden_layers=4,
        num_attention_heads=6,
        intermediate_size=128,
        max_position_embeddings=256,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def texts() -> Vectors:
    return HashingEncoder(384).encode([film.text for film in films()])


def little_world(everyone: Interactions | None = None) -> World:
    return build_world(films(), everyone or people(), texts(), folds=2)


def little_examples() -> Examples:
    return Examples(people(), Asking(films()))


def items_of(world: World) -> Vectors:
    return np.asarray(world.linear.items)
