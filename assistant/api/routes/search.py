"""Search: a person's words and taste against the catalogue, and why a film is there."""

from fastapi import APIRouter

from assistant.api import examples, kinds
from assistant.api.concurrency import Bulkhead, Bulkheads
from assistant.api.dependencies import Service
from assistant.api.documentation import EVERY_ROUTE, WITH_BODY, answers
from assistant.api.identity import UserRoute
from assistant.api.schemas import ExplainIn, SearchIn
from recommender.models import Explanation, SearchResult


class ExplanationRoute(UserRoute):
    """A route whose answer a hosted model may have to word first."""

    def bulkhead(self, bulkheads: Bulkheads) -> Bulkhead:
        """That of explanations."""
        return bulkheads.explanations


router = APIRouter(tags=["search"], route_class=UserRoute)
explanations = APIRouter(tags=["search"], route_class=ExplanationRoute)


@router.post(
    "/search",
    responses=answers(
        examples.SEARCH_RESULT,
        *WITH_BODY,
        *EVERY_ROUTE,
        kinds.UNKNOWN_ITEM,
    ),
)
def search(body: SearchIn, service: Service) -> SearchResult:
    """Rank the catalogue for this person and these words; nothing asked means "recommend me"."""
    return service.search(body.request())


@explanations.post(
    "/explain",
    responses=answers(
        examples.EXPLANATION,
        *WITH_BODY,
        *EVERY_ROUTE,
        kinds.UNKNOWN_ITEM,
    ),
)
def explain(body: ExplainIn, service: Service) -> Explanation:
    """Say why a film suits this person and query; every sentence rests on the evidence."""
    return service.explain(body.user_id, body.item_id, body.query or "")
