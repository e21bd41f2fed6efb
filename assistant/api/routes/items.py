"""Films: the facts of the catalogue."""

from fastapi import APIRouter

from assistant.api import examples, kinds
from assistant.api.dependencies import ItemId, Service
from assistant.api.documentation import EVERY_ROUTE, answers
from assistant.api.limits import LimitedRoute
from recommender.models import Item

router = APIRouter(prefix="/items", tags=["catalogue"], route_class=LimitedRoute)


@router.get(
    "/{item_id}",
    responses=answers(
        examples.ITEM,
        *EVERY_ROUTE,
        kinds.UNKNOWN_ITEM,
    ),
)
def get_item(item_id: ItemId, service: Service) -> Item:
    """Give the facts of one film."""
    return service.item(item_id)
