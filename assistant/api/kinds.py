"""The kinds of problem, and which failure is which: the only place where failures get a status."""

from collections.abc import Mapping
from dataclasses import dataclass

from recommender.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
    NothingToUndo,
    ReelwiseError,
    StoreUnavailable,
    UnknownItem,
    UnknownSession,
    UnknownUser,
)


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its URI's last part, its status, its title and how to mend it.

    Without a ``slug`` it says no more than its status does (RFC 9457, section 4.2.1).
    """

    slug: str | None
    status: int
    title: str
    mend: str

    @property
    def type(self) -> str:
        """The stable URI reference that names this kind; it can be opened."""
        return f"/problems/{self.slug}" if self.slug else "about:blank"


UNAUTHENTICATED = Kind(
    "unauthenticated",
    401,
    "Who is asking is not known",
    "Send one header 'Authorization: Bearer <API key or token>' that is valid here.",
)
FORBIDDEN = Kind(
    "forbidden",
    403,
    "This credential may not do that",
    "A credential acts for its own user only: name that user wherever a user_id stands.",
)
UNKNOWN_ITEM = Kind(
    "unknown-item", 404, "No such film", "Take ids from /search or /survey/start answers."
)
UNKNOWN_USER = Kind(
    "unknown-user", 404, "Nothing is known of this user", "Record a swipe of this user first."
)
UNKNOWN_SESSION = Kind(
    "unknown-session", 404, "No such survey", "Start a survey with POST /survey/start."
)
NOTHING_TO_UNDO = Kind(
    "nothing-to-undo", 404, "There is no swipe to take back", "Record a swipe first."
)
NOT_FOUND = Kind("not-found", 404, "Nothing is here", "The paths that exist are listed at /docs.")
OPERATORS_ONLY = Kind(
    "operators-only",
    401,
    "This is for those who run the service",
    "Sign in as the user operator with the password in METRICS_PASSWORD. Where none is set, only a "
    "server that asks nobody who they are and listens to its own machine alone shows this.",
)
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed",
    405,
    "This path does not take this method",
    "Use a method that the Allow header names.",
)
UNKNOWN_HOST = Kind(
    "unknown-host",
    421,
    "This server does not go by that name",
    "Use the address at which the server listens, or add the name to ALLOWED_HOSTS.",
)
MALFORMED_JSON = Kind(
    "malformed-json", 400, "The body is not JSON", "Send one valid JSON object, encoded as UTF-8."
)
PAYLOAD_TOO_LARGE = Kind(
    "payload-too-large", 413, "The body is too large", "Send a shorter query and fewer values."
)
UNSUPPORTED_MEDIA_TYPE = Kind(
    "unsupported-media-type",
    415,
    "The body is not declared as JSON",
    "Send the header 'Content-Type: application/json'.",
)
INVALID_REQUEST = Kind(
    "invalid-request", 422, "A value is not acceptable", "Mend the values that 'errors' names."
)
IDEMPOTENCY_KEY_REUSED = Kind(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key belongs to another request",
    "Send a new key with each new action; repeat a key only to repeat the same request.",
)
RATE_LIMITED = Kind(
    "rate-limited",
    429,
    "Too many requests",
    "Wait for as many seconds as the Retry-After header says, then send the request again.",
)
INTERNAL_ERROR = Kind(
    "internal-error",
    500,
    "The service failed",
    "Try again; if it fails again, report the request_id.",
)
STORE_UNAVAILABLE = Kind(
    "store-unavailable",
    503,
    "The database does not answer",
    "Nothing was acknowledged. Wait as the Retry-After header says, then send the request again.",
)
OVERLOADED = Kind(
    "overloaded",
    503,
    "More is asked than can be served at once",
    "Nothing was done. Wait as the Retry-After header says, then send the request again.",
)
IDENTITY_UNAVAILABLE = Kind(
    "identity-unavailable",
    503,
    "Tokens cannot be checked just now",
    "Nothing was done. Wait as the Retry-After header says, then send the request again.",
)
NOT_READY = Kind(
    "not-ready", 503, "The service cannot serve yet", "Wait until /readyz answers 200."
)

_ALL = (
    UNAUTHENTICATED, FORBIDDEN, OPERATORS_ONLY, UNKNOWN_ITEM, UNKNOWN_USER, UNKNOWN_SESSION,
    NOTHING_TO_UNDO, NOT_FOUND, METHOD_NOT_ALLOWED, UNKNOWN_HOST, MALFORMED_JSON, PAYLOAD_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST, IDEMPOTENCY_KEY_REUSED, RATE_LIMITED, INTERNAL_ERROR,
    STORE_UNAVAILABLE, OVERLOADED, IDENTITY_UNAVAILABLE, NOT_READY,
)  # fmt: skip
KINDS: Mapping[str, Kind] = {kind.slug: kind for kind in _ALL if kind.slug}

OF_DOMAIN_ERROR: Mapping[type[ReelwiseError], Kind] = {
    UnknownItem: UNKNOWN_ITEM,
    UnknownUser: UNKNOWN_USER,
    UnknownSession: UNKNOWN_SESSION,
    NothingToUndo: NOTHING_TO_UNDO,
    NotFound: NOT_FOUND,
    InvalidRequest: INVALID_REQUEST,
    IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    StoreUnavailable: STORE_UNAVAILABLE,
}
OF_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (
        MALFORMED_JSON, NOT_FOUND, METHOD_NOT_ALLOWED, PAYLOAD_TOO_LARGE, RATE_LIMITED,
    )
}  # fmt: skip
