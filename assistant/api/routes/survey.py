"""Surveys: the cards from which a taste is learned."""

from typing import Annotated

from fastapi import APIRouter, Query

from assistant.api import examples, kinds
from assistant.api.dependencies import IdempotencyKey, Service, SessionId
from assistant.api.documentation import EVERY_ROUTE, WITH_BODY, answers
from assistant.api.identity import Caller, UserRoute
from assistant.api.schemas import SurveyStart
from recommender.models import SurveySession, SurveyStep, UserIdentifier

router = APIRouter(prefix="/survey", tags=["survey"], route_class=UserRoute)


@router.post(
    "/start",
    responses=answers(
        examples.SURVEY_SESSION,
        *WITH_BODY,
        *EVERY_ROUTE,
        kinds.IDEMPOTENCY_KEY_REUSED,
    ),
)
def start_survey(
    body: SurveyStart, service: Service, idempotency_key: IdempotencyKey = None
) -> SurveySession:
    """Choose cards that this user has not swiped yet, those first that teach most."""
    return service.start_survey(body.user_id, body.survey_size, idempotency_key=idempotency_key)


@router.get(
    "/{session_id}/next",
    responses=answers(examples.SURVEY_STEP, *EVERY_ROUTE, kinds.UNKNOWN_SESSION),
)
def next_card(
    session_id: SessionId,
    service: Service,
    caller: Caller,
    user_id: Annotated[
        UserIdentifier | None, Query(description="Refuse the survey if it is not this user's.")
    ] = None,
) -> SurveyStep:
    """Choose the next card by the answers so far; `movie` is null when the survey is completed.

    It is completed early, and `settled`, when more cards would hardly change the first ten films.
    """
    return service.next_card(caller or user_id, session_id)
