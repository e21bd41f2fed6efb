"""Swipes, surveys, profiles and what is kept of a person, through the real service."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import String, cast, select

from assistant.composition import Fusions
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    NothingToUndo,
    UnknownItem,
    UnknownSession,
    UnknownUser,
)
from recommender.models import Direction, Item
from recommender.preferences.model import UserPreferences
from recommender.settings import RecommenderSettings
from recommender.stores.ports import CachedSearch, Stores
from recommender.stores.postgres import Database
from recommender.stores.postgres.schema import metadata
from tests.integration.viewers import ROMANCE, SCI_FI, ids, look, opinions, ranking, tell

LIKE, DISLIKE, SKIP = Direction.LIKE, Direction.DISLIKE, Direction.SKIP
Build = Callable[..., Recommender]


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def build(stores: Stores, encoder: TextEncoder, fusions: Fusions) -> Build:
    """Makes another server process over the same storage, as it were, with other settings."""

    def make(**settings: object) -> Recommender:
        chosen = RecommenderSettings.model_validate(settings)
        return Recommender(stores, encoder, chosen, fusions=fusions.encoders)

    return make


@pytest.fixture(scope="module")
def other_server(build: Build) -> Recommender:
    return build()


@pytest.fixture(scope="module")
def batching(build: Build) -> Recommender:
    return build(preference_update_policy="batch", preference_update_batch_size=5)


def standing(recommender: Recommender, user_id: str) -> tuple[int, int, int]:
    profile = recommender.profile(user_id)
    return profile.like_count, profile.dislike_count, profile.skip_count


def test_swipes_undo_and_second_thoughts_count(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    a, b, c = list(catalogue.rows)[:3]
    counts = [
        recommender.record_swipe(user_id, item_id, direction).swipe_count
        for item_id, direction in ((a, LIKE), (b, SKIP), (a, DISLIKE), (c, LIKE))
    ]
    assert counts == [1, 2, 2, 3]
    assert standing(recommender, user_id) == (1, 1, 1)
    undone = recommender.undo_swipe(user_id, a)
    assert (undone.status, undone.direction, undone.swipe_count) == ("undone", DISLIKE, 3)
    assert standing(recommender, user_id) == (2, 0, 1)
    assert recommender.undo_swipe(user_id).item_id == c
    assert recommender.undo_swipe(user_id, a).swipe_count == 1
    assert recommender.undo_swipe(user_id).item_id == b
    for item_id in (None, a):
        with pytest.raises(NothingToUndo):
            recommender.undo_swipe(user_id, item_id)
    assert len(recommender.export_user(user_id).swipes) == 8


def test_swiping_an_unknown_film_records_nothing(recommender: Recommender, user_id: str) -> None:
    with pytest.raises(UnknownItem):
        recommender.record_swipe(user_id, "no such film", LIKE)
    with pytest.raises(UnknownUser):
        recommender.export_user(user_id)


def test_a_swipe_from_the_future_counts_as_now(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=400)
    earlier = datetime(2020, 5, 1, tzinfo=UTC)
    for item_id, moment in zip(catalogue.rows, (ahead, earlier), strict=False):
        recommender.record_swipe(user_id, item_id, LIKE, swiped_at=moment)
    future, past = recommender.export_user(user_id).swipes
    assert future.swiped_at <= datetime.now(UTC)
    assert past.swiped_at == earlier


def test_replays_return_the_first_receipt(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    a, b, c = list(catalogue.rows)[:3]
    first = recommender.record_swipe(user_id, a, LIKE, idempotency_key="k1")
    recommender.record_swipe(user_id, b, DISLIKE)
    undo = recommender.undo_swipe(user_id, b, idempotency_key="k2")
    recommender.record_swipe(user_id, a, DISLIKE)
    recommender.record_swipe(user_id, c, LIKE)
    before = len(recommender.export_user(user_id).swipes)
    assert recommender.record_swipe(user_id, a, LIKE, idempotency_key="k1") == first
    assert recommender.undo_swipe(user_id, b, idempotency_key="k2") == undo
    assert recommender.undo_swipe(user_id, idempotency_key="k2") == undo
    assert len(recommender.export_user(user_id).swipes) == before
    reuses: list[Callable[[], object]] = [
        lambda: recommender.record_swipe(user_id, b, LIKE, idempotency_key="k1"),
        lambda: recommender.record_swipe(user_id, a, DISLIKE, idempotency_key="k1"),
        lambda: recommender.record_swipe(user_id, b, DISLIKE, idempotency_key="k2"),
        lambda: recommender.undo_swipe(user_id, idempotency_key="k1"),
        lambda: recommender.undo_swipe(user_id, a, idempotency_key="k2"),
    ]
    for reuse in reuses:
        with pytest.raises(IdempotencyKeyReused):
            reuse()
    assert len(recommender.export_user(user_id).swipes) == before


def test_a_survey_runs_to_its_end(recommender: Recommender, user_id: str) -> None:
    session = recommender.start_survey(user_id, 6, seed=3)
    assert len({movie.item_id for movie in session.movies}) == 6
    for position, movie in enumerate(session.movies):
        step = recommender.next_card(user_id, session.session_id)
        assert (step.position, step.total, step.completed) == (position, 6, False)
        assert step.movie == movie
        recommender.record_swipe(user_id, movie.item_id, SKIP, session_id=session.session_id)
    step = recommender.next_card(None, session.session_id)
    assert (step.position, step.completed, step.movie) == (6, True, None)
    recommender.undo_swipe(user_id)
    assert recommender.next_card(user_id, session.session_id).movie == session.movies[-1]
    swiped = {movie.item_id for movie in session.movies[:-1]}
    following = recommender.start_survey(user_id, 40, seed=3)
    assert swiped.isdisjoint(movie.item_id for movie in following.movies)


def test_surveys_are_private_and_idempotent(recommender: Recommender, user_id: str) -> None:
    first = recommender.start_survey(user_id, 5, idempotency_key="s")
    assert recommender.start_survey(user_id, 5, idempotency_key="s") == first
    with pytest.raises(IdempotencyKeyReused):
        recommender.start_survey(user_id, 6, idempotency_key="s")
    assert recommender.start_survey(user_id + "2", 5, idempotency_key="s") != first
    for user, session_id in ((user_id + "2", first.session_id), (user_id, "no such survey")):
        with pytest.raises(UnknownSession):
            recommender.next_card(user, session_id)
    for size in (0, 100_000):
        with pytest.raises(InvalidRequest):
            recommender.start_survey(user_id, size)


def test_a_profile_tells_the_taste(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    assert recommender.profile(user_id).strategy == "generic"
    said = opinions(catalogue, SCI_FI, ROMANCE)
    tell(recommender, user_id, said)
    profile = recommender.profile(user_id)
    assert profile.strategy == "personal"
    assert profile.swipe_count == 20
    assert profile.top_genres[0].name == SCI_FI
    assert profile.avoided_genres[0].name == ROMANCE
    assert profile.preference_confidence > 0.5
    likes = [catalogue.get(item_id).title for item_id, said_ in said.items() if said_ == "like"]
    assert profile.recent_likes == tuple(likes[::-1][:10])


def test_a_profile_never_lags_behind_the_swipes(
    batching: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    """Batching delays learning for searches, never for a look at the profile."""
    updated = []
    for count, (item_id, direction) in enumerate(opinions(catalogue, SCI_FI, ROMANCE).items(), 1):
        receipt = batching.record_swipe(user_id, item_id, Direction(direction))
        updated.append(receipt.preferences_updated)
        if count % 7 == 0:
            profile = batching.profile(user_id)
            likes, dislikes, _ = standing(batching, user_id)
            assert profile.swipe_count == likes + dislikes == count
            stored = batching.export_user(user_id).preferences
            assert stored is not None
            assert (stored["like_count"], stored["dislike_count"]) == (likes, dislikes)
    assert not all(updated)
    assert any(updated)


def test_without_real_time_updates_learning_is_batched(
    build: Build, catalogue: Catalogue, user_id: str
) -> None:
    server = build(
        enable_real_time_updates=False,
        preference_update_policy="real_time",
        preference_update_batch_size=4,
    )
    said = opinions(catalogue, SCI_FI, ROMANCE, 13)
    updated = [
        server.record_swipe(user_id, item_id, Direction(direction)).preferences_updated
        for item_id, direction in said.items()
    ]
    assert updated == [True] + [False, False, False, True] * 3


def test_without_learning_everybody_is_a_stranger(
    build: Build, catalogue: Catalogue, user_id: str
) -> None:
    server = build(enable_preference_learning=False, enable_search_cache=False)
    for item_id, direction in opinions(catalogue, SCI_FI, ROMANCE, 16).items():
        assert not server.record_swipe(user_id, item_id, Direction(direction)).preferences_updated
    profile = server.profile(user_id)
    assert (profile.strategy, profile.preference_confidence) == ("generic", 0)
    assert (profile.swipe_count, profile.top_genres) == (16, ())
    assert server.export_user(user_id).preferences is None
    result = look(server, user_id, "a quiet night")
    assert result.intelligence_metadata.strategy == "generic"
    assert not any(item.preference_boost for item in result.items)


def test_servers_agree(
    recommender: Recommender, other_server: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    """Two processes over one database: a swipe in one is known to the other at once."""
    for number, (item_id, direction) in enumerate(opinions(catalogue, ROMANCE, SCI_FI, 18).items()):
        server = (recommender, other_server)[number % 2]
        server.record_swipe(user_id, item_id, Direction(direction))
    profiles = [server.profile(user_id) for server in (recommender, other_server)]
    assert profiles[0] == profiles[1]
    shown = look(recommender, user_id, "a rainy afternoon")
    assert look(other_server, user_id, "a rainy afternoon").cached
    gone = shown.items[0].item_id
    other_server.record_swipe(user_id, gone, DISLIKE)
    assert gone not in ids(look(recommender, user_id, "a rainy afternoon"))


def rows_that_mention(database: Database, text: str) -> dict[str, int]:
    """In how many rows of which tables a text occurs in any column."""
    counts = {}
    with database.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(select(*(cast(column, String) for column in table.c)))
            hits = sum(any(text in (value or "") for value in row) for row in rows)
            counts[table.name] = hits
    return {name: hits for name, hits in counts.items() if hits}


@pytest.fixture(scope="module")
def indexed(indexed_url: str) -> Iterator[Database]:
    database = Database(indexed_url)
    yield database
    database.close()


def test_export_holds_and_forget_erases_everything(
    recommender: Recommender,
    other_server: Recommender,
    catalogue: Catalogue,
    indexed: Database,
    user_id: str,
) -> None:
    queries = ["", "a clever movie", "robots in love", "something for tonight"]
    said = opinions(catalogue, SCI_FI, ROMANCE)
    session = recommender.start_survey(user_id, 4)
    for server in (recommender, other_server):
        tell(server, user_id, said)
        recommender.undo_swipe(user_id)
        for query in queries:
            look(server, user_id, query)
    export = recommender.export_user(user_id)
    assert [(e.item_id, e.action) for e in export.swipes[:20]] == list(said.items())
    assert [survey["session_id"] for survey in export.surveys] == [session.session_id]
    assert export.preferences is not None
    json.loads(export.model_dump_json())
    mentioned = rows_that_mention(indexed, user_id)
    remembered = {"search_cache", "embedding_cache"}
    assert mentioned.keys() == {"swipe_events", "user_preferences", "surveys"} | remembered
    assert mentioned["swipe_events"] == len(export.swipes)

    recommender.forget_user(user_id)
    assert rows_that_mention(indexed, user_id) == {}
    stranger = str(uuid.uuid4())
    for server in (recommender, other_server):
        with pytest.raises(UnknownUser):
            server.export_user(user_id)
        blank = server.profile(stranger).model_dump(exclude={"user_id"})
        assert server.profile(user_id).model_dump(exclude={"user_id"}) == blank
        for query in queries:
            mine, theirs = (look(server, user, query) for user in (user_id, stranger))
            assert ranking(mine) == ranking(theirs)
            assert not any(item.preference_boost for item in mine.items)
    recommender.forget_user(user_id)


def test_nothing_forgotten_comes_back_with_a_new_swipe(
    recommender: Recommender, other_server: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    """Also not from the memory of a server that did not do the forgetting."""
    tell(recommender, user_id, opinions(catalogue, SCI_FI, ROMANCE))
    assert other_server.profile(user_id).strategy == "personal"
    recommender.forget_user(user_id)
    for server in (other_server, recommender):
        server.record_swipe(user_id, next(iter(catalogue.rows)), LIKE)
        profile = server.profile(user_id)
        assert (profile.swipe_count, profile.strategy) == (1, "generic")
        assert profile.like_count == 1
        assert profile.preference_confidence < 0.1
        assert look(server, user_id, "stars").intelligence_metadata.strategy == "generic"


def test_an_undone_film_comes_back_at_once(recommender: Recommender, user_id: str) -> None:
    first = ids(look(recommender, user_id, "lonely machines", k=5))
    recommender.record_swipe(user_id, first[0], Direction.SKIP)
    assert first[0] not in ids(look(recommender, user_id, "lonely machines", k=5))
    recommender.undo_swipe(user_id)
    assert ids(look(recommender, user_id, "lonely machines", k=5)) == first


def test_what_another_release_cached_is_not_read(
    recommender: Recommender, stores: Stores, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender.record_swipe(user_id, "1214", Direction.LIKE)
    look(recommender, user_id, "robots", k=5)
    unreadable = CachedSearch('{"items": "of another form"}', ())
    monkeypatch.setattr(stores.searches, "get", lambda _key, _now: unreadable)
    assert not look(recommender, user_id, "robots", k=5).cached


def test_a_swipe_that_learns_after_the_user_was_forgotten_leaves_nothing(
    stores: Stores, encoder: TextEncoder, user_id: str
) -> None:
    recommender = Recommender(stores, encoder, RecommenderSettings())
    store = recommender._learner.store

    def forgotten_meanwhile(user: str, learned: UserPreferences) -> None:
        stores.swipes.erase(user)
        store(user, learned)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recommender._learner, "store", forgotten_meanwhile)
        recommender.record_swipe(user_id, "1214", Direction.LIKE)
    recommender.profile(user_id)
    assert stores.preferences.get(user_id) is None


def test_the_chosen_vector_strategy_counts_from_the_start(
    stores: Stores, encoder: TextEncoder, user_id: str
) -> None:
    Recommender(stores, encoder, RecommenderSettings()).record_swipe(
        user_id, "1214", Direction.LIKE
    )
    other = RecommenderSettings(preference_vector_strategy="contrastive")
    metrics = Recommender(stores, encoder, other).profile(user_id).transformer_metrics
    assert metrics.vector_strategy == "contrastive"
