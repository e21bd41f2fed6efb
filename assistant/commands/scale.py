"""``reelwise bench-index``: what storing and searching many films costs on this machine."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from sqlalchemy import text

from assistant.composition import load_encoder, load_fusions
from assistant.refusal import mendable, need, refuse
from assistant.settings import Settings
from recommender.evaluation.scale import (
    SPACES,
    Figures,
    Results,
    World,
    make_world,
    measure,
    measure_start,
    results_table,
)
from recommender.indexer import STARTER, STARTER_VECTORS, read_items, read_vectors, sync_index
from recommender.settings import RecommenderSettings
from recommender.stores.held import HeldItems
from recommender.stores.memory import MemoryItemStore
from recommender.stores.ports import Space
from recommender.stores.postgres import SCAN, Database, Hnsw, embedded_server
from recommender.stores.postgres.items import PostgresItemStore

MEMORY = "memory"
POSTGRES: dict[str, Hnsw | None] = {
    MEMORY: None,
    "exact": None,
    "hnsw": Hnsw(),
    "hnsw, halfvec": Hnsw("halfvec"),
    "hnsw, binary": Hnsw("binary"),
}
CHROMA = "chroma"
MOST_HELD = 200_000
"""Films beyond which what a server would hold of them is not measured, for want of memory."""


def bench_index(
    films: Annotated[list[int], typer.Option(min=100, help="How many; may be given again.")],
    only: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join([*POSTGRES, CHROMA])}.")
    ] = None,
    queries: Annotated[int, typer.Option(min=10, help="Of each kind.")] = 100,
    space: Annotated[
        Space | None, typer.Option(help="The vectors to search by; default: both, in turn.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the tables.")] = Path("recommender/results"),
    note: Annotated[
        str | None, typer.Option(help="What to say of the circumstances above the table.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder to keep the films in; default: one that goes again.")
    ] = None,
) -> None:
    """Fill stores with noisy copies of the catalogue's films, search them, and write a table."""
    chosen = only or list(POSTGRES)
    if unknown := set(chosen) - {*POSTGRES, CHROMA}:
        refuse(f"No search is called {', '.join(sorted(unknown))}.")
    need("bench", "matplotlib")
    if CHROMA in chosen:
        need("chroma", "chromadb")
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("recommender.evaluation").setLevel(logging.INFO)
    with mendable(), TemporaryDirectory() as passing:
        if note is not None:
            _write(out, _read(out).model_copy(update={"note": note}))
        for count in films:
            home = (data or Path(passing)) / f"films-{count}"
            world = _world(count, queries, home)
            if count <= MOST_HELD:
                _write(out, _read(out).with_start(measure_start(world)))
            for figures in _measured(world, chosen, (space,) if space else SPACES, home):
                _write(out, _read(out).with_figures(figures))
    typer.echo(f"Wrote {out / 'scale.md'} and {out / 'scale.svg'}")


def _measured(
    world: World, chosen: list[str], spaces: Sequence[Space], home: Path
) -> Iterator[Figures]:
    if wanted := [name for name in POSTGRES if name in chosen]:
        with embedded_server(home / "postgres") as url, _database(url) as database:
            for name in wanted:
                yield _of_postgres(world, name, database, spaces)
    if CHROMA in chosen:
        from recommender.stores.chroma import open_chroma

        folder = home / "chroma"
        with open_chroma(folder) as chroma:
            size = partial(_folder_size, folder)
            yield measure(world, CHROMA, chroma, lambda: False, size, spaces)


def _of_postgres(world: World, name: str, database: Database, spaces: Sequence[Space]) -> Figures:
    store, size = PostgresItemStore(database, hnsw=POSTGRES[name]), _size(database, name)
    if name == MEMORY:
        held = HeldItems(store)
        return measure(world, name, held, lambda: bool(held.all()), size, spaces)
    return measure(world, name, store, partial(store.build_indexes, spaces), size, spaces)


@contextmanager
def _database(url: str) -> Iterator[Database]:
    database = Database(url, options=SCAN)
    database.migrate()
    yield database
    database.close()


def _world(count: int, queries: int, home: Path) -> World:
    settings, held = Settings(), MemoryItemStore()
    encoder, films = load_encoder(settings), read_items(STARTER)
    space = load_fusions(settings, RecommenderSettings()).space
    sync_index(films, held, encoder, lambda *_: None, read_vectors(STARTER_VECTORS), space)
    ids = [film.item_id for film in films]
    vectors = {}
    for name in SPACES:
        found = held.vectors(ids, name)
        vectors[name] = np.array([found[item_id] for item_id in ids])
    return make_world(films, vectors, count, queries, home)


def _size(database: Database, name: str) -> Callable[[], float]:
    """Megabytes of the vectors, the table, or the indexes."""
    statement = "SELECT pg_table_size('items')"
    if name == MEMORY:
        statement = (
            "SELECT coalesce(sum(vector_dims(embedding) + vector_dims(fused)), 0) FROM items"
        )
    elif name != "exact":
        statement = (
            "SELECT coalesce(sum(pg_relation_size(oid)), 0) FROM pg_class "
            "WHERE relname LIKE 'ann\\_embedding%' OR relname LIKE 'ann\\_fused%'"
        )

    def size() -> float:
        with database.connect() as connection:
            return float(connection.execute(text(statement)).scalar_one()) / 1e6

    return size


def _folder_size(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _read(out: Path) -> Results:
    path = out / "scale.json"
    return Results.model_validate_json(path.read_text()) if path.exists() else Results()


def _write(out: Path, results: Results) -> None:
    from recommender.evaluation.scale_plot import draw

    out.mkdir(parents=True, exist_ok=True)
    (out / "scale.json").write_text(results.model_dump_json(indent=1) + "\n")
    (out / "scale.md").write_text(results_table(results))
    draw(results, out / "scale.svg")
