"""Searches whose words and swipes an encoder fuses, on PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable
from fusion.fake import BlendFusionEncoder
from fusion.fusion_encoder import Fused, FusionInput
from fusion.item_space import ItemSpace
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import UnknownUser
from recommender.indexer import STARTER_VECTORS, read_vectors, sync_index
from recommender.models import Direction, Filters, Item, SearchResult
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database, postgres_stores
from recommender.stores.postgres.schema import embedding_cache, search_cache, swipe_events
from tests.conftest import new_database
from tests.integration.viewers import (
    ROMANCE,
    SCI_FI,
    films,
    ids,
    look,
    opinions,
    ranking,
    share,
    tell,
)
from tests.models_folder import text_space

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALIEN = "1214"
WORDS = "lonely robots far from home"


def elsewhere() -> ItemSpace:
    """The text space with its axes turned by one: what is near in one is not in the other."""
    space = text_space()
    turned = np.roll(space.projection.weights, 1, axis=1)
    return replace(space, projection=replace(space.projection, weights=turned), version="turned")


class Turned:
    """The words' vectors among films that are elsewhere."""

    def __init__(self, words: TextEncoder) -> None:
        self._words = words
        self.dim = words.dim
        self.remote = words.remote
        self.model_version = words.model_version

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = np.roll(self._words.encode(texts), 1, axis=1)
        return vectors


class Fusion(BlendFusionEncoder):
    """The blend, which can be taken down and notes what it is asked."""

    def __init__(self, words: TextEncoder, model_version: str = "blend-1") -> None:
        super().__init__(Turned(words))
        self.model_version = model_version
        self.down = False
        self.asked: list[FusionInput] = []

    def fuse(self, asked: FusionInput) -> Fused:
        if self.down:
            raise EncoderUnavailable("taken down by a test")
        self.asked.append(asked)
        return super().fuse(asked)


class Clock:
    """A clock that stands until it is put forward."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def database(
    postgres_url: str, indexed_template: str, encoder: TextEncoder, starter_items: list[Item]
) -> Iterator[Database]:
    """The starter catalogue with its place elsewhere."""
    with new_database(postgres_url, indexed_template) as url:
        database = Database(url)
        store = postgres_stores(database, max_cache_entries=10_000).items
        known = read_vectors(STARTER_VECTORS)
        sync_index(starter_items, store, encoder, lambda _done, _total: None, known, elsewhere())
        yield database
        database.close()


@pytest.fixture(scope="module")
def stores(database: Database) -> Stores:
    return postgres_stores(database, max_cache_entries=10_000)


@pytest.fixture(scope="module")
def fusion(encoder: TextEncoder) -> Fusion:
    return Fusion(encoder)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _afresh(fusion: Fusion, clock: Clock, database: Database) -> None:
    """Nothing is asked, down or remembered when a test begins."""
    fusion.down = False
    fusion.asked.clear()
    clock.now = START
    with database.transaction() as connection:
        connection.execute(embedding_cache.delete())
        connection.execute(search_cache.delete())


Serve = Callable[..., Recommender]


@pytest.fixture(scope="module")
def serve(stores: Stores, encoder: TextEncoder, fusion: Fusion, clock: Clock) -> Serve:
    """A service with these settings; each answer is made anew, embeddings are remembered."""
    services: dict[str, Recommender] = {}

    def served(made: Fusion = fusion, **settings: object) -> Recommender:
        chosen = RecommenderSettings.model_validate({"enable_search_cache": False} | settings)
        name = f"{id(made)} {chosen}"
        if name not in services:
            services[name] = Recommender(stores, encoder, chosen, clock, {"embedding_fusion": made})
        return services[name]

    return served


@pytest.fixture(scope="module")
def fan(starter_items: list[Item]) -> dict[str, str]:
    """What a lover of science fiction says of twenty films."""
    return opinions(Catalogue(starter_items), SCI_FI, ROMANCE)


def log(database: Database, user_id: str, said: Iterable[tuple[str, str]]) -> None:
    """Swipes of the past, written at once."""
    rows = [
        {"user_id": user_id, "item_id": item_id, "action": action, "swiped_at": START}
        for item_id, action in said
    ]
    with database.transaction() as connection:
        connection.execute(swipe_events.insert(), rows)


@pytest.fixture
def fan_id(user_id: str, database: Database, fan: dict[str, str]) -> str:
    """Somebody who said it."""
    log(database, user_id, fan.items())
    return user_id


def whole(result: SearchResult, k: int = 10) -> None:
    """The answer is complete, in order, and made without lack."""
    scores = [score for _, score in ranking(result)]
    assert len(scores) == k
    assert np.isfinite(scores).all()
    assert result.intelligence_metadata.degraded == ()
    assert result.intelligence_metadata.variant == "embedding_fusion"


def test_the_films_are_those_nearest_in_the_fused_space(
    serve: Serve, stores: Stores, fusion: Fusion, fan_id: str, fan: dict[str, str]
) -> None:
    alone = {"fused_likeness": 0, "fused_bm25": 0, "soft_genre": 0}
    service = serve(ranking=alone, mmr_lambda=1)
    result = look(service, fan_id, WORDS, k=10)
    whole(result)
    vector = fusion.fuse(fusion.asked[-1]).vector
    hits = stores.items.nearest(vector, 10, Filters(), list(fan), "fused")
    assert ids(result) == [hit.item_id for hit in hits]
    among_texts = stores.items.nearest(vector, 10, Filters(), list(fan), "text")
    assert not {hit.item_id for hit in hits} <= {hit.item_id for hit in among_texts}


def test_taste_turns_the_answer(serve: Serve, user_id: str, fan: dict[str, str]) -> None:
    service = serve()
    before = look(service, user_id, "a film about friendship", k=10)
    assert before.intelligence_metadata.preference_influence == 0
    tell(service, user_id, fan)
    after = look(service, user_id, "a film about friendship", k=10)
    whole(after)
    assert after.intelligence_metadata.preference_influence > 0
    assert share(films(service, after), SCI_FI) > share(films(service, before), SCI_FI)
    assert any(item.preference_boost for item in after.items)


def test_an_answer_names_the_model_that_fused(serve: Serve, user_id: str) -> None:
    assert look(serve(), user_id, WORDS).model_version == "blend-1"


def test_without_the_fusion_the_vectors_are_blended_and_the_answer_says_so(
    serve: Serve, fusion: Fusion, fan_id: str
) -> None:
    service = serve(enable_search_cache=True)
    fusion.down = True
    for _ in range(2):
        result = look(service, fan_id, WORDS, k=10)
        assert result.intelligence_metadata.degraded == ("fusion",)
        assert result.intelligence_metadata.variant == "preference_vector"
        assert not result.cached
        assert len(result.items) == 10
        assert any(item.preference_boost for item in result.items)
    fusion.down = False
    mended = look(service, fan_id, WORDS, k=10)
    whole(mended)
    assert not mended.cached
    assert look(service, fan_id, WORDS, k=10).cached


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ((), 0),
        (("like",) * 3, 0),
        (("dislike",) * 20, 20),
        (("skip",) * 20, 0),
        (("like", "skip", "dislike", "like") * 5, 15),
    ],
    ids=["none", "too few", "only dislikes", "only skips", "of each"],
)
@pytest.mark.parametrize("query", ["", WORDS], ids=["no words", "words"])
def test_any_swipes_are_fused(
    serve: Serve,
    database: Database,
    fusion: Fusion,
    starter_items: list[Item],
    user_id: str,
    said: tuple[str, ...],
    read: int,
    query: str,
) -> None:
    if said:
        log(database, user_id, zip([i.item_id for i in starter_items], said, strict=False))
    whole(look(serve(), user_id, query, k=10))
    assert len(fusion.asked[-1].swipes) == read
    assert [film.liked for film in fusion.asked[-1].swipes] == [
        word == "like" for word in said[: 20 if read else 0] if word != "skip"
    ]


def test_films_that_are_gone_are_passed_over(
    serve: Serve, database: Database, fusion: Fusion, user_id: str, fan: dict[str, str]
) -> None:
    log(database, user_id, ({"no-such-film": "like"} | fan | {"another": "dislike"}).items())
    whole(look(serve(), user_id, WORDS, k=10))
    assert [film.item_id for film in fusion.asked[-1].swipes] == list(fan)


def test_of_5000_swipes_the_latest_are_fused(
    serve: Serve, database: Database, fusion: Fusion, starter_items: list[Item], user_id: str
) -> None:
    swiped = [starter_items[number % 1500].item_id for number in range(5000)]
    log(database, user_id, ((item_id, "like") for item_id in swiped))
    whole(look(serve(), user_id, WORDS, k=10))
    assert [film.item_id for film in fusion.asked[-1].swipes] == swiped[-128:]


@pytest.mark.parametrize(
    "query",
    ["robots " * 1428, "un film d'amour à Paris", "七人の侍", "فيلم رومانسي قديم", "🎬🍿", "\x00"],
    ids=["10,000 letters", "French", "Japanese", "Arabic", "emoji", "nul"],
)
def test_any_query_is_fused(serve: Serve, fan_id: str, query: str) -> None:
    service = serve()
    whole(look(service, fan_id, query, k=10))


def test_named_films_are_asked_with_in_the_place_of_the_persons_own(
    serve: Serve, fusion: Fusion, fan_id: str
) -> None:
    service = serve()
    said = [look(service, fan_id, "films like Alien"), look(service, fan_id, similar_to=[ALIEN])]
    for result in said:
        assert result.understood.similar_to == (ALIEN,)
        assert ALIEN not in ids(result)
        assert ids(result)[0] == "1200", "the sequel"
    for asked in fusion.asked:
        assert [(film.item_id, film.liked) for film in asked.swipes] == [(ALIEN, True)]


def test_where_films_are_named_no_reason_speaks_of_the_taste_that_they_stand_for(
    serve: Serve, fan_id: str
) -> None:
    service = serve()
    kinds = {"liked_film", "disliked_film", "co_liked", "genre", "tag"}
    usual = look(service, fan_id, "", explain=True)
    assert kinds & {each.kind for item in usual.items for each in item.evidence}
    named = look(service, fan_id, "films like Alien", explain=True)
    assert named.intelligence_metadata.preference_influence == 0
    assert not kinds & {each.kind for item in named.items for each in item.evidence}
    told = look(service, fan_id, "films like Alien", explain=True, history=({"item_id": "6"},))
    spoken = [e for item in told.items for e in item.evidence if e.kind in kinds]
    assert {each.item_id for each in spoken} <= {"6"}
    explained = service.explain(fan_id, named.items[0].item_id, "films like Alien")
    assert not kinds & {each.kind for each in explained.evidence}


def test_for_someone_else_weighs_the_persons_swipes_but_not_the_named_films(
    serve: Serve, fusion: Fusion, fan_id: str
) -> None:
    service = serve()
    own = look(service, fan_id, "a comedy")
    others = look(service, fan_id, "a comedy for a friend")
    told = look(service, fan_id, "a comedy", for_someone_else=True)
    assert [asked.for_someone_else for asked in fusion.asked] == [False, True]
    assert ids(others) == ids(told) != ids(own)
    influences = [r.intelligence_metadata.preference_influence for r in (own, others)]
    assert influences[0] > influences[1]
    look(service, fan_id, "films like Alien for my dad")
    assert not fusion.asked[-1].for_someone_else


def test_explore_reaches_the_encoder_and_is_part_of_what_is_remembered(
    serve: Serve, fusion: Fusion, fan_id: str
) -> None:
    service = serve(explore=0.4)
    for query, asked in [
        (WORDS, {}),
        (WORDS, {"explore": 0.0}),
        (WORDS, {"explore": 0.9}),
        ("", {}),
        ("", {"explore": 0.4}),
        ("", {"explore": 0.0}),
    ]:
        look(service, fan_id, query, **asked)
    assert [asked.explore for asked in fusion.asked] == [0.0, 0.9, 0.4, 0.0]


@pytest.mark.parametrize("asked", [{"explore": 0.9}, {"for_someone_else": True}])
def test_what_is_asked_besides_words_is_part_of_a_remembered_answer(
    serve: Serve, user_id: str, asked: dict[str, object]
) -> None:
    service = serve(enable_search_cache=True)
    assert not look(service, user_id, WORDS).cached
    assert not look(service, user_id, WORDS, **asked).cached
    assert look(service, user_id, WORDS, **asked).cached
    assert look(service, user_id, WORDS).cached


@pytest.mark.parametrize(("threshold", "seconds"), [(0.0, 1800), (1.0, 900)])
def test_a_fused_vector_is_remembered_for_longer_the_surer_the_taste(
    serve: Serve,
    clock: Clock,
    fusion: Fusion,
    fan_id: str,
    threshold: float,
    seconds: int,
) -> None:
    service = serve(preference_confidence_threshold=threshold)
    first = look(service, fan_id, WORDS)
    assert not first.intelligence_metadata.embedding_cached
    clock.now = START + timedelta(seconds=seconds - 1)
    again = look(service, fan_id, WORDS)
    assert again.intelligence_metadata.embedding_cached
    assert again.intelligence_metadata.transformer_latency_ms == 0
    assert again.items == first.items
    clock.now = START + timedelta(seconds=seconds)
    assert not look(service, fan_id, WORDS).intelligence_metadata.embedding_cached
    assert len(fusion.asked) == 2


def test_a_swipe_is_never_answered_with_the_vector_of_before(serve: Serve, fan_id: str) -> None:
    service = serve()
    look(service, fan_id, WORDS)
    service.record_swipe(fan_id, ALIEN, Direction.DISLIKE)
    assert not look(service, fan_id, WORDS).intelligence_metadata.embedding_cached
    assert look(service, fan_id, WORDS).intelligence_metadata.embedding_cached


def test_swipes_that_wait_for_their_batch_are_not_fused(
    serve: Serve, fusion: Fusion, starter_items: list[Item], user_id: str, fan: dict[str, str]
) -> None:
    service = serve(preference_update_policy="batch", preference_update_batch_size=5)
    tell(service, user_id, fan)
    learned = service.profile(user_id)
    look(service, user_id, WORDS)
    fresh = [item.item_id for item in starter_items if item.item_id not in fan][:5]
    tell(service, user_id, dict.fromkeys(fresh[:4], "dislike"))
    waiting = look(service, user_id, WORDS)
    assert waiting.intelligence_metadata.embedding_cached
    assert [film.item_id for film in fusion.asked[-1].swipes] == list(fan)
    tell(service, user_id, {fresh[4]: "dislike"})
    renewed = look(service, user_id, WORDS)
    assert not renewed.intelligence_metadata.embedding_cached
    assert [film.item_id for film in fusion.asked[-1].swipes] == [*fan, *fresh]
    assert service.profile(user_id).swipe_count == learned.swipe_count + 5


def test_whoever_is_nobody_yet_shares_what_was_fused(
    serve: Serve, fusion: Fusion, user_id: str
) -> None:
    service = serve()
    query = f"a film that only {user_id} asks for"
    look(service, user_id, query)
    assert look(service, f"not-{user_id}", query).intelligence_metadata.embedding_cached
    look(service, user_id, f"{query} like Alien")
    anchored = look(service, f"not-{user_id}", f"{query} like Alien")
    assert anchored.intelligence_metadata.embedding_cached
    assert len(fusion.asked) == 2


def test_a_taste_is_nobody_elses(
    serve: Serve, database: Database, user_id: str, fan: dict[str, str]
) -> None:
    for person in (user_id, f"not-{user_id}"):
        log(database, person, fan.items())
        result = look(serve(), person, WORDS)
        assert not result.intelligence_metadata.embedding_cached


def test_what_is_forgotten_is_not_remembered_as_a_vector(
    serve: Serve, database: Database, user_id: str, fan: dict[str, str]
) -> None:
    service = serve()
    log(database, user_id, fan.items())
    look(service, user_id, WORDS)
    service.forget_user(user_id)
    with pytest.raises(UnknownUser):
        service.export_user(user_id)
    with database.connect() as connection:
        kept = connection.exec_driver_sql(
            "SELECT count(*) FROM embedding_cache WHERE owner = %s", (user_id,)
        )
        assert kept.scalar() == 0
    log(database, user_id, fan.items())
    assert not look(service, user_id, WORDS).intelligence_metadata.embedding_cached


class TestWarming:
    """Vectors that are embedded ahead."""

    QUERIES = ("a heist film", "films like Alien", "", "something funny for my kids")

    def test_what_was_warmed_is_found(self, serve: Serve, fusion: Fusion, fan_id: str) -> None:
        service = serve()
        cold = [look(serve(enable_embedding_cache=False), fan_id, q).items for q in self.QUERIES]
        assert "failed" not in list(service.warm(fan_id, self.QUERIES))
        asked = len(fusion.asked)
        for query, items in zip(self.QUERIES, cold, strict=True):
            result = look(service, fan_id, query)
            assert result.intelligence_metadata.embedding_cached
            assert result.items == items
        assert len(fusion.asked) == asked
        assert set(service.warm(fan_id, self.QUERIES)) == {"known"}

    def test_whoever_is_new_finds_what_was_warmed_for_all(self, serve: Serve, user_id: str) -> None:
        service = serve()
        assert list(service.warm(None, self.QUERIES)) == ["made"] * 4
        for query in self.QUERIES:
            assert look(service, user_id, query).intelligence_metadata.embedding_cached

    def test_a_model_never_reads_what_another_made(
        self, serve: Serve, encoder: TextEncoder, fan_id: str
    ) -> None:
        old, new = Fusion(encoder, "old"), Fusion(encoder, "new")
        before, after = serve(old), serve(new)
        assert list(before.warm(fan_id, self.QUERIES)) == ["made"] * 4
        assert list(after.warm(fan_id, self.QUERIES)) == ["made"] * 4
        assert len(new.asked) == 4
        for query in self.QUERIES:
            assert look(after, fan_id, query).intelligence_metadata.embedding_cached
            assert look(before, fan_id, query).intelligence_metadata.embedding_cached

    def test_what_cannot_be_made_is_said(self, serve: Serve, fusion: Fusion, user_id: str) -> None:
        fusion.down = True
        query = f"a film about {user_id}"
        assert list(serve().warm(user_id, [query])) == ["failed"]

    def test_the_latest_users_are_known(
        self, serve: Serve, user_id: str, fan: dict[str, str]
    ) -> None:
        service = serve()
        people = [f"{user_id}-{number}" for number in range(3)]
        for person in people:
            tell(service, person, dict([next(iter(fan.items()))]))
        service.record_swipe(people[0], ALIEN, Direction.LIKE)
        assert service.recent_users(3) == [people[0], people[2], people[1]]


def test_nobody_waits_for_a_survey_that_is_prepared(
    serve: Serve, fusion: Fusion, user_id: str
) -> None:
    service = serve(survey_size=19)  # no other test's, which may have had a survey
    service.prepare()
    assert fusion.asked
    fusion.asked.clear()
    service.start_survey(user_id)
    assert not fusion.asked
