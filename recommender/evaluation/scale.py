"""What storing and searching many films costs: films made from the real ones, with noise.

The catalogue comes first, then copies of its films whose vectors are moved by noise: as many
different ones as wanted, which lie as films do. Queries are made in the same way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Literal

import numpy as np
import psutil
from numpy.typing import NDArray
from pydantic import BaseModel

from recommender.catalogue import Catalogue
from recommender.lexical import LexicalIndex
from recommender.models import Filters, Item
from recommender.query import QueryReader
from recommender.stores.ports import IndexedItem, ItemStore, Space, Vector

K = 10
NOISE = 0.8
"""The length of the noise beside that of the vector: copies of one film have a cosine of 0.6."""
BATCH = 1000
COLUMNS = (
    *("films", "search", "films/s in", "graphs, s", "MB", "space", "filter", "passing"),
    *("recall@10", "p50", "p95"),
)
SPACES: tuple[Space, ...] = ("text", "fused")
FILTERS = {
    "none": Filters(),
    "a genre and a decade": Filters(include_genres=("Comedy",), year_from=1990, year_to=1999),
    "few pass": Filters(include_genres=("Western",), year_to=1959),
}


class Searches(BaseModel):
    """One kind of search: how many films pass, what was found of the best, milliseconds."""

    space: Literal["text", "fused"]
    filters: str
    passing: int
    recall: float
    p50: float
    p95: float


class Figures(BaseModel):
    """One way of searching over so many films."""

    films: int
    search: str
    ingest: float
    """Films a second; 0 where the store held them already."""
    build: float
    """Seconds until the indexes were there."""
    megabytes: float
    """Of what a search reads."""
    searches: list[Searches]


class Start(BaseModel):
    """What a server keeps of the films in memory beside the store, and how long it takes to."""

    films: int
    seconds: float
    megabytes: float


class Results(BaseModel):
    """What was measured so far."""

    figures: tuple[Figures, ...] = ()
    starts: tuple[Start, ...] = ()

    def with_figures(self, new: Figures) -> "Results":
        """These in place of earlier ones of the same."""
        kept = [f for f in self.figures if (f.films, f.search) != (new.films, new.search)]
        return self.model_copy(update={"figures": (*kept, new)})

    def with_start(self, new: Start) -> "Results":
        """This in place of an earlier one of as many films."""
        kept = [start for start in self.starts if start.films != new.films]
        ordered = sorted((*kept, new), key=lambda start: start.films)
        return self.model_copy(update={"starts": tuple(ordered)})


ABOUT_STARTS = (
    "What every server reads and holds of the films beside the store: facts, words, names. Copies",
    "share their words and titles, of which as many real films have more:",
)


@dataclass(frozen=True)
class World:
    """Films with their vectors, and queries by space."""

    items: Sequence[Item]
    vectors: dict[Space, NDArray[np.float32]]
    queries: dict[Space, NDArray[np.float32]]

    def passing(self, filters: Filters) -> NDArray[np.intp]:
        """Which of the films pass."""
        allowed = self._catalogue.allowed(filters)
        rows = [self._catalogue.rows[item.item_id] for item in self.items]
        return np.flatnonzero(allowed[rows])

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.items)

    def batches(self) -> Iterator[list[IndexedItem]]:
        """All films, some at a time."""
        text, fused = self.vectors["text"], self.vectors["fused"]
        for start in range(0, len(self.items), BATCH):
            rows = range(start, min(start + BATCH, len(self.items)))
            yield [IndexedItem(self.items[n], text[n], "scale", fused[n]) for n in rows]


def make_world(
    items: Sequence[Item],
    vectors: dict[Space, NDArray[np.float32]],
    count: int,
    queries: int,
    seed: int = 0,
) -> World:
    """``count`` films: these first, then noisy copies. The same for the same seed."""
    rng = np.random.default_rng(seed)
    real = min(count, len(items))
    source = np.concatenate([np.arange(real), rng.integers(len(items), size=count - real)])
    asked = rng.integers(len(items), size=queries)
    made: dict[Space, NDArray[np.float32]] = {}
    queried: dict[Space, NDArray[np.float32]] = {}
    for space in SPACES:
        made[space] = moved(vectors[space][source], rng)
        made[space][:real] = vectors[space][:real]
        queried[space] = moved(vectors[space][asked], rng)
    copies = [
        items[row] if n < real else items[row].model_copy(update={"item_id": f"copy-{n}"})
        for n, row in enumerate(source)
    ]
    return World(copies, made, queried)


def measure(
    world: World,
    name: str,
    store: ItemStore,
    build: Callable[[], object],
    size: Callable[[], float],
) -> Figures:
    """Fill an empty store, or take one that holds the world, and search it; ``size`` in MB."""
    empty = not store.vectors([world.items[0].item_id])
    started = perf_counter()
    for batch in world.batches() if empty else ():
        store.upsert(batch)
    ingested = perf_counter() - started
    started = perf_counter()
    build()
    built = perf_counter() - started
    searches = [_searches(world, store, space, filters) for space in SPACES for filters in FILTERS]
    return Figures(
        films=len(world.items),
        search=name,
        ingest=len(world.items) / ingested if empty else 0,
        build=built,
        megabytes=size(),
        searches=searches,
    )


def measure_start(items: Sequence[Item]) -> Start:
    """Build what every server builds of the films it reads: facts in columns, words, names."""
    before, started = _resident(), perf_counter()
    catalogue = Catalogue(Item.model_validate_json(item.model_dump_json()) for item in items)
    kept = (catalogue, LexicalIndex(catalogue.items), QueryReader(catalogue))
    catalogue.allowed(FILTERS["few pass"])
    seconds = perf_counter() - started
    figures = Start(films=len(items), seconds=seconds, megabytes=_resident() - before)
    del kept
    return figures


def _searches(world: World, store: ItemStore, space: Space, filters: str) -> Searches:
    asked = FILTERS[filters]
    rows = world.passing(asked)
    matrix, ids = world.vectors[space][rows], [world.items[row].item_id for row in rows]
    found, times = [], []
    for query in world.queries[space]:
        started = perf_counter()
        hits = store.nearest(query, K, asked, (), space)
        times.append(1000 * (perf_counter() - started))
        best = {ids[row] for row in np.argsort(-(matrix @ query))[:K]}
        found.append(len(best & {hit.item_id for hit in hits}) / max(len(best), 1))
    p50, p95 = np.percentile(times, [50, 95])
    return Searches(
        space=space,
        filters=filters,
        passing=len(ids),
        recall=float(np.mean(found)),
        p50=float(p50),
        p95=float(p95),
    )


def moved(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The rows, shape (n, dim), with noise, each as long as it was."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    noise = rng.standard_normal(rows.shape, dtype=np.float32)
    moved = rows + noise * (NOISE * lengths / np.sqrt(rows.shape[1]))
    kept: Vector = (moved * (lengths / np.linalg.norm(moved, axis=1, keepdims=True))).astype(
        np.float32
    )
    return kept


def results_table(results: Results) -> str:
    """The figures as Markdown."""
    lines = [
        "# Many films on one machine",
        "",
        "Films made by `reelwise bench-index` from those of the catalogue: the real ones, then",
        f"copies whose vectors are moved by noise ({NOISE} of their length: two copies of one film",
        "have a cosine of 0.6). Queries are moved in the same way. One client, the 10 best, times",
        "in milliseconds; recall is of the 10 best that a look at every film finds. MB is what a",
        "search reads: the vectors for `memory`, the table for `exact`, the graphs for the others,",
        "which look up in the table only candidates.",
        "",
        _row(*COLUMNS),
        "|" + " --- |" * len(COLUMNS),
    ]
    for figures in sorted(results.figures, key=lambda f: (f.films, f.search)):
        for each in figures.searches:
            lines.append(
                _row(
                    f"{figures.films:,}",
                    figures.search,
                    f"{figures.ingest:,.0f}" if figures.ingest else "",
                    f"{figures.build:.0f}",
                    f"{figures.megabytes:,.0f}",
                    each.space,
                    each.filters,
                    f"{each.passing:,}",
                    f"{each.recall:.3f}",
                    f"{each.p50:.1f}",
                    f"{each.p95:.1f}",
                )
            )
    lines += [
        "",
        "What every server holds of the films beside the store (facts, words, names):",
        "",
    ]
    lines += [_row("films", "seconds to build", "MB"), "|" + " --- |" * 3]
    lines += [
        _row(f"{s.films:,}", f"{s.seconds:.1f}", f"{s.megabytes:,.0f}") for s in results.starts
    ]
    return "\n".join(lines) + "\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _resident() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6
