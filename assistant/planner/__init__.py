"""A chat model that needs no account: a grammar, example messages and an encoder."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import prompts
from assistant.planner.examples import ExampleClassifier
from assistant.planner.facts import Facts
from assistant.planner.language import Vocabulary
from assistant.planner.model import OfflinePlanner
from assistant.planner.nearest import NearestExample
from assistant.planner.planning import Planner
from assistant.planner.pointers import Pointers
from assistant.planner.titles import Titles
from fusion.bounded import PATIENCE
from fusion.encoder import TextEncoder
from fusion.onnx_encoder import OnnxTextEncoder
from recommender import query
from recommender.kept import UNKEPT, Kept
from recommender.models import Item

__all__ = ["SOURCES", "OfflinePlanner", "offline_planner"]

SOURCES = tuple(Path(each).parent for each in (__file__, prompts.__file__, query.__file__))
"""Folders of all that it makes of films."""


def offline_planner(
    encoder: TextEncoder,
    films: Iterable[Item],
    kept: Kept = UNKEPT,
    patience: float = PATIENCE,
) -> OfflinePlanner:
    """The planner over a catalogue: its titles and words tell films from chatter.

    ``kept`` is for these films and the sources in ``SOURCES``. A message that the encoder does not
    read in ``patience`` seconds is understood without.
    """
    films = tuple(films)
    examples = [text for texts in prompts.intent_examples().values() for text in texts]
    told = map(_text, films)
    vocabulary = Vocabulary(chain(told, examples), kept)
    titles = Titles([film.title for film in films], kept)
    planner = Planner(
        titles,
        vocabulary,
        NearestExample(_for_sentences(encoder), patience),
        Pointers(Facts(films)),
        acts=ExampleClassifier(prompts.film_acts()),
        intents=ExampleClassifier(prompts.intent_examples()),
    )
    return OfflinePlanner(planner=planner)


def _for_sentences(encoder: TextEncoder) -> TextEncoder:
    """Half the layers tell what is said of films, but not all that is said in a conversation."""
    return encoder.with_all_layers() if isinstance(encoder, OnnxTextEncoder) else encoder


def _text(film: Item) -> str:
    """What is said of a film in words."""
    return "\n".join((film.title, *film.people, *film.tags, *film.genres, film.overview))
