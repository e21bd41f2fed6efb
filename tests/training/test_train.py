"""A whole run on a little transformer: folders that serving reads, and a card that is true."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from fusion.evaluate.protocol import Interactions, Swipe
from fusion.fusion_encoder import FusionInput, SwipedFilm
from fusion.item_space import FILE, load_item_space
from fusion.network import Shape
from fusion.onnx_fusion import SPACE_FOLDER, Kind, load_fusion
from fusion.training.errors import TooFewPeople
from fusion.training.examples import Example
from fusion.training.learners import EmbeddingLearner, TokenLearner, fusion_input
from fusion.training.model_card import OWN_SWIPES
from fusion.training.publish import publish_embedding, publish_space, publish_token, write_card
from fusion.training.report import Report, spearman
from fusion.training.train import train
from tests.training.little import little_plan, little_world, texts
from tests.unit.evaluate_world import films, people

# What PyTorch's exporter warns of is its own: what it uses, and a name that it gives twice.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*LeafSpec:FutureWarning", "ignore:.*axis name:UserWarning"
)
KINDS: tuple[Kind, ...] = ("embedding", "token")
STRANGERS = people(12, seed=9)


Trained = tuple[Path, dict[str, Report]]


@pytest.fixture(scope="module", autouse=True)
def _few_requests() -> Iterator[None]:
    """Calibration on fewer requests than usual, to save time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fusion.training.train.CALIBRATED_ON", 240)
        yield


@pytest.fixture(scope="module")
def trained(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    models = tmp_path_factory.mktemp("models")
    plan = little_plan()
    return models, train(
        films(), texts(), people(), STRANGERS, plan, models, source, about=OWN_SWIPES
    )


def examples() -> list[Example]:
    return [
        Example(
            0,
            tuple(Swipe(film, film % 2 == 0, 1000 + film) for film in range(n)),
            query,
            someone_else,
            np.ones(len(films()), np.float32),
        )
        for n in (0, 1, 7, 20)
        for query in ("", "lonely heist")
        for someone_else in (False, True)
        if n or query
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_serving_reads_what_was_written(trained: Trained, kind: Kind) -> None:
    models, reports = trained
    encoder = load_fusion(models / f"{kind}-fusion")
    items = load_item_space(models / SPACE_FOLDER.name / FILE).place(films(), texts())
    swipes = (SwipedFilm("3", "Film 3 (1993)", items[3], liked=True),)
    fused = encoder.fuse(FusionInput("heist", swipes))
    assert encoder.model_version == f"{kind}-fusion-{reports[kind].card.version}"
    assert fused.vector.shape == (encoder.dim,) == (384,)
    assert np.isfinite(items @ fused.vector).all()
    assert 0 < fused.influence < 1
    assert 0 < fused.confidence < 1


@pytest.mark.parametrize("kind", KINDS)
def test_graphs_say_nothing_of_the_machine(trained: Trained, kind: Kind) -> None:
    models, _ = trained
    graphs = list((models / f"{kind}-fusion").rglob("*.onnx"))
    assert graphs
    assert not any(b"site-packages" in graph.read_bytes() for graph in graphs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_is_of_this_run(trained: Trained, kind: Kind) -> None:
    report = trained[1][kind]
    assert (report.learned, report.strangers, report.films) == (30, 12, 40)
    assert report.ratings == 900
    assert report.progress.step == 6
    assert report.progress.seconds > 0
    assert report.parity.requests >= 50
    assert 0 < report.latency.p50 <= report.latency.p95
    assert sum(one.count for one in report.confidence.bins) == len(report.observed.hit) == 120


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_says_what_the_report_says(trained: Trained, kind: Kind) -> None:
    models, reports = trained
    card, report = (models / f"{kind}-fusion" / "README.md").read_text(), reports[kind]
    for said in (
        f"# {kind}-fusion, version {report.card.version}",
        "Swipes of this installation: 900 ratings of 40 films by 30 people",
        OWN_SWIPES.licence,
        f"Expected calibration error {report.confidence.ece:.3f}",
        f"Expected calibration error {report.influence.ece:.3f}",
        f"mean {report.parity.mean:.4f}, least {report.parity.least:.4f}",
        f"p95 {report.latency.p95:.1f} ms",
    ):
        assert said in card
    plan = json.loads(card.partition("```json")[2].partition("```")[0])
    assert plan[kind]["steps"] == 6
    assert plan["seed"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_ranks_as_the_network_does(source: Path, tmp_path: Path, kind: Kind) -> None:
    world, folder = little_world(), tmp_path / f"{kind}-fusion"
    torch.manual_seed(3)
    publish_space(world, tmp_path)
    learner: EmbeddingLearner | TokenLearner
    if kind == "embedding":
        learner = EmbeddingLearner(world, source, Shape(dim=16), 1.0)
        shaken(learner.net)
        publish_embedding(learner, folder)
    else:
        learner = TokenLearner(world, source)
        publish_token(learner, folder)
    write_card(folder, world, kind, "1")
    served, items = load_fusion(folder), world.linear.items
    spoken = [f"Film {k}" for k in range(len(films()))]
    for module in learner.modules().values():
        module.eval()
    with torch.no_grad():
        exact = learner.answers(examples()).numpy()
    found = []
    for example, vector in zip(examples(), exact, strict=True):
        ours = served.fuse(fusion_input(example, spoken, items)).vector
        found.append(spearman(items @ vector, items @ ours))
    assert np.mean(found) >= 0.97  # random weights are rounded more than learned ones


def shaken(net: torch.nn.Module) -> None:
    """Move every weight, so that no part of the network is silent."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn_like(parameter)


def test_equal_seeds_make_equal_models_wherever_checkpoints_lie(
    trained: Trained, source: Path, tmp_path: Path
) -> None:
    models, kept = tmp_path / "models", tmp_path / "kept"
    again = train(
        films(),
        texts(),
        people(),
        STRANGERS,
        little_plan(),
        models,
        source,
        ("embedding",),
        checkpoints=kept,
    )["embedding"]
    first = trained[1]["embedding"]
    assert again.card.version == first.card.version
    assert again.card.space == first.card.space
    assert again.card.confidence.weights == pytest.approx(first.card.confidence.weights, abs=0.05)
    assert list(kept.rglob("checkpoint.pt"))
    assert not list(models.rglob("checkpoint.pt"))


def test_strangers_who_like_nothing_are_too_few(source: Path, tmp_path: Path) -> None:
    nobody = Interactions(len(films()), {1: []})
    with pytest.raises(TooFewPeople, match="Nobody of 1 people has 6 likes"):
        train(films(), texts(), people(), nobody, little_plan(), tmp_path, source)
    assert not list(tmp_path.iterdir())
