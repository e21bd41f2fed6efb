"""Swipes: recorded durably before they are acknowledged."""

from fastapi import APIRouter

from assistant.api import examples, kinds
from assistant.api.dependencies import IdempotencyKey, Service
from assistant.api.documentation import EVERY_ROUTE, WITH_BODY, answers
from assistant.api.identity import UserRoute
from assistant.api.schemas import SwipeIn, UndoIn
from recommender.models import SwipeReceipt

router = APIRouter(prefix="/swipe", tags=["swipes"], route_class=UserRoute)


@router.post(
    "",
    responses=answers(
        examples.SWIPE_RECEIPT,
        *WITH_BODY,
        *EVERY_ROUTE,
        kinds.UNKNOWN_ITEM,
        kinds.IDEMPOTENCY_KEY_REUSED,
    ),
)
def record_swipe(
    body: SwipeIn, service: Service, idempotency_key: IdempotencyKey = None
) -> SwipeReceipt:
    """Record what a person thinks of a film. Of two swipes on one film the later counts."""
    return service.record_swipe(
        body.user_id,
        body.item_id,
        body.direction,
        session_id=body.session_id,
        swiped_at=body.timestamp,
        idempotency_key=idempotency_key,
    )


@router.post(
    "/undo",
    responses=answers(
        examples.UNDO_RECEIPT,
        *WITH_BODY,
        *EVERY_ROUTE,
        kinds.NOTHING_TO_UNDO,
        kinds.IDEMPOTENCY_KEY_REUSED,
    ),
)
def undo_swipe(
    body: UndoIn, service: Service, idempotency_key: IdempotencyKey = None
) -> SwipeReceipt:
    """Take back the latest standing swipe: of one film, or of all if none is named."""
    return service.undo_swipe(body.user_id, body.item_id, idempotency_key=idempotency_key)
