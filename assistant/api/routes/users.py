"""People: what is believed of them, all that is stored of them, and its erasure."""

from fastapi import APIRouter

from assistant.api import examples, kinds
from assistant.api.dependencies import Service, UserId
from assistant.api.documentation import EVERY_ROUTE, answers, refusals
from assistant.api.identity import UserRoute
from recommender.models import Profile, UserExport

router = APIRouter(prefix="/user/{user_id}", tags=["user"], route_class=UserRoute)


@router.get("/profile", responses=answers(examples.PROFILE, *EVERY_ROUTE))
def get_profile(user_id: UserId, service: Service) -> Profile:
    """Say what is believed of a user. One who never swiped simply has an empty profile."""
    return service.profile(user_id)


@router.get(
    "/export",
    responses=answers(
        examples.USER_EXPORT,
        *EVERY_ROUTE,
        kinds.UNKNOWN_USER,
    ),
)
def export_user(user_id: UserId, service: Service) -> UserExport:
    """Hand out everything that is stored of a user."""
    return service.export_user(user_id)


@router.delete("", status_code=204, responses=refusals(*EVERY_ROUTE))
def forget_user(user_id: UserId, service: Service) -> None:
    """Erase everything that is stored of a user. Erasing nothing is fine too."""
    service.forget_user(user_id)
