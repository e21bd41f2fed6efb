"""How much taste counts beside the words, and the way of searching, as a request may say."""

import pytest

from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.models import Item
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from tests.integration.viewers import ROMANCE, SCI_FI, films, ids, look, opinions, share, tell

QUERY = "a story of two people"
VARIANTS = ["embedding_fusion", "preference_vector"]


@pytest.fixture(scope="module")
def fan(recommender: Recommender, starter_items: list[Item]) -> str:
    """Somebody who swiped twenty cards for romance."""
    tell(recommender, "leaning-fan", opinions(Catalogue(starter_items), ROMANCE, SCI_FI))
    return "leaning-fan"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("query", ["", QUERY])
def test_the_more_taste_counts_the_more_it_shows(
    recommender: Recommender, fan: str, variant: str, query: str
) -> None:
    answers = [
        look(recommender, fan, query, variant=variant, taste=taste) for taste in (0, 0.5, 1, 2)
    ]
    loved = [share(films(recommender, answer), ROMANCE) for answer in answers]
    assert loved[0] <= loved[-1]
    assert loved[0] < 1
    told = [answer.intelligence_metadata.preference_influence for answer in answers]
    assert told == sorted(set(told))
    assert told[0] == 0
    assert told[-1] <= 1


def test_as_fitted_is_the_usual_answer(recommender: Recommender, fan: str) -> None:
    assert look(recommender, fan, QUERY, taste=1.0).items == look(recommender, fan, QUERY).items


def test_without_taste_no_reason_is_of_taste(recommender: Recommender, fan: str) -> None:
    answer = look(recommender, fan, QUERY, taste=0, explain=True)
    kinds = {fact.kind for item in answer.items for fact in item.evidence}
    assert not kinds & {"liked_film", "disliked_film", "genre", "tag"}
    assert all(item.preference_boost == 0 for item in answer.items)


@pytest.mark.parametrize("variant", ["generic", *VARIANTS])
def test_a_way_of_searching_can_be_asked_for(
    recommender: Recommender, fan: str, variant: str
) -> None:
    answer = look(recommender, fan, QUERY, variant=variant)
    assert answer.intelligence_metadata.variant == variant


def test_who_chose_a_variant_is_no_subject_of_the_experiment(
    stores: Stores, encoder: TextEncoder, user_id: str
) -> None:
    settings = RecommenderSettings(
        experiment_name="leaning", experiment_variants="generic=1,preference_vector=1"
    )
    trial = Recommender(stores, encoder, settings)
    look(trial, user_id, QUERY, variant="preference_vector")
    assert stores.exposures.of_user(user_id) == []
    assigned = look(trial, user_id, QUERY)
    assert [each.item_ids for each in stores.exposures.of_user(user_id)] == [tuple(ids(assigned))]
