"""How a connection proves whom it reached, and who asks: TLS certificates and IAM tokens."""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import URL

from recommender.errors import InvalidRequest, StoreUnavailable

PORT = 5432
TOKEN_SECONDS = 480.0
"""A token opens connections for 15 minutes, or until the credentials that signed it expire, which
boto3 renews at least ten minutes ahead."""


@dataclass(frozen=True)
class Access:
    """``ca_bundle`` holds the certificates that the server's must descend from; without one, TLS
    is as the address says. With ``iam`` each connection's password is a token of IAM.
    """

    ca_bundle: Path | None = None
    iam: bool = False

    def tls(self) -> dict[str, str]:
        """The driver's arguments."""
        if self.ca_bundle is None:
            return {}
        return {"sslmode": "verify-full", "sslrootcert": str(self.ca_bundle)}


class IamToken:
    """The password of the moment for a database user that signs in by IAM. Thread-safe."""

    def __init__(self, url: URL) -> None:
        """Raises InvalidRequest when boto3, a region, or the address's host or user is missing."""
        if not (url.host and url.username):
            raise InvalidRequest(
                "DATABASE_IAM_AUTH needs a DATABASE_URL with a host and a user, such as "
                "postgresql+psycopg://user@cluster.example.com/database."
            )
        self._asked = {
            "DBHostname": url.host,
            "Port": url.port or PORT,
            "DBUsername": url.username,
        }
        self._client = _client()
        self._lock = Lock()
        self._token, self._made = "", -TOKEN_SECONDS

    def __call__(self) -> str:
        """A token that opens connections for some minutes yet.

        Raises StoreUnavailable when there are no credentials to sign it with.
        """
        from botocore.exceptions import BotoCoreError

        with self._lock:
            if monotonic() - self._made >= TOKEN_SECONDS:
                try:
                    self._token = self._client.generate_db_auth_token(**self._asked)
                except BotoCoreError as error:
                    raise StoreUnavailable(
                        f"DATABASE_IAM_AUTH cannot sign a token: {error}. Give the process a role."
                    ) from error
                self._made = monotonic()
            return self._token


def _client() -> Any:  # noqa: ANN401 - boto3 has no types
    try:
        # boto3 is an extra, and slow to import: other installations need neither have nor await it.
        import boto3
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise InvalidRequest(
            f"DATABASE_IAM_AUTH needs {error.name}: pip install 'reelwise[aws]'"
        ) from error
    try:
        return boto3.Session().client("rds")
    except BotoCoreError as error:
        raise InvalidRequest(
            f"DATABASE_IAM_AUTH cannot be used: {error} Check AWS_DEFAULT_REGION."
        ) from error
