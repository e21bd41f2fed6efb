"""JSON Web Tokens: which user a token acts for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import jwt
from anyio import CapacityLimiter, to_thread
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import TypeAdapter, ValidationError

from assistant.api.settings import LOCAL_HOSTS, ApiSettings
from recommender.errors import InvalidRequest
from recommender.models import UserIdentifier

FEWEST_SECRET_BYTES = 32
LEEWAY_SECONDS = 30
FETCH_SECONDS, FETCH_AGAIN_SECONDS = 3, 5
Key = str | RSAPublicKey | jwt.PyJWK
KeyOf = Callable[[str], Key]
_USER = TypeAdapter[str](UserIdentifier)


class TokenRefused(Exception):
    """A token is not acceptable; the message says why."""


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had just now."""


class Tokens:
    """Checks tokens: signature by the one algorithm, issuer, audience and time; then the user."""

    def __init__(self, key_of: KeyOf, algorithm: str, settings: ApiSettings) -> None:
        self._key_of = key_of
        self._algorithm = algorithm
        self._issuer = settings.jwt_issuer
        self._audiences = frozenset((settings.jwt_audience or "").split(","))
        self._claim = settings.jwt_user_claim
        # Keys may have to be fetched: one thread waits for them, not those that serve requests.
        self._fetching = CapacityLimiter(1) if isinstance(key_of, IssuersKeys) else None

    async def user_of(self, token: str) -> str:
        """Whom the token acts for. Raises TokenRefused, KeysUnavailable."""
        if self._fetching:
            return await to_thread.run_sync(self._checked, token, limiter=self._fetching)
        return self._checked(token)

    def _checked(self, token: str) -> str:
        try:
            claims = jwt.decode(
                token,
                self._key_of(token),
                algorithms=[self._algorithm],
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", self._claim], "verify_aud": False},
            )
            self._check_audience(claims)
        except (jwt.InvalidTokenError, jwt.InvalidKeyError) as error:
            raise TokenRefused(_reason(error)) from error
        try:
            return _USER.validate_python(claims[self._claim], strict=True)
        except ValidationError as error:
            raise TokenRefused(f"The token's {self._claim} cannot be a user id.") from error

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        """Cognito's access tokens name no audience but the client that they were given to."""
        named = claims.get("aud", claims.get("client_id"))
        if named is None:
            raise jwt.MissingRequiredClaimError("aud")
        ours = named if isinstance(named, list) else [named]
        if not any(isinstance(each, str) and each in self._audiences for each in ours):
            raise jwt.InvalidAudienceError


class IssuersKeys:
    """The keys that an issuer publishes (JWKS), fetched when a token needs them and kept a while.

    After a failure nothing is fetched for some seconds: tokens must not queue for a dead address.
    """

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, timeout=FETCH_SECONDS)
        self._again_at = 0.0

    def __call__(self, token: str) -> Key:
        """The key that signed a token, as it says. Raises InvalidTokenError, KeysUnavailable."""
        key_id = jwt.get_unverified_header(token).get("kid")
        if not isinstance(key_id, str):
            raise jwt.InvalidTokenError
        if monotonic() < self._again_at:
            raise KeysUnavailable
        try:
            self._client.get_signing_keys()
        except (jwt.PyJWTError, ValueError) as error:
            self._again_at = monotonic() + FETCH_AGAIN_SECONDS
            raise KeysUnavailable from error
        try:
            return self._client.get_signing_key(key_id)
        except (jwt.PyJWTError, ValueError) as error:
            raise jwt.InvalidTokenError from error


def tokens(settings: ApiSettings) -> Tokens | None:
    """The check of tokens that the settings ask for. Raises InvalidRequest where they clash."""
    sources = {
        "JWT_SECRET": settings.jwt_secret,
        "JWT_PUBLIC_KEY_FILE": settings.jwt_public_key_file,
        "JWT_JWKS_URL": settings.jwt_jwks_url,
    }
    given = [name for name, value in sources.items() if value]
    if not given:
        return None
    if len(given) > 1:
        raise InvalidRequest(f"{' and '.join(given)} exclude each other: set one of them.")
    if not settings.jwt_issuer or not settings.jwt_audience:
        raise InvalidRequest(
            f"{given[0]} needs JWT_ISSUER and JWT_AUDIENCE: tokens must name both."
        )
    if settings.jwt_secret:
        return Tokens(_secret(settings.jwt_secret.get_secret_value()), "HS256", settings)
    if settings.jwt_public_key_file:
        return Tokens(_public_key(settings.jwt_public_key_file), "RS256", settings)
    return Tokens(_issuers_keys(settings.jwt_jwks_url or ""), "RS256", settings)


def _secret(secret: str) -> KeyOf:
    if len(secret.encode()) < FEWEST_SECRET_BYTES:
        raise InvalidRequest(
            f"JWT_SECRET is too short to be safe: take {FEWEST_SECRET_BYTES} random bytes or more."
        )
    return lambda _: secret


def _public_key(path: Path) -> KeyOf:
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise InvalidRequest(
            f"JWT_PUBLIC_KEY_FILE={path} cannot be read: {error.strerror}."
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidRequest(f"JWT_PUBLIC_KEY_FILE={path} holds no public key as PEM.") from error
    if not isinstance(key, RSAPublicKey):
        raise InvalidRequest(f"JWT_PUBLIC_KEY_FILE={path} holds no RSA key: tokens are RS256.")
    return lambda _: key


def _issuers_keys(url: str) -> KeyOf:
    address = urlsplit(url)
    local = address.hostname in {host.strip("[]") for host in LOCAL_HOSTS}
    if address.scheme != "https" and not (address.scheme == "http" and local):
        raise InvalidRequest(
            "JWT_JWKS_URL must begin with https://: keys changed under way let anyone in."
        )
    return IssuersKeys(url)


def _reason(error: Exception) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return "The token has expired: get a new one."
        case jwt.InvalidIssuerError():
            return "The token is of another issuer."
        case jwt.InvalidAudienceError():
            return "The token is for another audience."
        case jwt.MissingRequiredClaimError():
            return f"The token lacks the claim {error.claim}."
        case _:
            return "The token is not valid here."
