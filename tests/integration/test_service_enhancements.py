"""The four ways in which taste enhances a search, switched on and off in the real service."""

import pytest

from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from recommender.text import index_terms, terms
from tests.integration.viewers import ROMANCE, SCI_FI, films, look, opinions, ranking, tell

SWITCHES = {
    "enhance_query_vector": False,
    "enhance_query_terms": True,
    "enhance_candidate_pool": True,
    "enhance_field_weights": True,
}
QUERY = "two brothers in the war"


@pytest.fixture(params=SWITCHES)
def switched(request: pytest.FixtureRequest, stores: Stores, encoder: TextEncoder) -> Recommender:
    """The service with one switch turned from its default."""
    settings = {request.param: SWITCHES[request.param], "search_variant": "preference_vector"}
    return Recommender(stores, encoder, RecommenderSettings.model_validate(settings))


@pytest.fixture
def usual(stores: Stores, encoder: TextEncoder) -> Recommender:
    return Recommender(stores, encoder, RecommenderSettings(search_variant="preference_vector"))


@pytest.fixture
def fan(usual: Recommender, starter_items: list[Item], user_id: str) -> str:
    tell(usual, user_id, opinions(Catalogue(starter_items), SCI_FI, ROMANCE))
    return user_id


def test_a_switch_changes_the_answer_and_reads_no_other_setting_s_cache(
    usual: Recommender, switched: Recommender, fan: str
) -> None:
    plain, other = look(usual, fan, QUERY, k=20), look(switched, fan, QUERY, k=20)
    assert not other.cached
    assert ranking(plain) != ranking(other)
    assert ranking(look(switched, fan, QUERY, k=20)) == ranking(other)
    assert len(other.items) == 20


def test_a_stranger_s_words_are_answered_whatever_is_switched(
    switched: Recommender, user_id: str
) -> None:
    result = look(switched, user_id, "Hitchcock", k=5)
    assert all("hitchcock" in index_terms(film) for film in films(switched, result))


def test_preferred_genres_are_no_words_of_the_user_s(
    stores: Stores, encoder: TextEncoder, fan: str
) -> None:
    """Who asks for a word that few films hold gets those first, not films of their genre."""
    settings = RecommenderSettings(enhance_query_terms=True, search_variant="preference_vector")
    hinted = Recommender(stores, encoder, settings)
    found = films(hinted, look(hinted, fan, "submarine", k=3))
    assert all(terms("submarine")[0] in index_terms(film) for film in found)
