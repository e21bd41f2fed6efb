"""Counts and latencies of HTTP requests, by route template."""

from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

        started = perf_counter()
        try:
            await self.app(scope, receive, watch)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path_format", "other")
            REQUESTS.labels(method, route, str(status)).inc()
            if status >= 500:
                FAILURES.labels(route).inc()
            SECONDS.labels(method, route).observe(perf_counter() - started)
