"""The parts of a search beside the baseline's, in turns, one thread each (extra ``[bench]``).

A program, told by the environment as a server is; it prints the parts as JSON.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import typer
from numpy.typing import NDArray

from assistant.bench.baseline import CANDIDATES, Ask, Baseline
from assistant.bench.data import real
from assistant.bench.figures import PARTS, Part, timing
from assistant.bench.inside import items_served, swiped
from assistant.bench.load import SystemClock, closed_loop
from assistant.bench.workload import Taste, batches, people, told
from assistant.composition import load_encoder, load_fusions, open_stores
from assistant.settings import Settings
from fusion.fusion_encoder import FusionInput
from recommender.lexical import LexicalIndex
from recommender.models import Filters
from recommender.settings import RecommenderSettings
from recommender.stores.ports import ItemStore
from recommender.text import terms

Batches = Sequence[Sequence[str]]
Asked = TypeVar("Asked")


def measure(wanted: Batches, baseline: Baseline, settings: Settings) -> tuple[Part, ...]:
    """Every part, for each batch of queries a run; the first warms up."""
    with open_stores(settings, RecommenderSettings()) as stores:
        items = items_served(stores, settings)
        return (
            _fused(wanted, baseline, settings, items),
            _embedded(wanted, baseline, settings),
            _nearest(wanted, baseline, items),
            _by_words(wanted, baseline),
        )


def _fused(wanted: Batches, baseline: Baseline, settings: Settings, store: ItemStore) -> Part:
    fuse = load_fusions(settings, RecommenderSettings()).encoders["embedding_fusion"].fuse
    tastes = people(real())
    swipes = {taste.user_id: swiped(taste, store) for taste in tastes}

    def ours(asked: tuple[str, Taste]) -> object:
        return fuse(FusionInput(asked[0], swipes[asked[1].user_id]))

    def theirs(asked: tuple[str, Taste]) -> object:
        return baseline.encoder.encode(baseline.text(Ask(**told(asked[1], asked[0]))))

    asked = [[(query, tastes[n % len(tastes)]) for n, query in enumerate(b)] for b in wanted]
    return _in_turns("query and swipes as a vector: torch, int8 ONNX", asked, ours, theirs)


def _embedded(wanted: Batches, baseline: Baseline, settings: Settings) -> Part:
    encoder = load_encoder(settings)
    name = "query alone as a vector: torch, int8 ONNX of half the layers"
    return _in_turns(name, wanted, lambda text: encoder.encode([text]), baseline.encoder.encode)


def _nearest(wanted: Batches, baseline: Baseline, store: ItemStore) -> Part:
    def ours(vector: NDArray[np.float32]) -> object:
        return store.nearest(vector, CANDIDATES, Filters())

    vectors = [[baseline.encoder.encode(query) for query in batch] for batch in wanted]
    return _in_turns("nearest films: Chroma, as served here", vectors, ours, baseline.vicinity.best)


def _by_words(wanted: Batches, baseline: Baseline) -> Part:
    index = LexicalIndex(baseline.films)

    def ours(query: str) -> object:
        return np.argsort(-index.scores(terms(query)), kind="stable")[:CANDIDATES]

    return _in_turns("best by words: rank-bm25, bm25s", wanted, ours, baseline.words.best)


def _in_turns(
    name: str,
    runs: Sequence[Sequence[Asked]],
    ours: Callable[[Asked], object],
    theirs: Callable[[Asked], object],
) -> Part:
    """One request to either, then the next: what else the machine does meets both alike."""
    clock, times = SystemClock(), []
    for run in runs:
        pairs = [
            (*closed_loop([asked], ours, clock), *closed_loop([asked], theirs, clock))
            for asked in run
        ]
        times.append(tuple(zip(*pairs, strict=True)))
    one, other = zip(*times[1:], strict=True)
    return Part(name=name, ours=timing("ours", one), baseline=timing("baseline", other))


def main(runs: int, count: int, catalogue: Path, folder: Path) -> None:
    """Measure so many runs of ``count`` queries each over a catalogue, with Chroma's folder."""
    wanted = batches(real(), runs + 1, count)
    parts = measure(wanted, Baseline(catalogue, folder), Settings())
    sys.stdout.buffer.write(PARTS.dump_json(parts))


if __name__ == "__main__":
    typer.run(main)
