"""``reelwise evaluate --system`` and ``reelwise tune``: the whole search, measured and fitted.

As in ``evaluate_cli``, nothing of the evaluation is imported before it runs.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from tqdm import tqdm

from assistant.composition import load_encoder, load_fusions, open_stores
from assistant.refusal import mendable, refuse
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.remembering import RememberingEncoder
from recommender.indexer import STARTER
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores

if TYPE_CHECKING:
    from fusion.evaluate.harness import Harness
    from recommender.evaluation.bench import Bench
    from recommender.evaluation.tuning import Step


def measure_system(
    data: Path, catalogue: Path, out: Path, only: list[str], final: bool, postgres: bool
) -> Path:
    """Measure settings of ``Recommender.search``, all or ``only`` some beside the base.

    Everything is kept in memory, or, ``postgres``, in an embedded PostgreSQL of its own, whose
    times are the product's. Returns the page of tables; the figures are in a JSON file beside it.
    """
    from recommender.evaluation.variants import BASE, VARIANTS, measure_variants, system_tables

    if unknown := set(only) - set(VARIANTS):
        refuse(f"No variant is called {', '.join(sorted(unknown))}: {', '.join(VARIANTS)}.")
    chosen = {name: VARIANTS[name] for name in VARIANTS if not only or name in {BASE, *only}}
    harness = harness_of(data, catalogue)
    with _stores(postgres) as stores:
        every = RecommenderSettings(experiment_variants="embedding_fusion=1,token_fusion=1")
        bench = bench_of(harness, catalogue, load_encoder(Settings()), every, stores, final)
        with tqdm(total=len(chosen), unit="variant", disable=None) as bar:
            results = list(measure_variants(bench, chosen, bar.update))
    page = out / f"system-{'test' if final else 'validation'}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(system_tables(results) + "\n", encoding="utf-8")
    figures = {
        "plan": harness.plan.model_dump(),
        "data": harness.dataset.digest,
        "results": [result.model_dump() for result in results],
    }
    page.with_suffix(".json").write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return page


def measure_mentioned(data: Path, catalogue: Path, final: bool) -> str:
    """What two mentioned films are worth to people who never swiped, as a Markdown table."""
    from fusion.evaluate.tables import markdown
    from recommender.evaluation.mentions import measure_mentions

    harness, encoder = harness_of(data, catalogue), load_encoder(Settings())
    bench = bench_of(harness, catalogue, encoder, RecommenderSettings(), final=final)
    return markdown(measure_mentions(bench))


def tune(
    data: Annotated[Path, typer.Option(help="Unpacked MovieLens folder.")],
    catalogue: Annotated[
        Path, typer.Option(help="Films with texts, one JSON object a line.", show_default=False)
    ] = STARTER,
    only: Annotated[
        list[str] | None, typer.Option(help="Settings to fit, such as ranking.prior_alone.")
    ] = None,
    sweeps: Annotated[int, typer.Option(min=1, help="How often each setting is tried anew.")] = 2,
    seed: int = 0,
) -> None:
    """Fit the ranking's weights on validation strangers; starts from the settings in force."""
    from recommender.evaluation.tuning import (
        KNOBS,
        coordinate_search,
        objective_on,
    )

    knobs = [knob for knob in KNOBS if not only or knob.name in only]
    if unknown := set(only or []) - {knob.name for knob in knobs}:
        refuse(f"Not to be fitted: {', '.join(sorted(unknown))}.")
    with mendable():
        encoder = RememberingEncoder(load_encoder(Settings()), most=inf)
        harness = harness_of(data, catalogue, draws=1)
        bench = bench_of(harness, catalogue, encoder, RecommenderSettings())
        start = RecommenderSettings(enable_search_cache=False)
        for step in coordinate_search(objective_on(bench), start, knobs, sweeps, seed):
            typer.echo(_line(step))


def _line(step: "Step") -> str:
    reached = ", ".join(f"{kind} {value:.4f}" for kind, value in sorted(step.quality.items()))
    changed = step.settings.model_dump(exclude_defaults=True, exclude={"enable_search_cache"})
    return f"{'*' if step.taken else ' '} {reached}: {json.dumps(changed)}"


def harness_of(data: Path, catalogue: Path, **plan: int) -> "Harness":
    """The strangers and their tasks. Raises DataUnusable."""
    from fusion.evaluate.data import load
    from fusion.evaluate.harness import Harness, Plan

    return Harness(load(data, catalogue), Plan.model_validate(plan))


def bench_of(
    harness: "Harness",
    catalogue: Path,
    encoder: TextEncoder,
    settings: RecommenderSettings,
    stores: Stores | None = None,
    final: bool = False,
) -> "Bench":
    """A bench whose fusions are those that searches with ``settings`` may take."""
    from recommender.evaluation.bench import prepare

    fusions = load_fusions(Settings(), settings)
    return prepare(harness, catalogue, encoder, stores, final, fusions.space, fusions.encoders)


@contextmanager
def _stores(postgres: bool) -> Iterator[Stores | None]:
    """An empty PostgreSQL that goes with its folder, or nothing."""
    if not postgres:
        yield None
        return
    with TemporaryDirectory() as home:
        settings = Settings(reelwise_home=Path(home), database_url=None)
        with open_stores(settings, RecommenderSettings()) as stores:
            yield stores
