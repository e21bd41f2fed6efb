"""Experiments from the first search to the report, on the real service."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import create_autospec

import numpy as np
import pytest
from typer.testing import CliRunner

from assistant.cli import app
from fusion.encoder import TextEncoder
from fusion.fake import BlendFusionEncoder, HashingEncoder
from fusion.fusion_encoder import FusionEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import StoreUnavailable
from recommender.experiments.report import report
from recommender.experiments.variants import Variant, assign
from recommender.indexer import sync_index
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import ExposureLog, NewExposure, NewSwipe, Stores
from recommender.stores.postgres import Database, postgres_stores
from tests.conftest import new_database
from tests.integration.viewers import ROMANCE, SCI_FI, films, ids, look, opinions, tell
from tests.models_folder import text_space

NAME = "fusion-2026"
TESTED: dict[Variant, float] = {"generic": 1.0, "preference_vector": 1.0}
AB = RecommenderSettings(experiment_name=NAME, experiment_variants="generic=1,preference_vector=1")
INTERLEAVED = AB.model_copy(update={"experiment_interleaving": True})


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def taste(catalogue: Catalogue) -> dict[str, str]:
    return opinions(catalogue, SCI_FI, ROMANCE)


@pytest.fixture(scope="module")
def indexed(starter_items: list[Item]) -> Stores:
    """The starter catalogue in memory, with the hashing encoder's vectors."""
    stores = memory_stores()
    space = text_space()
    sync_index(starter_items, stores.items, HashingEncoder(), lambda *_: None, {}, space)
    return stores


@pytest.fixture
def whole(indexed: Stores) -> Stores:
    """The same films, and nothing known of anybody."""
    return replace(memory_stores(), items=indexed.items)


def service(stores: Stores, **settings: object) -> Recommender:
    chosen = RecommenderSettings.model_validate(settings)
    fusions: dict[Variant, FusionEncoder] = {"embedding_fusion": BlendFusionEncoder()}
    return Recommender(stores, HashingEncoder(), chosen, fusions=fusions)


def user_of(variant: Variant) -> str:
    """A user id that the experiment gives this variant."""
    users = (f"user-{number}" for number in range(1000))
    return next(user for user in users if assign(NAME, user, TESTED) == variant)


def test_the_generic_variant_knows_nobody_but_shows_nothing_seen(
    whole: Stores, taste: dict[str, str]
) -> None:
    """Two people who said the opposite of the same films get the same answers."""
    generic = service(whole, search_variant="generic")
    opposite = {film: "like" if said == "dislike" else "dislike" for film, said in taste.items()}
    tell(generic, "ann", taste)
    tell(generic, "bob", opposite)
    for query in ("", "space robots"):
        known = look(generic, "ann", query, k=60, explain=True)
        assert known.items == look(generic, "bob", query, k=60, explain=True).items
        assert set(ids(known)).isdisjoint(taste)
    metadata = known.intelligence_metadata
    assert (metadata.variant, metadata.strategy) == ("generic", "generic")
    assert metadata.preference_influence == 0
    assert all(item.preference_boost == 0 for item in known.items)
    assert known.preference_confidence > 0.3
    why = {film: generic.explain("ann", film).evidence for film in ids(known)}
    assert why == {film: generic.explain("bob", film).evidence for film in ids(known)}


def test_without_an_experiment_everybody_gets_the_search_variant(
    whole: Stores, taste: dict[str, str]
) -> None:
    standard = service(whole)
    tell(standard, "ann", taste)
    shown = look(standard, "ann")
    assert shown.intelligence_metadata.variant == "embedding_fusion"
    assert shown.intelligence_metadata.strategy == "personal"
    assert whole.exposures.experiments() == []
    assert standard.export_user("ann").exposures == ()


def test_each_user_gets_their_variant_and_it_is_logged(
    whole: Stores, taste: dict[str, str]
) -> None:
    running = Recommender(whole, HashingEncoder(), AB)
    for variant in TESTED:
        user = user_of(variant)
        tell(running, user, taste)
        first = look(running, user, "robots", k=7)
        again = look(running, user, "robots", k=7)
        assert (first.cached, again.cached) == (False, True)
        assert again.intelligence_metadata.variant == variant
        logged = whole.exposures.of_user(user)
        assert [(e.experiment, e.variant, e.teams) for e in logged] == [(NAME, variant, None)] * 2
        assert [list(e.item_ids) for e in logged] == [ids(first), ids(again)]
        assert running.export_user(user).exposures == tuple(logged)
        assert running.explain(user, "541").evidence is not None


def test_variants_never_share_an_answer(whole: Stores) -> None:
    """Nor do people of whom nothing is known, whose answers are otherwise shared."""
    running = Recommender(whole, HashingEncoder(), AB)
    one, other = user_of("generic"), user_of("preference_vector")
    assert not look(running, one, "robots").cached
    assert not look(running, other, "robots").cached
    assert look(running, other, "robots").cached


def test_forgetting_a_user_erases_what_they_were_shown(whole: Stores) -> None:
    running = Recommender(whole, HashingEncoder(), AB)
    look(running, "ann")
    look(running, "bob")
    assert len(running.export_user("ann").exposures) == 1
    running.forget_user("ann")
    assert [e.user_id for e in whole.exposures.of_experiment(NAME)] == ["bob"]


def test_interleaving_drafts_both_answers_into_one(whole: Stores, taste: dict[str, str]) -> None:
    both = Recommender(whole, HashingEncoder(), INTERLEAVED)
    tell(both, "ann", taste)
    alone = {v: look(service(whole, search_variant=v), "ann", k=9) for v in TESTED}
    drafted = look(both, "ann", k=9)
    (exposure,) = whole.exposures.of_user("ann")
    assert exposure.variant == "interleaved" == drafted.intelligence_metadata.variant
    assert list(exposure.item_ids) == ids(drafted)
    assert len(set(ids(drafted))) == 9
    assert exposure.teams is not None
    counts = Counter(exposure.teams)
    assert abs(counts["generic"] - counts["preference_vector"]) == 1
    for item, team in zip(drafted.items, exposure.teams, strict=True):
        assert team is not None
        assert item in alone[team].items
    metadata = [answer.intelligence_metadata for answer in alone.values()]
    assert drafted.intelligence_metadata.strategy == "personal"
    assert drafted.intelligence_metadata.preference_influence == pytest.approx(
        sum(m.preference_influence for m in metadata) / 2
    )
    again = look(both, "ann", k=9)
    assert again.cached
    assert again.items == drafted.items


def test_a_failing_exposure_log_shows_and_breaks_nothing(whole: Stores) -> None:
    log = create_autospec(ExposureLog, instance=True)
    log.append.side_effect = StoreUnavailable()
    for settings in (AB, INTERLEAVED):
        deaf = Recommender(replace(whole, exposures=log), HashingEncoder(), settings)
        heard = Recommender(whole, HashingEncoder(), settings)
        for _ in range(2):  # computed, then cached
            answer, wanted = look(deaf, "ann", "robots"), look(heard, "ann", "robots")
            assert answer.items == wanted.items
            assert answer.intelligence_metadata.degraded == ("exposure_log",)
            assert wanted.intelligence_metadata.degraded == ()


@pytest.fixture(scope="module")
def postgres(postgres_url: str, indexed_template: str) -> Iterator[tuple[str, Stores]]:
    """A database with the indexed starter catalogue, and all storage over it."""
    with new_database(postgres_url, indexed_template) as url:
        database = Database(url)
        database.migrate()
        yield url, postgres_stores(database, max_cache_entries=10_000)
        database.close()


class Fan:
    """Somebody who likes nearly all films of one genre and hardly any other."""

    def __init__(self, user_id: str, loved: str, loathed: str, seed: int) -> None:
        self.user_id = user_id
        self.loved = loved
        self.loathed = loathed
        self._rng = np.random.default_rng(seed)

    def likes(self, item: Item) -> bool:
        return bool(self._rng.random() < (0.9 if self.loved in item.genres else 0.1))


def fans(count: int, name: str) -> list[Fan]:
    tastes = [(SCI_FI, ROMANCE), (ROMANCE, SCI_FI)]
    return [Fan(f"{name}-{number}", *tastes[number % 2], number) for number in range(count)]


def live(recommender: Recommender, stores: Stores, catalogue: Catalogue, people: list[Fan]) -> None:
    """Each swipes 15 known films, then twice looks for something and says what they think of it."""

    def say(fan: Fan, item_id: str, action: str) -> None:
        stores.swipes.append(NewSwipe(fan.user_id, item_id, action, None, datetime.now(UTC)))

    for fan in people:
        for item_id, action in opinions(catalogue, fan.loved, fan.loathed, 15).items():
            say(fan, item_id, action)
        for _ in range(2):
            for item in films(recommender, look(recommender, fan.user_id, k=8)):
                say(fan, item.item_id, "like" if fan.likes(item) else "dislike")


def test_a_better_variant_is_found_better(
    postgres: tuple[str, Stores], encoder: TextEncoder, catalogue: Catalogue
) -> None:
    url, stores = postgres
    people = fans(40, "ab")
    live(Recommender(stores, encoder, AB), stores, catalogue, people)
    shown = {fan.user_id: stores.exposures.of_user(fan.user_id) for fan in people}
    for user_id, exposures in shown.items():
        assert [e.variant for e in exposures] == [assign(NAME, user_id, TESTED)] * 2
    found = report(stores, NAME)
    generic, personal = found.variants
    assert (generic.variant, personal.variant) == ("generic", "preference_vector")
    assert generic.users + personal.users == 40
    assert 10 <= generic.users <= 30  # three sigma
    assert generic.films_shown + personal.films_shown == 40 * 2 * 8
    assert generic.likes + generic.dislikes == generic.films_shown
    assert personal.lift_interval is not None
    assert personal.lift_interval[0] > 0.2
    assert personal.like_rate > generic.like_rate > 0

    printed = reelwise(url, "--experiment", NAME)
    assert f"Experiment {NAME}" in printed
    row = next(line for line in printed.splitlines() if line.startswith("preference_vector"))
    assert f"{personal.lift:+.0%}" in row
    hurried = json.loads(reelwise(url, "--experiment", NAME, "--days", "0", "--json"))
    assert [figures["likes"] for figures in hurried["variants"]] == [0, 0]
    as_json = json.loads(reelwise(url, "--json", "--baseline", "preference_vector", name=NAME))
    assert as_json["baseline"] == "preference_vector"
    assert as_json["variants"][0]["lift"] < -0.1


def test_interleaving_finds_it_with_fewer_people(
    postgres: tuple[str, Stores], encoder: TextEncoder, catalogue: Catalogue
) -> None:
    url, stores = postgres
    name = "interleaved-2026"
    settings = INTERLEAVED.model_copy(update={"experiment_name": name})
    live(Recommender(stores, encoder, settings), stores, catalogue, fans(20, "draft"))
    found = report(stores, name)
    (duel,) = found.duels
    assert found.variants == ()
    assert duel.users == duel.wins + duel.losses + duel.ties == 20
    assert duel.win_share_interval is not None
    assert duel.win_share_interval[0] > 0.5
    assert f"users won {duel.wins}" in reelwise(url, "--experiment", name)


def test_of_two_equal_variants_neither_is_found_better(postgres: tuple[str, Stores]) -> None:
    _, stores = postgres
    rng = np.random.default_rng(5)
    for number in range(120):
        user = f"aa-{number}"
        variant = assign("aa", user, TESTED)
        films = tuple(f"film-{n}" for n in range(5))
        stores.exposures.append(NewExposure("aa", user, variant, films))
        for film in films[: rng.binomial(5, 0.4)]:
            stores.swipes.append(NewSwipe(user, film, "like", None, datetime.now(UTC)))
    (_, other) = report(stores, "aa").variants
    assert other.lift_interval is not None
    assert other.lift_interval[0] < 0 < other.lift_interval[1]


def reelwise(url: str, *options: str, name: str = "", exit_code: int = 0) -> str:
    """What ``reelwise experiment report`` prints."""
    environment = {"DATABASE_URL": url, "EXPERIMENT_NAME": name}
    if name:
        environment["EXPERIMENT_VARIANTS"] = AB.experiment_variants
    result = CliRunner().invoke(app, ["experiment", "report", *options], env=environment)
    assert result.exit_code == exit_code, result.output
    return result.output


def test_what_cannot_be_reported_is_said_in_one_line(postgres: tuple[str, Stores]) -> None:
    url, stores = postgres
    stores.exposures.append(NewExposure("lonely", "zoe", "generic", ("1", "2")))
    unknown = reelwise(url, "--experiment", "no-such", exit_code=2)
    assert unknown.startswith("reelwise: No experiment 'no-such'")
    assert "lonely" in unknown
    unshown = reelwise(url, "--experiment", "lonely", "--baseline", "token_fusion", exit_code=2)
    assert "did not show token_fusion. It showed: generic" in unshown
    assert "too few users to say" in reelwise(url, "--experiment", "lonely")
    assert "EXPERIMENT_NAME: " in reelwise(url, name="two words", exit_code=2)
