"""Graphs and lists in PostgreSQL by setting; that they find the best is in the contract suite."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from assistant.composition import hnsw_index, open_recommender
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender.errors import InvalidRequest
from recommender.models import Filters, Item, SearchRequest
from recommender.stores.ports import IndexedItem, Space
from recommender.stores.postgres import SCAN, Database, Hnsw, ann
from recommender.stores.postgres.ann import Quantisation
from recommender.stores.postgres.items import PostgresItemStore
from tests.conftest import new_database

RNG = np.random.default_rng(0)
FILMS = [
    IndexedItem(
        Item(item_id=str(n), title=f"Film {n}", year=1900 + n, genres=("Rare",) * (n % 150 == 0)),
        vector := RNG.normal(size=384).astype(np.float32) / np.float32(20),
        "print",
        vector,
    )
    for n in range(600)
]
FILTERS = {"ann_genres", "ann_people", "ann_year"}


@pytest.fixture
def graphs(postgres_url: str) -> Iterator[Database]:
    """A database whose planner goes by graphs as it would with very many films."""
    with new_database(postgres_url) as url:
        database = Database(url, options=SCAN | {"enable_seqscan": "off"})
        database.migrate()
        PostgresItemStore(database).upsert(FILMS)
        yield database
        database.close()


def indexes(database: Database) -> dict[str, int]:
    """This project's indexes of films by name, and their object ids."""
    with database.connect() as connection:
        rows = connection.execute(
            text("SELECT relname, oid::bigint FROM pg_class WHERE starts_with(relname, 'ann_')")
        )
        return {name: oid for name, oid in rows if "pkey" not in name}


def exactly(films: list[IndexedItem], k: int) -> set[str]:
    best = sorted(films, key=lambda film: -float(film.vector @ FILMS[7].vector))[:k]
    return {film.item.item_id for film in best}


@pytest.mark.parametrize(
    ("quantisation", "names"),
    [
        ("none", {"ann_embedding_none_384_m16", "ann_fused_none_384_l2"}),
        ("halfvec", {"ann_embedding_halfvec_384_m16", "ann_fused_halfvec_384_l2"}),
        ("binary", {"ann_embedding_binary_384_m16", "ann_fused_halfvec_384_l2"}),
    ],
)
def test_each_setting_has_its_indexes_and_searches_go_by_them(
    graphs: Database, quantisation: Quantisation, names: set[str]
) -> None:
    store = PostgresItemStore(graphs, hnsw=Hnsw(quantisation))
    assert store.build_indexes()
    built = indexes(graphs)
    assert built.keys() == names | FILTERS
    assert not store.build_indexes()
    assert indexes(graphs) == built  # nothing was built twice
    for space in ("text", "fused"):
        hits = store.nearest(FILMS[7].vector, 10, Filters(), (), space)
        assert len({hit.item_id for hit in hits} & exactly(FILMS, 10)) >= 9
        assert hits[0].item_id == "7"
        assert hits[0].score == pytest.approx(float(FILMS[7].vector @ FILMS[7].vector), rel=1e-5)
    with graphs.connect() as connection:  # the one that searched
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        used = connection.execute(
            text(
                "SELECT indexrelname FROM pg_stat_user_indexes WHERE idx_scan > 0 "
                "AND starts_with(indexrelname, 'ann_')"
            )
        )
        assert set(used.scalars()) >= names


def test_back_to_exact_leaves_no_index(graphs: Database) -> None:
    PostgresItemStore(graphs, hnsw=Hnsw()).build_indexes()
    PostgresItemStore(graphs).build_indexes()
    assert indexes(graphs) == {}


def test_another_setting_keeps_what_both_share(graphs: Database) -> None:
    PostgresItemStore(graphs, hnsw=Hnsw("halfvec")).build_indexes()
    before = indexes(graphs)
    PostgresItemStore(graphs, hnsw=Hnsw("binary")).build_indexes()
    after = indexes(graphs)
    assert after.keys() - before.keys() == {"ann_embedding_binary_384_m16"}
    assert after["ann_fused_halfvec_384_l2"] == before["ann_fused_halfvec_384_l2"]


def test_the_graph_of_one_space_may_be_built_alone(graphs: Database) -> None:
    PostgresItemStore(graphs, hnsw=Hnsw("binary")).build_indexes(["text"])
    assert indexes(graphs).keys() == FILTERS | {"ann_embedding_binary_384_m16"}


@pytest.mark.parametrize("quantisation", ["none", "halfvec"])
def test_the_best_of_peoples_space_are_found_however_long_they_are(
    graphs: Database, quantisation: Quantisation
) -> None:
    lengths = np.tile(np.geomspace(0.2, 4, 20).astype(np.float32), len(FILMS) // 20)
    placed = [
        replace(film, fused=film.vector * length)
        for film, length in zip(FILMS, lengths, strict=True)
    ]
    store = PostgresItemStore(graphs, hnsw=Hnsw(quantisation))
    store.upsert(placed)
    store.build_indexes()
    vectors = store.vectors([film.item.item_id for film in placed], "fused")
    for query in (FILMS[7].vector, FILMS[8].vector * 0.001, FILMS[9].vector * 1000):
        best = sorted(vectors, key=lambda item_id: -float(vectors[item_id] @ query))[:10]
        hits = store.nearest(query, 10, Filters(), (), "fused")
        assert [hit.item_id for hit in hits] == best
    nowhere = np.zeros(384, dtype=np.float32)
    assert [hit.score for hit in store.nearest(nowhere, 3, Filters(), (), "fused")] == [0, 0, 0]


def test_more_films_have_more_lists_up_to_a_limit(
    graphs: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PostgresItemStore(graphs, hnsw=Hnsw("halfvec"))
    monkeypatch.setattr(ann, "FILMS_OF_A_LIST", 10)
    store.build_indexes()
    assert "ann_fused_halfvec_384_l60" in indexes(graphs)
    monkeypatch.setattr(ann, "MOST_LISTS", 20)
    store.build_indexes()
    assert "ann_fused_halfvec_384_l20" in indexes(graphs)
    store.remove([film.item.item_id for film in FILMS])
    store.build_indexes()
    assert "ann_fused_halfvec_384_l1" in indexes(graphs)


def test_with_a_filter_more_candidates_are_ranked_again() -> None:
    """Few are enough for what lies near; the best that pass may lie among thousands as far away."""
    binary = Hnsw("binary")
    assert binary.depth(10, "text", filtered=False) == 500
    assert binary.depth(10, "text", filtered=True) == 2000
    assert binary.depth(10, "fused", filtered=True) == 20  # lists are looked through to the end
    assert binary.depth(100, "text", filtered=True) == 5000


def test_an_index_whose_building_broke_off_is_built_anew(graphs: Database) -> None:
    store = PostgresItemStore(graphs, hnsw=Hnsw("halfvec"))
    store.build_indexes()
    name, before = "ann_fused_halfvec_384_l2", indexes(graphs)
    with graphs.connect() as connection:
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = :name ::regclass"),
            {"name": name},
        )
    store.build_indexes()
    after = indexes(graphs)
    assert after.keys() == before.keys()
    assert after[name] != before[name]


def test_while_one_server_builds_another_goes_on_without(graphs: Database) -> None:
    store = PostgresItemStore(graphs, hnsw=Hnsw("binary"))
    with graphs.connect() as builder:
        builder.execute(text("SELECT pg_advisory_lock(727002)"))
        store.build_indexes()
        assert indexes(graphs) == {}
        assert store.nearest(FILMS[7].vector, 1, Filters())[0].item_id == "7"
        builder.execute(text("SELECT pg_advisory_unlock(727002)"))
    store.build_indexes()
    assert "ann_embedding_binary_384_m16" in indexes(graphs)


@pytest.mark.parametrize("space", ["text", "fused"])
@pytest.mark.parametrize("quantisation", ["none", "halfvec", "binary"])
def test_the_few_films_that_pass_a_filter_are_all_found(
    graphs: Database,
    quantisation: Quantisation,
    space: Space,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Far more is looked at than a graph or lists would, which give up by these settings."""
    monkeypatch.setattr(ann, "FILMS_OF_A_LIST", 10)
    url = graphs.engine.url.render_as_string(hide_password=False)
    short = {"hnsw.max_scan_tuples": "1", "hnsw.ef_search": "5", "enable_seqscan": "off"}
    short |= {"ivfflat.probes": "1", "ivfflat.max_probes": "1", "enable_bitmapscan": "off"}
    hasty = Database(url, options=SCAN | short)
    hasty.migrate()
    store = PostgresItemStore(hasty, hnsw=Hnsw(quantisation))
    store.build_indexes()
    rare = [film for film in FILMS if film.item.genres]
    hits = store.nearest(FILMS[7].vector, 10, Filters(include_genres=("Rare",)), (), space)
    assert [hit.item_id for hit in hits] == sorted(
        exactly(rare, 10), key=lambda i: -float(FILMS[int(i)].vector @ FILMS[7].vector)
    )
    assert len(hits) == 4
    hasty.close()


def test_an_emptied_index_takes_another_length(graphs: Database) -> None:
    store = PostgresItemStore(graphs, hnsw=Hnsw("halfvec"))
    store.build_indexes()
    store.remove([film.item.item_id for film in FILMS])
    store.hold(256)
    short = IndexedItem(FILMS[0].item, FILMS[0].vector[:256].copy(), "print", FILMS[0].vector)
    store.upsert([short])
    store.build_indexes()
    assert "ann_embedding_halfvec_256_m16" in indexes(graphs)
    assert [hit.item_id for hit in store.nearest(short.vector, 5, Filters())] == ["0"]


def test_the_product_runs_on_it(
    postgres_url: str, indexed_template: str, encoder: TextEncoder
) -> None:
    with new_database(postgres_url, indexed_template) as url:
        request = SearchRequest(user_id="ann", query="lonely robots far from home")
        answers = []
        for index, quantisation in (("exact", "none"), ("hnsw", "binary")):
            settings = Settings.model_validate(
                {"database_url": url, "item_index": index, "item_quantisation": quantisation}
            )
            with open_recommender(settings, encoder) as recommender:
                answers.append(recommender.search(request))
        database = Database(url)
        assert "ann_embedding_binary_384_m16" in indexes(database)
        database.close()
        assert [a.intelligence_metadata.degraded for a in answers] == [(), ()]
        assert [i.item_id for i in answers[0].items] == [i.item_id for i in answers[1].items]


def test_smaller_vectors_of_no_graph_are_refused_with_the_mend() -> None:
    with pytest.raises(InvalidRequest, match="set ITEM_INDEX=hnsw"):
        hnsw_index(Settings(item_quantisation="halfvec"))
