"""Searches that say what somebody likes and dislikes, without swiping it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import UnknownItem
from recommender.models import Item, SearchRequest
from tests.integration.viewers import ROMANCE, SCI_FI, films, ids, look, opinions, share, tell

ALIEN, TERMINATOR, NOTTING_HILL = "1214", "1240", "2671"


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def fan(recommender: Recommender, catalogue: Catalogue) -> str:
    """Somebody who swiped twenty cards for romance."""
    tell(recommender, "mentions-fan", opinions(catalogue, ROMANCE, SCI_FI))
    return "mentions-fan"


def test_two_films_make_a_strangers_answer_their_own(recommender: Recommender) -> None:
    nobody = look(recommender, "mentions-nobody")
    told = look(recommender, "mentions-nobody", history=[{"item_id": i} for i in (ALIEN, "589")])
    assert told.intelligence_metadata.strategy == "light"
    assert told.intelligence_metadata.preference_influence > 0
    assert share(films(recommender, told), SCI_FI) > share(films(recommender, nobody), SCI_FI)
    assert not {ALIEN, "589"} & {*ids(told)}


def test_likes_and_dislikes_of_the_same_films_lead_apart(recommender: Recommender) -> None:
    likes = [{"item_id": i} for i in (ALIEN, TERMINATOR, "589")]
    loved = look(recommender, "mentions-nobody", history=likes)
    hated = look(recommender, "mentions-nobody", dislikes=[m["item_id"] for m in likes])
    assert share(films(recommender, loved), SCI_FI) > share(films(recommender, hated), SCI_FI)
    assert not {ALIEN, TERMINATOR, "589"} & {*ids(hated)}


def test_reasons_name_what_was_mentioned(recommender: Recommender) -> None:
    told = look(recommender, "mentions-nobody", history=[{"item_id": ALIEN}], explain=True)
    facts = [fact for item in told.items for fact in item.evidence]
    named = [fact for fact in facts if fact.kind == "liked_film"]
    assert {fact.item_id for fact in named} == {ALIEN}
    assert all(", which you mentioned liking" in fact.text for fact in named)
    counts = [fact.text for fact in facts if fact.kind in ("genre", "tag")]
    assert counts
    assert all(text.endswith("(liked 1 of 1 swiped or mentioned)") for text in counts)


def test_what_was_swiped_is_not_called_mentioned(recommender: Recommender, fan: str) -> None:
    told = look(recommender, fan, history=[{"item_id": ALIEN}], explain=True)
    facts = [fact for item in told.items for fact in item.evidence]
    films_named = {f.item_id for f in facts if "mentioned lik" in f.text}
    assert films_named <= {ALIEN}
    assert any(f.kind == "liked_film" and f.item_id not in films_named for f in facts)


def test_an_answer_is_remembered_for_the_same_mentions_alone(recommender: Recommender) -> None:
    asked = "mentions-cached", "a spaceship"
    first = look(recommender, *asked, history=[{"item_id": ALIEN}])
    again = look(recommender, *asked, history=[{"item_id": ALIEN}])
    assert (first.cached, again.cached, again.items) == (False, True, first.items)
    turned = [{"item_id": ALIEN, "direction": "dislike"}]
    for other in (turned, [{"item_id": TERMINATOR}], []):
        answer = look(recommender, *asked, history=other)
        assert not answer.cached
        assert answer.items != first.items


def test_the_last_word_on_a_film_counts(recommender: Recommender) -> None:
    said = [{"item_id": ALIEN}, {"item_id": ALIEN, "direction": "dislike"}]
    after = look(recommender, "mentions-nobody", history=said)
    assert ids(after) == ids(look(recommender, "mentions-nobody", dislikes=[ALIEN]))


def test_taste_can_be_left_out_once(recommender: Recommender, fan: str) -> None:
    own, without = look(recommender, fan), look(recommender, fan, use_taste=False, explain=True)
    assert without.intelligence_metadata.strategy == "generic"
    assert without.intelligence_metadata.preference_influence == 0
    assert share(films(recommender, without), ROMANCE) < share(films(recommender, own), ROMANCE)
    swiped = {event.item_id for event in recommender.export_user(fan).swipes}
    assert not swiped & {*ids(without)}
    about = {fact.item_id for item in without.items for fact in item.evidence}
    assert not swiped & about
    assert look(recommender, fan).items == own.items


def test_mentions_join_the_swipes(recommender: Recommender, fan: str) -> None:
    own = look(recommender, fan)
    told = look(recommender, fan, history=[{"item_id": i} for i in (ALIEN, TERMINATOR, "589")])
    assert told.intelligence_metadata.strategy == "personal"
    assert ids(told) != ids(own)


@pytest.mark.parametrize("where", ["dislikes", "history", "similar_to"])
def test_unknown_films_are_named(recommender: Recommender, where: str) -> None:
    said: object = [{"item_id": "no-film"}] if where == "history" else ["no-film"]
    with pytest.raises(UnknownItem, match="'no-film'"):
        look(recommender, "mentions-nobody", "", **{where: said})


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_nothing_of_it_is_kept(
    recommender: Recommender, catalogue: Catalogue, fan: str, data: st.DataObject
) -> None:
    film = st.sampled_from([item.item_id for item in catalogue.items])
    said = st.fixed_dictionaries(
        {"item_id": film, "direction": st.sampled_from(["like", "dislike"])}
    )
    before = recommender.profile(fan), recommender.export_user(fan).swipes
    request = SearchRequest.model_validate(
        {
            "user_id": fan,
            "query": data.draw(st.sampled_from(["", "a clever movie"])),
            "history": data.draw(st.lists(said, max_size=8)),
            "dislikes": data.draw(st.lists(film, max_size=5)),
            "use_taste": data.draw(st.booleans()),
        }
    )
    result = recommender.search(request)
    assert not request.mentions.keys() & {*ids(result)}
    assert (recommender.profile(fan), recommender.export_user(fan).swipes) == before
