"""The pages behind the ``type`` of a problem."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from assistant.api import kinds

router = APIRouter(prefix="/problems", include_in_schema=False)


class ProblemType(BaseModel):
    """What a kind of problem means and how to mend it."""

    type: str
    status: int
    title: str
    mend: str


@router.get("/{slug}")
async def get_problem_type(slug: str) -> ProblemType:
    """Explain one kind of problem."""
    kind = kinds.KINDS.get(slug)
    if kind is None:
        raise HTTPException(404)
    return ProblemType(type=kind.type, status=kind.status, title=kind.title, mend=kind.mend)
