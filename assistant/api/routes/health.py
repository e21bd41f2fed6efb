"""Whether the service lives, whether it can serve, and its figures."""

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assistant.api import examples, kinds, problems
from assistant.api.dependencies import Service
from assistant.api.documentation import answers, refusals
from assistant.api.operators import operators_only
from assistant.api.schemas import Readiness

REQUIRED = ("store", "index")

router = APIRouter(tags=["operations"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", responses=answers({"status": "alive"}))
async def healthz() -> dict[str, str]:
    """Say that the process answers; it looks at nothing else."""
    return {"status": "alive"}


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    response_model=Readiness,
    responses=answers(examples.READINESS, kinds.NOT_READY),
)
def readyz(request: Request, service: Service) -> Response:
    """Say whether searches and swipes can be served; without the encoder they are degraded."""
    checks = service.ready()
    missing = [name for name in REQUIRED if not checks.get(name)]
    if missing:
        detail = f"Not there: {', '.join(missing)}. {kinds.NOT_READY.mend}"
        return problems.respond(request, kinds.NOT_READY, detail, headers={"Retry-After": "5"})
    status = "ready" if all(checks.values()) else "degraded"
    return JSONResponse(Readiness(status=status, checks=checks).model_dump())


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[Depends(operators_only)],
    responses=refusals(kinds.OPERATORS_ONLY),
)
def metrics() -> Response:
    """Give all figures in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
