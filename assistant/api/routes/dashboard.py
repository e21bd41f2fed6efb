"""The dashboard: a page, and the figures that it asks for."""

from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from cachetools import TTLCache
from fastapi import APIRouter, Depends
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from assistant.api.dependencies import Service
from assistant.api.operators import operators_only
from assistant.dashboard.figures import Figures, figures
from recommender.experiments.report import ExperimentReport

PAGE = Path(__file__).parents[2] / "dashboard" / "page"
ASSETS = "/dashboard/page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
EXPERIMENT_SECONDS = 60
"""A report reads the whole log of the experiment."""

router = APIRouter(
    prefix="/dashboard", include_in_schema=False, dependencies=[Depends(operators_only)]
)
assets = StaticFiles(directory=PAGE)


class Shown(BaseModel):
    """The figures, and since when they are counted."""

    since: datetime
    figures: Figures


class LastReport:
    """The report of the running experiment, made anew at most once in ``EXPERIMENT_SECONDS``."""

    def __init__(self) -> None:
        self._kept: TTLCache[str, ExperimentReport | None] = TTLCache(1, EXPERIMENT_SECONDS)
        self._lock = Lock()

    def get(self, service: Service) -> ExperimentReport | None:
        """None where no experiment has shown anything."""
        with self._lock:
            if "report" not in self._kept:
                self._kept["report"] = service.experiment()
            return self._kept["report"]


@router.get("")
def dashboard() -> FileResponse:
    """The page."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(PAGE / "index.html", headers=headers)


@router.get("/figures")
def get_figures(request: Request) -> Shown:
    """The figures as of now."""
    return Shown(since=request.app.state.started_at, figures=figures())


@router.get("/experiment")
def get_experiment(request: Request, service: Service) -> Response:
    """What the running experiment found so far; null where it has shown nothing."""
    last: Any = request.app.state.last_report
    report: ExperimentReport | None = last.get(service)
    body = "null" if report is None else report.model_dump_json()
    return Response(body, media_type="application/json")
