"""HTTP requests counted, timed, traced and logged, by route template."""

import logging
from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recommender.telemetry import span

REQUESTS = Counter(
    "reelwise_http_requests", "HTTP requests answered.", ("method", "route", "status")
)
FAILURES = Counter(
    "reelwise_http_failures", "HTTP requests answered with a status of 500 or above.", ("route",)
)
SECONDS = Histogram(
    "reelwise_http_request_seconds",
    "Seconds from the request's head to the end of its answer.",
    ("method", "route"),
    buckets=(0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
)
log = logging.getLogger(__name__)
_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/dashboard/figures"})
"""Asked for by machines, all the time."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Measure every HTTP request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Labels come from closed sets, so that clients cannot make new time series."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "other"
        app, started = scope["app"], perf_counter()
        with span(method, Headers(scope=scope)) as traced:
            try:
                await self.app(scope, receive, watch)
            finally:
                route = _route(scope, app)
                seconds = perf_counter() - started
                traced.update_name(f"{method} {route}")
                traced.set_attribute("http.response.status_code", status)
                _note(method, route, status, seconds)


def _route(scope: Scope, app: ASGIApp) -> str:
    """``chat`` is what the application mounted behind this one answers, and ``other`` no route."""
    if scope["app"] is not app:
        return "chat"
    return getattr(scope.get("route"), "path_format", "other")


def _note(method: str, route: str, status: int, seconds: float) -> None:
    REQUESTS.labels(method, route, str(status)).inc()
    if status >= 500:
        FAILURES.labels(route).inc()
    SECONDS.labels(method, route).observe(seconds)
    milliseconds = round(1000 * seconds)
    told = {"method": method, "route": route, "status": status, "milliseconds": milliseconds}
    loud = route.startswith("/") and route not in _QUIET
    log.log(
        logging.INFO if loud else logging.DEBUG,
        "%s %s %d in %d ms",
        *told.values(),
        extra=told,
    )
