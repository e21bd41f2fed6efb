"""What the service counts, on real traffic: each figure that an alarm or the dashboard divides."""

from collections.abc import Callable

import pytest

from fusion.errors import EncoderUnavailable
from recommender import Recommender
from recommender.errors import StoreUnavailable, UnknownItem
from recommender.models import Direction, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from tests.counting import Gains

LIKE, DISLIKE, SKIP = Direction.LIKE, Direction.DISLIKE, Direction.SKIP


def unavailable(*_: object, **__: object) -> None:
    raise StoreUnavailable


@pytest.fixture
def gains() -> Gains:
    return Gains()


def ask(recommender: Recommender, user_id: str, query: str = "a heist", k: int = 5) -> list[str]:
    result = recommender.search(SearchRequest(user_id=user_id, query=query, k=k))
    return [item.item_id for item in result.items]


def test_searches_are_timed_by_strategy_and_cache(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    query = f"a heist with {user_id}"
    ask(recommender, user_id, query)
    ask(recommender, user_id, query)
    count = "reelwise_search_seconds_count"
    assert gains(count, strategy="generic", cached="false") == 1
    assert gains(count, strategy="generic", cached="true") == 1
    assert gains(count) == 2
    assert gains("reelwise_embedding_cache_total", outcome="miss") >= 1
    assert gains("reelwise_inferences_total", outcome="failed") == 0
    assert gains("reelwise_inferences_total", part="fusion", outcome="made") == 1
    assert gains("reelwise_step_seconds_count", step="fuse") == 1


def test_a_search_that_fails_is_an_error_and_one_that_is_refused_is_none(
    recommender: Recommender, user_id: str, gains: Gains, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownItem):
        recommender.search(SearchRequest(user_id=user_id, similar_to=("no-such-film",)))
    assert gains("reelwise_search_failures_total") == 0
    monkeypatch.setattr(recommender._users, "get", unavailable)
    with pytest.raises(StoreUnavailable):
        ask(recommender, user_id)
    assert gains("reelwise_search_failures_total", error="StoreUnavailable") == 1
    assert gains("reelwise_search_seconds_count") == 0


def test_an_encoder_that_fails_is_counted(
    recommender: Recommender, user_id: str, gains: Gains, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise EncoderUnavailable("broken")

    fusion = recommender._engine._embedder._fusions["embedding_fusion"].encoder
    monkeypatch.setattr(fusion, "fuse", fail)
    ask(recommender, user_id, f"words of {user_id}")
    assert gains("reelwise_inferences_total", part="fusion", outcome="failed") == 1
    assert gains("reelwise_fallbacks_total", part="fusion") == 1


def test_learning_is_counted_with_its_confidence_and_its_failures(
    recommender: Recommender, user_id: str, gains: Gains, monkeypatch: pytest.MonkeyPatch
) -> None:
    recommender.record_swipe(user_id, "6", LIKE)
    assert gains("reelwise_preference_updates_total", outcome="learned") == 1
    assert gains("reelwise_preference_confidence_count") == 1
    monkeypatch.setattr(recommender._learner._store, "put", unavailable)
    recommender.record_swipe(user_id, "1214", DISLIKE)
    assert gains("reelwise_preference_updates_total", outcome="failed") == 1
    assert gains("reelwise_fallbacks_total", part="learning") == 1
    assert gains("reelwise_swipes_total", direction="like") == 1
    assert gains("reelwise_swipes_total", direction="dislike") == 1


def answer_the_first_cards(recommender: Recommender, user_id: str) -> None:
    """As a client does that goes through the films it got at the start."""
    session = recommender.start_survey(user_id, 3, idempotency_key="start")
    recommender.start_survey(user_id, 3, idempotency_key="start")
    for movie in session.movies:
        recommender.record_swipe(user_id, movie.item_id, LIKE, session_id=session.session_id)


def answer_what_comes_next(recommender: Recommender, user_id: str) -> None:
    """As the chat does, looking once more at the end."""
    session_id = recommender.start_survey(user_id, 3).session_id
    while movie := recommender.next_card(user_id, session_id).movie:
        recommender.record_swipe(user_id, movie.item_id, SKIP, session_id=session_id)
    recommender.next_card(user_id, session_id)


@pytest.mark.parametrize("answer", [answer_the_first_cards, answer_what_comes_next])
def test_a_survey_is_started_and_completed_once(
    recommender: Recommender,
    user_id: str,
    gains: Gains,
    answer: Callable[[Recommender, str], None],
) -> None:
    answer(recommender, user_id)
    assert gains("reelwise_surveys_total", event="started") == 1
    assert gains("reelwise_surveys_total", event="completed") == 1


def test_a_survey_given_up_is_not_completed(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    session = recommender.start_survey(user_id, 3)
    for movie in session.movies[:2]:
        recommender.record_swipe(user_id, movie.item_id, LIKE, session_id=session.session_id)
    recommender.next_card(user_id, session.session_id)
    assert gains("reelwise_surveys_total", event="started") == 1
    assert gains("reelwise_surveys_total", event="completed") == 0


def test_a_swipe_counts_though_its_survey_cannot_be_read(
    recommender: Recommender, user_id: str, gains: Gains, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = recommender.start_survey(user_id, 1)
    film = session.movies[0].item_id
    monkeypatch.setattr(recommender._stores.surveys, "get", unavailable)
    receipt = recommender.record_swipe(user_id, film, LIKE, session_id=session.session_id)
    assert receipt.swipe_count == 1
    assert gains("reelwise_fallbacks_total", part="survey") == 1


def test_opinions_of_shown_films_count_for_the_answer_that_showed_them(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    first, second, third, *_ = ask(recommender, user_id)
    recommender.record_swipe(user_id, first, LIKE)
    recommender.record_swipe(user_id, second, DISLIKE)
    recommender.record_swipe(user_id, third, SKIP)
    shown = {"strategy": "generic", "variant": "embedding_fusion"}
    assert gains("reelwise_answers_total", **shown) == 1
    assert gains("reelwise_reactions_total", direction="like", **shown) == 1
    assert gains("reelwise_reactions_total", direction="dislike", **shown) == 1
    assert gains("reelwise_reactions_total") == 2, "a skip says nothing"


def test_opinions_of_other_films_count_for_no_answer(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    shown = ask(recommender, user_id)
    other = next(film.item_id for film in recommender.films() if film.item_id not in shown)
    recommender.record_swipe(user_id, other, LIKE)
    recommender.record_swipe(f"{user_id}-friend", shown[0], LIKE)
    recommender.forget_user(user_id)
    recommender.record_swipe(user_id, shown[1], LIKE)
    assert gains("reelwise_reactions_total") == 0


def test_the_latest_answer_gets_the_reaction(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    for film in recommender.films()[:15]:
        recommender.record_swipe(user_id, film.item_id, LIKE if (film.year or 0) % 2 else DISLIKE)
    shown = ask(recommender, user_id, k=3)
    recommender.record_swipe(user_id, shown[0], LIKE)
    assert gains("reelwise_reactions_total", strategy="personal", direction="like") == 1


def test_explanations_are_timed_by_who_wrote_them(
    recommender: Recommender, user_id: str, gains: Gains
) -> None:
    explanation = recommender.explain(user_id, "6", "a heist")
    assert gains("reelwise_explanation_seconds_count", model=explanation.model) == 1


def test_a_variant_that_knows_nobody_answers_generically(
    recommender: Recommender, stores: Stores, user_id: str, gains: Gains
) -> None:
    settings = RecommenderSettings(search_variant="generic")
    generic = Recommender(stores, recommender._encoder, settings)
    ask(generic, user_id)
    assert gains("reelwise_answers_total", strategy="generic", variant="generic") == 1
