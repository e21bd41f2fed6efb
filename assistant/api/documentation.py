"""The OpenAPI description, and the page that shows it without reaching for the internet."""

from copy import deepcopy
from importlib.metadata import version
from itertools import groupby
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.responses import HTMLResponse

from assistant.api import kinds, problems
from assistant.api.examples import Example
from assistant.api.identity import UserRoute

ASSETS = "/docs/assets"
CREDENTIAL = "credential"
PROBLEM_REF = "#/components/schemas/Problem"
EVERY_ROUTE = (
    kinds.INVALID_REQUEST,
    kinds.RATE_LIMITED,
    kinds.INTERNAL_ERROR,
    kinds.STORE_UNAVAILABLE,
    kinds.OVERLOADED,
)
IDENTIFIED = (kinds.UNAUTHENTICATED, kinds.FORBIDDEN, kinds.IDENTITY_UNAVAILABLE)
WITH_BODY = (
    kinds.MALFORMED_JSON,
    kinds.PAYLOAD_TOO_LARGE,
    kinds.UNSUPPORTED_MEDIA_TYPE,
)
# Swagger UI starts from a script within the page and draws with inline styles and data: images.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
TAGS: list[dict[str, Any]] = [
    {"name": "survey", "description": "Cards to swipe, so that a taste can be learned."},
    {"name": "swipes", "description": "What a person says of a film: like, dislike, skip; undo."},
    {"name": "search", "description": "Films for a person and their words, and why."},
    {"name": "user", "description": "What is believed and stored of a person; erasure."},
    {"name": "catalogue", "description": "The films."},
    {"name": "operations", "description": "For those who run the service."},
]
DESCRIPTION = """
Films for your words and your taste, with truthful reasons.

* **Errors** are problem details (RFC 9457, `application/problem+json`): `type` is stable,
  `detail` says how to mend the request.
* **Writes** take an `Idempotency-Key`: a request repeated under its key is answered as the first
  time and done once.
* **Quota**: `RateLimit` says what is left; past it comes 429 with `Retry-After`.
* **Rush**: when too many ask at once, some get 503 with `Retry-After`, and nothing was done.
* **Ids**: a user id is whatever names the person at your side, 1 to 128 printable characters
  without slashes.
"""

Responses = dict[int | str, dict[str, Any]]


class DocumentedApi(FastAPI):
    """A FastAPI application whose description includes the shape of problems."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            # A copy: what is added must not reach the routes, which applications share.
            self.openapi_schema = self._completed(deepcopy(super().openapi()))
        return self.openapi_schema

    def _completed(self, document: dict[str, Any]) -> dict[str, Any]:
        schema = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= schema.pop("$defs") | {"Problem": schema}
        if identity := self.state.identity:
            self._ask_for_credentials(document, identity.takes)
        return document

    def _ask_for_credentials(self, document: dict[str, Any], taken: str) -> None:
        scheme = {"type": "http", "scheme": "bearer", "bearerFormat": taken}
        document["components"]["securitySchemes"] = {CREDENTIAL: scheme}
        for route in iter_route_contexts(self.routes):
            if isinstance(route.original_route, UserRoute):
                for method in route.methods or ():
                    operation = document["paths"][route.path_format][method.lower()]
                    operation["security"] = [{CREDENTIAL: []}]
                    _add(operation["responses"], refusals(*IDENTIFIED))


def documented() -> FastAPI:
    """An application with its name, description and offline documentation page at /docs."""
    app = DocumentedApi(
        title="Reelwise",
        version=version("reelwise"),
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.mount(ASSETS, StaticFiles(packages=[("fastapi_swagger", "resources")]))
    app.add_api_route("/docs", _page, include_in_schema=False)
    return app


async def _page(request: Request) -> HTMLResponse:
    root = request.scope.get("root_path", "").rstrip("/")
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="Reelwise API",
        swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{root}{ASSETS}/favicon-32x32.png",
        swagger_ui_parameters={"displayRequestDuration": True, "tryItOutEnabled": True},
    )
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    return page


def answers(example: Example, *kinds: kinds.Kind) -> Responses:
    """The OpenAPI ``responses`` of a route: what it answers, and how it may refuse."""
    return {200: {"content": {"application/json": {"example": example}}}} | refusals(*kinds)


def refusals(*kinds: kinds.Kind) -> Responses:
    """The OpenAPI ``responses`` for these kinds of problem."""
    ordered = sorted(kinds, key=lambda kind: (kind.status, kind.title))
    groups = groupby(ordered, lambda kind: kind.status)
    return {status: _refusal(list(group)) for status, group in groups}


def _add(responses: dict[str, Any], more: Responses) -> None:
    """Add refusals to those of an operation, of which some may have the same status."""
    for status, refusal in more.items():
        there = responses.setdefault(str(status), refusal)
        if there is not refusal:
            examples = refusal["content"][problems.MEDIA_TYPE]["examples"]
            there["content"][problems.MEDIA_TYPE]["examples"] |= examples
            there["description"] += f"; {refusal['description']}"


def _refusal(kinds: list[kinds.Kind]) -> dict[str, Any]:
    examples = {kind.title: {"value": _example(kind)} for kind in kinds}
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": PROBLEM_REF}, "examples": examples}}
    return {"description": "; ".join(kind.title for kind in kinds), "content": content}


def _example(kind: kinds.Kind) -> dict[str, Any]:
    return problems.Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=kind.mend,
        instance="/search",
        request_id="0f8e4b1c9a7d4e6fb2c3d4e5f6a7b8c9",
    ).model_dump(exclude_none=True)
