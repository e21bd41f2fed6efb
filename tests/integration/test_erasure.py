"""A user who is erased is a stranger: nowhere in the database, and treated as nobody known."""

import pytest
from sqlalchemy import make_url

from recommender import Recommender
from recommender.errors import UnknownUser
from recommender.stores.ports import Stores
from recommender.stores.postgres import Database
from tests.integration.api_client import ApiClient, api
from tests.people import live, mentions, ranked

QUERIES = ("", "a lonely robot", "90s heist with a twist")
OF_PEOPLE = {
    "swipe_events",
    "user_preferences",
    "surveys",
    "exposures",
    "threads",
    "thread_records",
    "embedding_cache",
    "search_cache",
}


@pytest.fixture
def whole(indexed_url: str) -> Database:
    return Database(make_url(indexed_url).render_as_string(hide_password=False))


def test_nothing_of_an_erased_user_is_left(
    recommender: Recommender, stores: Stores, whole: Database, user_id: str
) -> None:
    live(recommender, stores, user_id)
    before = mentions(whole, user_id)
    assert {name for name, count in before.items() if count} == OF_PEOPLE
    assert ApiClient(api(recommender)).delete(f"/user/{user_id}").status_code == 204
    assert set(mentions(whole, user_id).values()) == {0}
    whole.close()
    with pytest.raises(UnknownUser):
        recommender.export_user(user_id)
    newcomer = f"new-{user_id}"
    for query in QUERIES:
        assert ranked(recommender, user_id, query) == ranked(recommender, newcomer, query)
    first = [recommender.start_survey(user, 10, seed=3).movies for user in (user_id, newcomer)]
    assert first[0] == first[1]
    forgotten, unknown = (recommender.profile(user) for user in (user_id, newcomer))
    assert forgotten.model_dump(exclude={"user_id"}) == unknown.model_dump(exclude={"user_id"})
