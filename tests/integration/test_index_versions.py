"""Versions of the films' index: built beside the one that serves, and gone back to."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import inf
from pathlib import Path
from threading import Condition, Event

import numpy as np
import pytest
from sqlalchemy import inspect, text
from typer.testing import CliRunner, Result

from assistant.cli import app
from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.indexer import BATCH, models_of, sync_index, wanted_fingerprints
from recommender.models import Filters, Item
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import Hit, ItemStore, version_of
from recommender.stores.postgres import SCAN, Database, Hnsw
from recommender.stores.postgres.items import PostgresItemStore, content_of
from recommender.stores.postgres.schema import items
from recommender.stores.postgres.versions import FORMER, SERVING, WITHDRAWN, IndexVersions
from tests.conftest import new_database
from tests.counting_encoder import CountingEncoder
from tests.models_folder import text_space

QUERIES = HashingEncoder().encode([f"word{n} film" for n in range(0, 150, 7)])
Answers = list[list[Hit]]


def catalogue(name: str, count: int = 60) -> list[Item]:
    """Films of which the first ten are in every catalogue and no other is in two."""
    return [
        Item(
            item_id=f"film-{n}" if n < 10 else f"{name}-{n}",
            title=f"Film {n}",
            overview=f"word{n}" if n < 10 else f"word{n} {name}",
            genres=("Drama",) * (n % 2),
        )
        for n in range(count)
    ]


def bring_up(
    versions: IndexVersions,
    films: Sequence[Item],
    encoder: HashingEncoder | None = None,
    anew: bool = False,
    asked: bool = False,
) -> PostgresItemStore:
    """What a start does, or, ``asked``, ``reelwise index``."""
    made_by, space = encoder or HashingEncoder(), text_space()

    def fill(store: ItemStore) -> None:
        sync_index(films, store, made_by, lambda *_: None, {}, space)

    wanted = wanted_fingerprints(films, made_by, space)
    models = models_of(made_by, space)
    return versions.bring_up(wanted, models, made_by.dim, fill, anew, asked)


def answers(store: ItemStore) -> Answers:
    """To many queries, with and without a filter, in both spaces."""
    return [
        store.nearest(query, 7, filters, (), space)
        for query in QUERIES
        for filters in (Filters(), Filters(include_genres=("Drama",)))
        for space in ("text", "fused")
    ]


@pytest.fixture
def versions(database: Database) -> IndexVersions:
    return IndexVersions(PostgresItemStore(database))


def tables(database: Database) -> set[str]:
    """Those that hold films."""
    with database.connect() as connection:
        names = inspect(connection).get_table_names()
    return {name for name in names if name.startswith("items")}


class TestBuilding:
    def test_the_first_start_serves_what_it_indexed(self, versions: IndexVersions) -> None:
        films = catalogue("a")
        store = bring_up(versions, films)
        assert sorted(store.all(), key=repr) == sorted(films, key=repr)
        assert answers(versions.serving()) == answers(store)

    def test_a_second_start_builds_nothing(
        self, versions: IndexVersions, database: Database
    ) -> None:
        bring_up(versions, catalogue("a"))
        before, idle = tables(database), CountingEncoder()
        bring_up(versions, catalogue("a"), idle)
        assert idle.texts == []
        assert tables(database) == before

    def test_only_what_changed_is_embedded(self, versions: IndexVersions) -> None:
        bring_up(versions, catalogue("a"))
        before = versions.serving().vectors([f"film-{n}" for n in range(10)])
        encoder = CountingEncoder()
        store = bring_up(versions, catalogue("b"), encoder)
        assert len(encoder.texts) == 50
        after = store.vectors(list(before))
        for item_id, vector in before.items():
            np.testing.assert_array_equal(after[item_id], vector)

    def test_every_film_is_embedded_anew_on_request(self, versions: IndexVersions) -> None:
        first = bring_up(versions, catalogue("a"))
        encoder = CountingEncoder()
        bring_up(versions, catalogue("a"), encoder, anew=True)
        assert len(encoder.texts) == 60
        assert answers(versions.serving()) == answers(first)

    def test_vectors_of_another_length_need_a_word(self, versions: IndexVersions) -> None:
        store = bring_up(versions, catalogue("a"))
        with pytest.raises(InvalidRequest, match="reelwise index --anew"):
            versions.bring_up({"1": "print"}, "longer", 512, lambda _: None)
        assert answers(versions.serving()) == answers(store)

    @pytest.mark.parametrize("cut", [0, 1, BATCH, BATCH + 1, 2 * BATCH])
    def test_one_that_breaks_off_never_serves_and_is_gone_on_with(
        self, versions: IndexVersions, cut: int
    ) -> None:
        served = answers(bring_up(versions, catalogue("a")))
        films = catalogue("b", 10 + 2 * BATCH + 5)
        with pytest.raises(EncoderUnavailable):
            bring_up(versions, films, CountingEncoder(fail_after=cut))
        assert answers(versions.serving()) == served
        with pytest.raises(InvalidRequest, match="no former index"):
            versions.roll_back()
        encoder = CountingEncoder()
        store = bring_up(versions, films, encoder)
        assert len(encoder.texts) == 2 * BATCH + 5 - cut // BATCH * BATCH
        assert sorted(store.all(), key=repr) == sorted(films, key=repr)
        assert answers(versions.serving()) == answers(store)

    def test_one_that_does_not_hold_its_films_is_not_switched_to(
        self, versions: IndexVersions
    ) -> None:
        served = answers(bring_up(versions, catalogue("a")))
        wanted = wanted_fingerprints(catalogue("b"), HashingEncoder(), text_space())
        models = models_of(HashingEncoder(), text_space())
        with pytest.raises(InvalidRequest, match="does not hold what it should"):
            versions.bring_up(wanted, models, 384, lambda _: None)
        assert answers(versions.serving()) == served

    def test_films_lost_from_the_one_that_serves_are_found_missing(
        self, versions: IndexVersions
    ) -> None:
        store = bring_up(versions, catalogue("a"))
        store.remove(["film-3", "a-20"])
        encoder = CountingEncoder()
        mended = bring_up(versions, catalogue("a"), encoder)
        assert len(encoder.texts) == 2
        assert sorted(mended.all(), key=repr) == sorted(catalogue("a"), key=repr)

    def test_several_who_start_at_once_build_it_once(self, database: Database) -> None:
        url = database.engine.url.render_as_string(hide_password=False)
        encoder, pools = CountingEncoder(), [Database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            stores = list(
                threads.map(
                    lambda pool: bring_up(
                        IndexVersions(PostgresItemStore(pool)), catalogue("a"), encoder
                    ),
                    pools,
                )
            )
        assert len(encoder.texts) == 60
        assert all(answers(store) == answers(stores[0]) for store in stores)
        for pool in pools:
            pool.close()

    def test_graphs_are_there_before_it_serves(self, postgres_url: str) -> None:
        with new_database(postgres_url) as url:
            database = Database(url, options=SCAN | {"enable_seqscan": "off"})
            database.migrate()
            versions = IndexVersions(PostgresItemStore(database, hnsw=Hnsw("halfvec")))
            for name in "ab":
                store = bring_up(versions, catalogue(name))
                assert answers(store) == answers(store.of(store.table))
                with database.connect() as connection:
                    built = connection.execute(
                        text("SELECT indexname FROM pg_indexes WHERE tablename = :name"),
                        {"name": store.table.name},
                    )
                    suffix = store.table.name.removeprefix("items")
                    assert f"ann_fused_halfvec_384_l1{suffix}" in set(built.scalars())
            database.close()


class TestSwitching:
    def test_searches_see_one_version_whole(self, versions: IndexVersions) -> None:
        """Searchers look up what serves and search it while it is switched again and again.

        Each search sees at most one switch: the switch after that drops what it searches.
        """
        stores = {name: bring_up(versions, catalogue(name)) for name in "ab"}
        known = {name: answers(store) for name, store in stores.items()}
        assert known["a"] != known["b"]
        done, turn, ended = Event(), Condition(), [0.0] * 3

        def end(number: int, searches: float) -> None:
            with turn:
                ended[number] += searches
                turn.notify_all()

        def search(number: int) -> list[Answers]:
            found = []
            try:
                while not done.is_set():
                    found.append(answers(versions.serving()))
                    end(number, 1)
            finally:
                end(number, inf)
            return found

        def wait_for_each() -> None:
            with turn:
                before = [*ended]
                assert turn.wait_for(
                    lambda: all(
                        now == inf or now > then for now, then in zip(ended, before, strict=True)
                    ),
                    timeout=60,
                )

        with ThreadPoolExecutor(len(ended)) as pool:
            searches = [pool.submit(search, number) for number in range(len(ended))]
            try:
                for number in range(10):
                    bring_up(versions, catalogue("ab"[number % 2]))
                    wait_for_each()
            finally:
                done.set()
            seen = [found for search in searches for found in search.result()]
        assert seen
        assert all(found in known.values() for found in seen)

    def test_who_started_with_the_former_goes_on_with_it(self, versions: IndexVersions) -> None:
        former = bring_up(versions, catalogue("a"))
        before = answers(former)
        later = bring_up(versions, catalogue("b"))
        assert answers(former) == before
        assert sorted(former.all(), key=repr) == sorted(catalogue("a"), key=repr)
        assert answers(later) != before

    def test_only_the_former_is_kept(self, versions: IndexVersions, database: Database) -> None:
        first = bring_up(versions, catalogue("a"))
        bring_up(versions, catalogue("b"))
        assert len(tables(database)) == 3  # with the one of releases without versions
        bring_up(versions, catalogue("c"))
        assert len(tables(database)) == 3
        with pytest.raises(StoreUnavailable, match="does not answer"):
            first.nearest(QUERIES[0], 5, Filters())

    def test_whose_version_is_gone_says_that_it_is_not_ready(self, versions: IndexVersions) -> None:
        first = bring_up(versions, catalogue("a"))
        service = Recommender(
            replace(memory_stores(), items=first), HashingEncoder(), RecommenderSettings()
        )
        bring_up(versions, catalogue("b"))
        assert service.ready()["index"]
        bring_up(versions, catalogue("c"))
        assert not service.ready()["index"]

    def test_one_that_is_being_read_is_dropped_later(
        self, versions: IndexVersions, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = bring_up(versions, catalogue("a"))
        bring_up(versions, catalogue("b"))
        with database.transaction() as reading, monkeypatch.context() as hasty:
            hasty.setattr("recommender.stores.postgres.versions.DROP_SECONDS", 0.05)
            reading.execute(content_of(first.table))
            bring_up(versions, catalogue("c"))
            assert len(tables(database)) == 4
        bring_up(versions, catalogue("d"))
        assert len(tables(database)) == 3

    def test_films_of_a_release_without_versions_are_the_first(self, database: Database) -> None:
        old = PostgresItemStore(database)
        sync_index(catalogue("a"), old, HashingEncoder(), lambda *_: None, {}, text_space())
        versions, encoder = IndexVersions(old), CountingEncoder()
        store = bring_up(versions, catalogue("a"), encoder)
        assert (store.table.name, encoder.texts) == ("items", [])
        served = answers(store)
        bring_up(versions, catalogue("b"))
        assert answers(old) == served  # that release may be gone back to
        bring_up(versions, catalogue("c"))
        assert tables(database) > {"items"}
        assert list(old.all()) == []

    def test_what_another_release_left_in_its_table_is_copied_as_far_as_it_holds(
        self, database: Database
    ) -> None:
        old, encoder = PostgresItemStore(database), CountingEncoder()
        sync_index(catalogue("a"), old, HashingEncoder(), lambda *_: None, {}, text_space())
        store = bring_up(IndexVersions(old), catalogue("b"), encoder)
        assert len(encoder.texts) == 50
        assert sorted(store.all(), key=repr) == sorted(catalogue("b"), key=repr)
        assert answers(old) != answers(store)


class TestRollback:
    def test_answers_are_those_of_before(self, versions: IndexVersions) -> None:
        before = answers(bring_up(versions, catalogue("a")))
        bring_up(versions, catalogue("b"))
        versions.roll_back()
        assert answers(versions.serving()) == before

    def test_there_and_back_many_times(self, versions: IndexVersions) -> None:
        known = {name: answers(bring_up(versions, catalogue(name))) for name in "ab"}
        encoder = CountingEncoder()
        for _ in range(3):
            versions.roll_back()
            assert answers(versions.serving()) == known["a"]
            assert answers(bring_up(versions, catalogue("b"), encoder, asked=True)) == known["b"]
        assert encoder.texts == []

    def test_a_start_leaves_withdrawn_what_is_withdrawn(self, versions: IndexVersions) -> None:
        before = answers(bring_up(versions, catalogue("a")))
        bring_up(versions, catalogue("b"))
        versions.roll_back()
        assert answers(bring_up(versions, catalogue("b"))) == before
        assert [v.state for v in (versions.find(WITHDRAWN), versions.find(SERVING)) if v] == [
            WITHDRAWN,
            SERVING,
        ]
        assert versions.find(FORMER) is None

    def test_another_catalogue_is_indexed_as_ever(self, versions: IndexVersions) -> None:
        for name in "ab":
            bring_up(versions, catalogue(name))
        versions.roll_back()
        store = bring_up(versions, catalogue("c"))
        assert sorted(store.all(), key=repr) == sorted(catalogue("c"), key=repr)
        versions.roll_back()
        assert sorted(versions.serving().all(), key=repr) == sorted(catalogue("a"), key=repr)

    def test_one_of_other_models_is_not_served_to_these(self, versions: IndexVersions) -> None:
        newer = HashingEncoder()
        newer.model_version = "hashing-2"
        bring_up(versions, catalogue("a"))
        bring_up(versions, catalogue("a"), newer)
        versions.roll_back()
        with pytest.raises(InvalidRequest, match="is of other models"):
            bring_up(versions, catalogue("a"), newer)
        before = answers(bring_up(versions, catalogue("a")))  # the release of those models
        assert answers(bring_up(versions, catalogue("a"), newer, asked=True)) == before

    def test_a_damaged_former_one_does_not_serve(self, versions: IndexVersions) -> None:
        former = bring_up(versions, catalogue("a"))
        later = answers(bring_up(versions, catalogue("b")))
        former.remove(["film-1"])
        with pytest.raises(InvalidRequest, match="does not hold what it should"):
            versions.roll_back()
        assert answers(versions.serving()) == later

    def test_without_a_former_one_the_reason_is_said(self, versions: IndexVersions) -> None:
        with pytest.raises(InvalidRequest, match="no former index to go back to"):
            versions.roll_back()


class TestNames:
    def test_the_database_names_versions_as_python_does(self, database: Database) -> None:
        store = PostgresItemStore(database)
        strange = ["Ärger", "a", "B", "_", "é, x", "𝔸", "z 1", "ﬀ"]
        films = [Item(item_id=name, title=name) for name in strange]
        for count in (0, 1, len(films)):
            sync_index(films[:count], store, HashingEncoder(), lambda *_: None, {})
            with database.connect() as connection:
                named = connection.execute(content_of(items)).scalar_one()
            assert named == version_of(store.fingerprints())

    def test_any_change_of_a_film_or_model_changes_it(self) -> None:
        films, newer = catalogue("a"), HashingEncoder()
        newer.model_version = "hashing-2"
        rated = [films[0].model_copy(update={"rating_count": 1}), *films[1:]]
        named = {
            version_of(wanted_fingerprints(each, encoder, space))
            for each, encoder, space in (
                (films, HashingEncoder(), None),
                (films, HashingEncoder(), text_space()),
                (films, newer, None),
                (films[1:], HashingEncoder(), None),
                (rated, HashingEncoder(), None),
            )
        }
        assert len(named) == 5


class TestCommand:
    @pytest.fixture
    def run(
        self, postgres_url: str, tmp_path: Path, models_folder: Path
    ) -> Iterator[tuple[Path, "Run"]]:
        films = tmp_path / "films.jsonl"
        with new_database(postgres_url) as url:
            yield (
                films,
                Run(
                    {
                        "DATABASE_URL": url,
                        "CATALOGUE": str(films),
                        "FUSION_DIR": str(models_folder),
                        "REELWISE_HOME": str(tmp_path / "home"),
                    }
                ),
            )

    def test_there_and_back(self, run: tuple[Path, "Run"]) -> None:
        films, reelwise = run
        shown = {}
        for name, count in (("a", 30), ("b", 40)):
            films.write_text("".join(f"{f.model_dump_json()}\n" for f in catalogue(name, count)))
            assert reelwise("index").stdout == f"{count} films are indexed.\n"
            shown[name] = reelwise("search", f"word12 {name}").stdout
        assert shown["a"] != shown["b"]
        assert "40 films, of these models and this catalogue; the one before, " in reelwise(
            "doctor"
        ).stdout.replace("MEND", "")
        back = reelwise("index", "--rollback")
        assert back.exit_code == 0
        assert back.stdout.endswith(" serves whoever starts from now on.\n")
        assert "as the newer was withdrawn" in reelwise("doctor").stdout
        assert reelwise("search", "word12 a").stdout == shown["a"]
        again = reelwise("index", "--rollback")
        assert (again.exit_code, again.stdout) == (2, "")
        assert "no former index to go back to" in again.stderr
        assert reelwise("index").stdout == "40 films are indexed.\n"
        assert reelwise("search", "word12 b").stdout == shown["b"]

    def test_a_backup_keeps_what_can_be_gone_back_to(
        self, run: tuple[Path, "Run"], tmp_path: Path
    ) -> None:
        films, reelwise = run
        for name, count in (("a", 30), ("b", 40)):
            films.write_text("".join(f"{f.model_dump_json()}\n" for f in catalogue(name, count)))
            reelwise("index")
        file = str(tmp_path / "reelwise.backup")
        assert reelwise("backup", file).exit_code == 0
        films.write_text("".join(f"{f.model_dump_json()}\n" for f in catalogue("c")))
        reelwise("index")
        done = reelwise("restore", file)
        assert done.exit_code == 0, done.output
        database = Database(reelwise.settings["DATABASE_URL"])
        versions = IndexVersions(PostgresItemStore(database))
        assert len(tables(database)) == 3
        assert len(list(versions.serving().all())) == 40
        versions.roll_back()
        assert len(list(versions.serving().all())) == 30
        database.close()

    def test_other_stores_say_that_they_have_none(self, run: tuple[Path, "Run"]) -> None:
        _, reelwise = run
        done = Run(reelwise.settings | {"ITEM_STORE": "chroma"})("index", "--rollback")
        assert done.exit_code == 2
        assert "ITEM_STORE=chroma holds one index, which is changed in place" in done.stderr


class Run:
    """The command line, with settings."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings

    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=self.settings)
