"""One training run: from films and ratings to folders that serving reads (extra `[train]`)."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from fusion.encoder import Vectors
from fusion.evaluate.data import Dataset, Film
from fusion.evaluate.protocol import Interactions
from fusion.fusion_encoder import FusionInput
from fusion.network import Shape
from fusion.onnx_fusion import (
    FusionCard,
    Kind,
    load_fusion,
)
from fusion.tokens import film_text
from fusion.training.asking import Asking
from fusion.training.calibration import Observed, fit_logistic, observe
from fusion.training.examples import Example, Examples, Mix
from fusion.training.learners import EmbeddingLearner, Learner, TokenLearner, fusion_input
from fusion.training.loop import Pace, train_loop
from fusion.training.model_card import MOVIELENS, About, write_model_card
from fusion.training.publish import publish_embedding, publish_space, publish_token, write_card
from fusion.training.report import Progress, Report, measure_latency, measure_parity
from fusion.training.world import World, build_world

LOG = logging.getLogger(__name__)

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

    def pace(self, kind: Kind) -> Pace:
        """That of one of the networks."""
        return self.embedding if kind == "embedding" else self.token


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
    *,
    about: About = MOVIELENS,
    checkpoints: Path | None = None,
) -> dict[str, Report]:
    """Train and write ``models``/item-space and a folder for each of ``kinds``; reports by kind.

    ``people`` are learned from and ``strangers`` calibrated on. An interrupted run goes on where
    it stopped, by what lies in ``checkpoints`` (default: ``models``).

    Raises:
        Interrupted: it was asked to stop.
        CheckpointUnusable: the checkpoint to go on from cannot be read.
        TooFewPeople: nobody, or no stranger, liked enough.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    asking = Asking(films, plan.free_words, held_out_terms)
    examples = Examples(people, asking, plan.mix)
    drawn = _drawn(Examples(strangers, asking, plan.mix), plan.seed)
    LOG.info("Fitting films and tastes in closed form")
    world = build_world(films, people, texts, plan.folds, plan.seed)
    publish_space(world, models)
    items, data = torch.from_numpy(world.linear.items), Dataset(tuple(films), people)

    def published(name: str, kind: Kind, made: str, learner: Learner, progress: Progress) -> Report:
        LOG.info("Exporting and calibrating %s", name)
        folder = models / name
        _PUBLISH[kind](learner, folder, about)
        calibrated = _calibrated(kind, folder, world, made, drawn)
        report = _report(learner, calibrated, folder, world, drawn, strangers, progress)
        write_model_card(folder, kind, about, _printed(plan, kind), report)
        return report

    reports: dict[str, Report] = {}
    for kind in kinds:
        scratch = (checkpoints or models) / f".{kind}-checkpoints"
        made, learner = version(plan, data, kind), _learner(kind, world, plan, source)
        progress = train_loop(
            learner,
            examples,
            items,
            plan.pace(kind),
            scratch,
            f"Training {kind} fusion",
            f"{made} {sorted(held_out_terms)}",
        )
        reports[kind] = published(f"{kind}-fusion", kind, made, learner, progress)
    return reports


def version(plan: Plan, data: Dataset, kind: Kind) -> str:
    """Names the outcome: equal for equal data and plan."""
    facts = f"{kind} {plan.model_dump_json(exclude=_without_part_in(kind))} {data.digest}"
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


def _asked(world: World, drawn: Sequence[Example]) -> list[FusionInput]:
    texts = [film_text(film.title, film.year) for film in world.films]
    return [fusion_input(example, texts, world.linear.items) for example in drawn]


def _calibrated(
    kind: Kind, folder: Path, world: World, made: str, drawn: Sequence[Example]
) -> tuple[FusionCard, Observed]:
    """Write the card with regressions fitted to one half of what the served model does."""
    write_card(folder, world, kind, made)
    observed = observe(load_fusion(folder).parts, _asked(world, drawn), drawn, world.linear.items)
    fitted = observed.half(0)
    card = write_card(
        folder,
        world,
        kind,
        made,
        fit_logistic(fitted.features, fitted.changed),
        fit_logistic(fitted.features, fitted.hit),
    )
    return card, observed.half(1)


def _report(
    learner: Learner,
    calibrated: tuple[FusionCard, Observed],
    folder: Path,
    world: World,
    drawn: Sequence[Example],
    strangers: Interactions,
    progress: Progress,
) -> Report:
    served, asked = load_fusion(folder), _asked(world, drawn)
    pairs = list(zip(drawn, asked, strict=True))
    return Report(
        card=calibrated[0],
        observed=calibrated[1],
        learned=len(world.people.by_user),
        strangers=len(strangers.by_user),
        ratings=sum(map(len, world.people.by_user.values())),
        films=len(world.space.keys),
        progress=progress,
        parity=measure_parity(_exact(learner), served, pairs, world.linear.items),
        latency=measure_latency(served, asked),
        megabytes={
            str(path.relative_to(folder)): path.stat().st_size / 1e6
            for path in sorted(folder.rglob("*.onnx"))
        },
    )


def _exact(learner: Learner) -> Callable[[Example], Vectors]:
    """What the network itself makes of a request."""
    for module in learner.modules().values():
        module.eval()

    def answer(example: Example) -> Vectors:
        with torch.no_grad():
            vector: Vectors = learner.answers([example])[0].cpu().numpy()
        return vector

    return answer


def _printed(plan: Plan, kind: Kind) -> str:
    return plan.model_dump_json(indent=1, exclude=_without_part_in(kind))


def _without_part_in(kind: Kind) -> set[str]:
    """The fields of a plan that do not change what comes out for one of the networks."""
    return {"embedding", "token", "threads"} - {kind}
