"""People who have done everything that leaves something stored of them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import inspect, text

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.models import SearchRequest, UserExport
from recommender.stores.ports import NewExposure, Stores, ThreadRecord
from recommender.stores.postgres import Database
from tests.integration.viewers import ROMANCE, SCI_FI, look, opinions, tell

STILL = datetime(2026, 6, 1, tzinfo=UTC)


def live(recommender: Recommender, stores: Stores, user_id: str) -> UserExport:
    """Swipe, answer cards, search, be part of an experiment and talk; all that is stored of it."""
    survey = recommender.start_survey(user_id, 5, seed=1, idempotency_key="cards")
    tell(recommender, user_id, opinions(Catalogue(recommender.films()), SCI_FI, ROMANCE))
    recommender.next_card(user_id, survey.session_id)
    recommender.undo_swipe(user_id)
    look(recommender, user_id, "a lonely robot")
    stores.exposures.append(NewExposure("test", user_id, "generic", ("1", "2")))
    stores.conversations.name(f"thread of {user_id}", user_id, "Robots", {"turns": 1})
    stores.conversations.put(
        user_id, ThreadRecord(f"step of {user_id}", f"thread of {user_id}", "step", {"by": user_id})
    )
    return recommender.export_user(user_id)


def kept(export: UserExport) -> Mapping[str, object]:
    """An export without what is learned anew from it and when it was made."""
    return export.model_dump(exclude={"exported_at", "preferences"})


def mentions(database: Database, words: str) -> dict[str, int]:
    """In how many rows of each table of the database some words stand, in whatever column."""
    with database.connect() as connection:
        names = inspect(connection).get_table_names()
        return {
            name: connection.execute(
                text(f'SELECT count(*) FROM "{name}" AS each WHERE strpos(each::text, :words) > 0'),  # noqa: S608
                {"words": words},
            ).scalar_one()
            for name in names
        }


def ranked(recommender: Recommender, user_id: str, query: str) -> list[tuple[str, float]]:
    """Films and scores of an answer that is all computed now."""
    answer = recommender.search(SearchRequest(user_id=user_id, query=query, k=30))
    return [(item.item_id, item.score) for item in answer.items]
