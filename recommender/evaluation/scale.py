"""What storing and searching many films costs: films made from the real ones, with noise.

The catalogue comes first, then copies of its films whose vectors are moved by noise: as many
different ones as wanted, which lie as films do. Queries are made in the same way.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
import psutil
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from pydantic import BaseModel

from recommender.catalogue import Catalogue
from recommender.lexical import LexicalIndex
from recommender.models import Filters, Item
from recommender.query import QueryReader
from recommender.stores.ports import IndexedItem, ItemStore, Space, Vector

log = logging.getLogger(__name__)

K = 10
NOISE = 0.8
"""The length of the noise beside that of the vector: copies of one film have a cosine of 0.6."""
AIM = 0.97
"""Recall@10 that a graph is to have."""
BATCH = 1000
ROWS_AT_A_TIME = 20_000
"""Of matrices that are larger than memory may be."""
COLUMNS = (
    *("films", "search", "films/s in", "indexes, s", "MB", "space", "filter", "passing"),
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
    """Seconds until the indexes were there; 0 where they were already."""
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
    note: str = ""
    """On the circumstances, for the readers of the table."""

    def with_figures(self, new: Figures) -> "Results":
        """These in place of earlier ones of the same; what was there already took its time then."""
        kept = [f for f in self.figures if (f.films, f.search) != (new.films, new.search)]
        for old in self.figures:
            if old not in kept:
                spent = {"ingest": new.ingest or old.ingest, "build": new.build or old.build}
                new = new.model_copy(update=spent)
        return self.model_copy(update={"figures": (*kept, new)})

    def with_start(self, new: Start) -> "Results":
        """This in place of an earlier one of as many films."""
        kept = [start for start in self.starts if start.films != new.films]
        ordered = sorted((*kept, new), key=lambda start: start.films)
        return self.model_copy(update={"starts": tuple(ordered)})


@dataclass(frozen=True)
class World:
    """Films with their vectors, and queries by space. Copies are made when they are asked for.

    ``sources`` (films,) are the rows of ``real`` that they are copies of; the first are ``real``.
    """

    real: Sequence[Item]
    sources: NDArray[np.intp]
    vectors: dict[Space, NDArray[np.float32]]
    queries: dict[Space, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.sources)

    def film(self, row: int) -> Item:
        """One of the films; copies have ids of their own."""
        source: Item = self.real[self.sources[row]]
        return source.model_copy(update={"item_id": self.item_id(row)})

    def item_id(self, row: int) -> str:
        """The id of one of the films."""
        return self.real[row].item_id if row < len(self.real) else f"copy-{row}"

    def passing(self, filters: Filters) -> NDArray[np.intp]:
        """Which of the films pass."""
        allowed = self._catalogue.allowed(filters)
        rows = np.array([self._catalogue.rows[item.item_id] for item in self.real])
        return np.flatnonzero(allowed[rows][self.sources])

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.real)

    def batches(self) -> Iterator[list[IndexedItem]]:
        """All films, some at a time."""
        text, fused = self.vectors["text"], self.vectors["fused"]
        for part in _parts(len(self), BATCH):
            rows = range(len(self))[part]
            yield [IndexedItem(self.film(n), text[n], "scale", fused[n]) for n in rows]

    def best(self, space: Space, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which of these rows are the K nearest of each query, shape (queries, K or all)."""
        queries = self.queries[space]
        scores = np.empty((len(queries), 0), dtype=np.float32)
        best = np.empty((len(queries), 0), dtype=np.intp)
        for part in _parts(len(rows), ROWS_AT_A_TIME):
            taken = rows[part]
            scores = np.hstack([scores, queries @ self.vectors[space][taken].T])
            best = np.hstack([best, np.broadcast_to(taken, (len(queries), len(taken)))])
            order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
            scores = np.take_along_axis(scores, order, axis=1)
            best = np.take_along_axis(best, order, axis=1)
        return best


def make_world(
    items: Sequence[Item],
    vectors: dict[Space, NDArray[np.float32]],
    count: int,
    queries: int,
    folder: Path,
    seed: int = 0,
) -> World:
    """``count`` films: these first, then noisy copies. The same for the same seed.

    What is asked changes none of them. Their vectors lie in files of the folder, which memory need
    not hold.
    """
    rng, asking = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    real = min(count, len(items))
    sources = np.concatenate([np.arange(real), rng.integers(len(items), size=count - real)])
    asked = asking.integers(len(items), size=queries)
    made: dict[Space, NDArray[np.float32]] = {}
    queried: dict[Space, NDArray[np.float32]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for space in SPACES:
        path, shape = folder / f"{space}.npy", (count, vectors[space].shape[1])
        written = open_memmap(path, "w+", np.float32, shape)
        for part in _parts(count, ROWS_AT_A_TIME):
            written[part] = moved(vectors[space][sources[part]], rng)
        written[:real] = vectors[space][:real]
        written.flush()
        made[space] = np.load(path, mmap_mode="r")  # anew, as what was written is resident
        queried[space] = moved(vectors[space][asked], asking)
    return World(items[:real], sources, made, queried)


def measure(
    world: World,
    name: str,
    store: ItemStore,
    build: Callable[[], bool],
    size: Callable[[], float],
    spaces: Sequence[Space] = SPACES,
) -> Figures:
    """Fill a store, unless it holds the world, and search it.

    ``build`` says whether it had anything to do; ``size`` is in MB.
    """
    held, started = _holds(store, world), perf_counter()
    for number, batch in enumerate(() if held else world.batches(), 1):
        store.upsert(batch)
        if number % 50 == 0:
            log.info("%s: %s films stored", name, f"{number * BATCH:,}")
    ingested = perf_counter() - started
    log.info("%s: building", name)
    started = perf_counter()
    built = build()
    seconds = perf_counter() - started
    log.info("%s: searching", name)
    searches = [_searches(world, store, space, filters) for space in spaces for filters in FILTERS]
    return Figures(
        films=len(world),
        search=name,
        ingest=0 if held else len(world) / ingested,
        build=seconds if built else 0,
        megabytes=size(),
        searches=searches,
    )


def _holds(store: ItemStore, world: World) -> bool:
    """Whether the films are there to the last, and are these and no others."""
    last = len(world) - 1
    held = store.vectors([world.item_id(last)]).get(world.item_id(last))
    return held is not None and np.allclose(held, world.vectors["text"][last], atol=1e-3)


def measure_start(world: World) -> Start:
    """Build what every server builds of the films it reads: facts in columns, words, names."""
    before, started = _resident(), perf_counter()
    films = (world.film(row) for row in range(len(world)))
    catalogue = Catalogue(Item.model_validate_json(film.model_dump_json()) for film in films)
    kept = (catalogue, LexicalIndex(catalogue.items), QueryReader(catalogue))
    catalogue.allowed(FILTERS["few pass"])
    seconds = perf_counter() - started
    figures = Start(films=len(world), seconds=seconds, megabytes=_resident() - before)
    del kept
    return figures


def _searches(world: World, store: ItemStore, space: Space, filters: str) -> Searches:
    asked, found, times = FILTERS[filters], [], []
    passing = world.passing(asked)
    for query, rows in zip(world.queries[space], world.best(space, passing), strict=True):
        started = perf_counter()
        hits = store.nearest(query, K, asked, (), space)
        times.append(1000 * (perf_counter() - started))
        best = {world.item_id(row) for row in rows}
        found.append(len(best & {hit.item_id for hit in hits}) / max(len(best), 1))
    p50, p95 = np.percentile(times, [50, 95])
    return Searches(
        space=space,
        filters=filters,
        passing=len(passing),
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
        "search reads: the vectors as bytes for `memory`, the table for `exact`, the indexes for",
        "the rest; whole vectors are looked up for candidates only. `hnsw` searches texts by a",
        "graph and people's space (`fused`) by lists.",
        "",
        *([results.note, ""] if results.note else []),
        "![p95 and recall over the number of films](scale.svg)",
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


def _parts(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _resident() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6
