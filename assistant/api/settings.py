"""What an operator may set about the REST door."""

from pathlib import Path
from typing import Annotated

import limits
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
EVERY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound


def _parsable(quota: str) -> str:
    limits.parse(quota)
    return quota


def comma_separated(names: object) -> object:
    """The names in a text; what is no text as it is."""
    if not isinstance(names, str):
        return names
    return [name.strip() for name in names.split(",") if name.strip()]


Rate = Annotated[str, AfterValidator(_parsable)]
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]


class ApiSettings(BaseSettings):
    """Read from the environment: the names of the fields in capitals.

    ``rate_limit`` is the quota of each user and ``rate_limit_per_address`` that of each client
    address, such as "100/second" or "6000/minute". ``limit_concurrency`` is how many requests are
    let in at once, ``limit_burst`` how many for a few seconds, and ``worker_threads`` how many of
    them are worked on; default: all. What may take long does not count: see ``bulkheads``.
    ``max_body_bytes`` leaves room for a query of 10,000 emoji, each escaped,
    ``max_upload_bytes`` for the export of somebody's every film.
    ``host`` is where the server listens. ``allowed_hosts`` are names, separated by commas, that it
    may be called by besides this machine's own; "*" allows any.

    With ``api_keys_file`` or one of the ``jwt_`` sources of keys, routes that serve one person ask
    for a credential and act for its user only; without, they are open. A token is signed with
    HS256 (``jwt_secret``) or RS256 (the others), names ``jwt_issuer`` and ``jwt_audience``, and its
    ``jwt_user_claim`` is the user. ``jwt_audience`` may be several, separated by commas; a token
    without one, as Cognito's access tokens are, is for the client that its ``client_id`` names.
    ``metrics_password`` is what the user "operator" sees /metrics and /dashboard with.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    rate_limit: Rate = "6000/minute"
    rate_limit_per_address: Rate = "60000/minute"
    limit_concurrency: int = Field(default=32, ge=1)
    limit_burst: int = Field(default=256, ge=0)
    worker_threads: int | None = Field(default=None, ge=1)
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    max_upload_bytes: int = Field(default=12 * 2**20, ge=1024)
    host: str = "127.0.0.1"
    allowed_hosts: Hosts = ()
    api_keys_file: Path | None = None
    jwt_secret: SecretStr | None = None
    jwt_public_key_file: Path | None = None
    jwt_jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_user_claim: str = "sub"
    metrics_password: SecretStr | None = None

    @property
    def private(self) -> bool:
        """Whether it listens to this machine alone."""
        return self.host in (*LOCAL_HOSTS, "::1")

    @property
    def known_hosts(self) -> frozenset[str] | None:
        """The hosts that requests may name, in lower case; None where they may name any.

        Listening on every address is to be reached by names that only the operator knows.
        """
        if self.host in EVERY_ADDRESS or "*" in self.allowed_hosts:
            return None
        own = f"[{self.host}]" if ":" in self.host else self.host
        return frozenset(host.lower() for host in (*LOCAL_HOSTS, own, *self.allowed_hosts))
