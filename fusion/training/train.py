"""One training run: from films and ratings to folders that serving reads (extra `[train]`)."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from fusion.encoder import Vectors
from fusion.evaluate.data import Film
from fusion.evaluate.protocol import Interactions
from fusion.network import Shape
from fusion.onnx_fusion import Kind, OnnxEmbeddingFusion, OnnxTokenFusion
from fusion.tokens import film_text
from fusion.training.asking import Asking
from fusion.training.calibration import Fuse, Observed, fit_logistic, observe
from fusion.training.examples import Example, Examples, Mix
from fusion.training.learners import EmbeddingLearner, Learner, TokenLearner, fusion_input
from fusion.training.loop import Pace, train_loop
from fusion.training.publish import publish_embedding, publish_space, publish_token, write_card
from fusion.training.world import World, build_world

CALIBRATED_ON = 1500


class Plan(BaseModel):
    """Everything that decides the outcome of a run beside the data."""

    model_config = ConfigDict(frozen=True)

    embedding: Pace = Pace(steps=900, batch=96)
    token: Pace = Pace(steps=600, batch=16, rate=1e-3, text_rate=1e-4)
    restraint: float = 1.0
    free_words: float = 0.3
    shape: Shape = Field(default_factory=Shape)
    mix: Mix = Field(default_factory=Mix)
    folds: int = 4
    threads: int = 2
    seed: int = 0


def train(
    films: Sequence[Film],
    texts: Vectors,
    people: Interactions,
    strangers: Interactions,
    plan: Plan,
    models: Path,
    source: Path,
    kinds: Sequence[Kind] = ("embedding", "token"),
    held_out_terms: Sequence[str] = (),
) -> dict[Kind, Observed]:
    """Train and write ``models``/item-space and a folder for each of ``kinds``.

    ``people`` are learned from and ``strangers`` calibrated on. An interrupted run goes on where
    it stopped. Gives what was observed on the half of the strangers' requests that the
    calibration was not fitted to.

    Raises:
        Interrupted: it was asked to stop.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    world = build_world(films, people, texts, plan.folds, plan.seed)
    publish_space(world, models)
    asking = Asking(films, plan.free_words, held_out_terms)
    examples = Examples(people, asking, plan.mix)
    drawn = _drawn(Examples(strangers, asking, plan.mix), plan.seed)
    observed = {}
    for kind in kinds:
        folder, scratch = models / f"{kind}-fusion", models / f".{kind}-checkpoints"
        learner = _learner(kind, world, plan, source)
        items = torch.from_numpy(world.linear.items)
        pace = plan.embedding if kind == "embedding" else plan.token
        train_loop(learner, examples, items, pace, scratch, f"Training {kind} fusion")
        _PUBLISH[kind](learner, folder)
        observed[kind] = _calibrated(kind, folder, world, version(plan, people, kind), drawn)
    return observed


def version(plan: Plan, people: Interactions, kind: Kind) -> str:
    """Names the outcome: equal for equal data and plan."""
    counts = [(user, len(ratings)) for user, ratings in people.by_user.items()]
    others = {"embedding", "token"} - {kind}
    facts = f"{kind} {plan.model_dump_json(exclude=others)} {people.n_items} {counts}"
    return hashlib.sha256(facts.encode()).hexdigest()[:8]


_PUBLISH: dict[Kind, Callable[..., None]] = {
    "embedding": publish_embedding,
    "token": publish_token,
}


def _learner(kind: Kind, world: World, plan: Plan, source: Path) -> Learner:
    if kind == "embedding":
        return EmbeddingLearner(world, source, plan.shape, plan.restraint)
    return TokenLearner(world, source)


def _drawn(examples: Examples, seed: int) -> list[Example]:
    rng = np.random.default_rng([seed, 1])
    return [examples.draw(rng) for _ in range(CALIBRATED_ON)]


def _calibrated(
    kind: Kind, folder: Path, world: World, made: str, drawn: Sequence[Example]
) -> Observed:
    """Write the card with regressions fitted to one half of what the served model does."""
    write_card(folder, world, kind, made)
    texts = [film_text(film.title, film.year) for film in world.films]
    items = world.linear.items
    asked = [fusion_input(example, texts, items) for example in drawn]
    observed = observe(_parts(kind, folder), asked, drawn, items)
    fitted = observed.half(0)
    write_card(
        folder,
        world,
        kind,
        made,
        fit_logistic(fitted.features, fitted.changed),
        fit_logistic(fitted.features, fitted.hit),
    )
    return observed.half(1)


def _parts(kind: Kind, folder: Path) -> Fuse:
    """What the exported model makes of a request, before any calibration."""
    if kind == "embedding":
        return OnnxEmbeddingFusion(folder).parts
    return OnnxTokenFusion(folder).parts
