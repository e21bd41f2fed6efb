"""The REST application, assembled."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from assistant.api import documentation, problems
from assistant.api.concurrency import bulkheads
from assistant.api.identity import identity
from assistant.api.limits import Quota, Quotas
from assistant.api.metrics import MetricsMiddleware
from assistant.api.middleware import (
    KnownHostMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    UnexpectedErrorMiddleware,
)
from assistant.api.routes import dashboard, health, history, items, search, survey, swipes, users
from assistant.api.routes import problems as problem_pages
from assistant.api.settings import ApiSettings
from recommender.service import Recommender

ROUTERS: tuple[APIRouter, ...] = (
    survey.router,
    swipes.router,
    search.router,
    search.explanations,
    users.router,
    history.router,
    items.router,
    health.router,
    dashboard.router,
    problem_pages.router,
)
MIDDLEWARES = (
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
    MetricsMiddleware,
    UnexpectedErrorMiddleware,
    KnownHostMiddleware,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"})


def create_api(
    recommender: Recommender, settings: ApiSettings, *, hosted_writer: bool = False
) -> FastAPI:
    """The REST API over one service, ready to have the chat mounted at "/" behind it.

    ``hosted_writer`` says that a model words the service's explanations, which takes long.

    Raises InvalidRequest when the settings do not say clearly who may ask.
    """
    app = documentation.documented()
    app.state.recommender = recommender
    app.state.quotas = Quotas(
        user=Quota("user", settings.rate_limit),
        address=Quota("address", settings.rate_limit_per_address),
    )
    app.state.bulkheads = bulkheads(
        settings.limit_concurrency,
        settings.worker_threads or settings.limit_concurrency,
        settings.limit_burst,
        hosted_writer=hosted_writer,
    )
    app.state.identity = identity(settings)
    app.state.known_hosts = settings.known_hosts
    app.state.private = settings.private and app.state.identity is None
    password = settings.metrics_password
    app.state.metrics_password = password.get_secret_value() if password else None
    app.state.started_at = datetime.now(UTC)
    app.state.last_report = dashboard.LastReport()
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.max_upload_bytes = settings.max_upload_bytes
    problems.install(app)
    for middleware in reversed(MIDDLEWARES):  # the one added last is outermost
        app.add_middleware(middleware)
    for router in ROUTERS:
        app.include_router(router)
        _refuse_other_methods(app, router)
    app.mount(dashboard.ASSETS, dashboard.assets)
    return app


def _refuse_other_methods(app: FastAPI, router: APIRouter) -> None:
    """Answer 405 ourselves: a chat mounted at "/" would take the request for one of its pages."""
    allowed: dict[str, set[str]] = {}
    for route in (each for each in router.routes if isinstance(each, APIRoute)):
        allowed.setdefault(route.path, set()).update(route.methods or ())
    for path, methods in allowed.items():
        refuse = _refusal(", ".join(sorted(methods)))
        others = sorted(METHODS - methods)
        app.add_api_route(path, refuse, methods=others, include_in_schema=False)


def _refusal(allow: str) -> Callable[[], Coroutine[None, None, None]]:
    async def method_not_allowed() -> None:
        raise HTTPException(405, headers={"Allow": allow})

    return method_not_allowed
