"""What people watched elsewhere, taken over as swipes."""

from typing import Annotated

from fastapi import APIRouter, Path

from assistant.api import examples, kinds
from assistant.api.concurrency import Bulkhead, Bulkheads
from assistant.api.dependencies import IdempotencyKey, Service, UserId
from assistant.api.documentation import EVERY_ROUTE, WITH_BODY, answers
from assistant.api.identity import UserRoute
from assistant.api.schemas import HistoryIn
from recommender.models import HistoryReceipt, HistoryUndone, Identifier

ExportSession = Annotated[
    Identifier,
    Path(
        description="From the receipt of the export.",
        examples=[examples.HISTORY_RECEIPT["session_id"]],
    ),
]


class UploadRoute(UserRoute):
    """A route of files, for which there is more room, and which are long to record or take back."""

    upload = True

    def bulkhead(self, bulkheads: Bulkheads) -> Bulkhead:
        """That of uploads."""
        return bulkheads.uploads


router = APIRouter(prefix="/user/{user_id}", tags=["swipes"], route_class=UploadRoute)


@router.post(
    "/history",
    responses=answers(
        examples.HISTORY_RECEIPT, *WITH_BODY, *EVERY_ROUTE, kinds.IDEMPOTENCY_KEY_REUSED
    ),
)
def import_history(
    user_id: UserId, body: HistoryIn, service: Service, idempotency_key: IdempotencyKey = None
) -> HistoryReceipt:
    """Say what an export of Letterboxd, IMDb or Trakt tells; with `confirm`, record it.

    Films that are swiped here already, and those that were watched without a like or a dislike,
    are left alone.
    """
    return service.import_history(
        user_id,
        body.site,
        body.name,
        body.file(),
        confirm=body.confirm,
        idempotency_key=idempotency_key,
    )


@router.delete(
    "/history/{session_id}",
    responses=answers(examples.HISTORY_UNDONE, *EVERY_ROUTE),
)
def undo_history(user_id: UserId, session_id: ExportSession, service: Service) -> HistoryUndone:
    """Take back what was recorded of an export, named by the `session_id` of its receipt."""
    return service.undo_history(user_id, session_id)
